import KantoABI
import TestSupport
import Testing

@testable import KantoKernels

/// Inputs in the form that a kernel makes of them.
@Suite struct PreparedInputTests {
    /// A plugin whose kernels have a form of their second input, ten times its first number, and write what they are handed: the
    /// form, or else the number. (A kernel proper writes the same of either.)
    private func preparing(_ name: String) -> PluginSource {
        var source = PluginSource(name: name)
        source.declarations = #"""
            static const size_t form_bytes[] = {0, 8};
            static kanto_status prepare(const kanto_kernel *kernel, uint32_t index, void *form, const kanto_arguments *arguments,
                                        kanto_message *message) {
              const float *b = kanto_input(arguments, 1);
              if (index != 1 || (size_t)form % 64 || !arguments->host || !arguments->scratch || kanto_input(arguments, 0) ||
                  arguments->output_count || arguments->scalar_count || arguments->prepared || *b < 0) {
                say(message, "not to be prepared");
                return KANTO_STATUS_FAILED;
              }
              *(float *)form = 10 * *b;
              return KANTO_STATUS_OK;
            }
            """#
        source.finish = """
            (*kernel)->scratch_bytes = 64;
            (*kernel)->prepared_bytes = form_bytes;
            (*kernel)->prepared_count = 2;
            (*kernel)->prepare = prepare;
            """
        source.run = #"""
            if (arguments->input_count != 2 || arguments->output_count != 1 || arguments->scalar_count != 0) {
              say(message, "other counts");
              return KANTO_STATUS_FAILED;
            }
            const float *form = kanto_prepared(arguments, 1), *b = kanto_input(arguments, 1);
            *(float *)kanto_output(arguments, 0) = form ? *form : *b;
            return KANTO_STATUS_OK;
            """#
        return source
    }

    private func registry(_ source: PluginSource) throws -> Registry {
        let folder = try TemporaryFolder()
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": try source.compile(in: folder), "KANTO_ISA": "baseline"])
        // Opened before the folder goes.
        #expect(registry.backends.contains { $0.name == source.name })
        return registry
    }

    private func prepare(_ kernel: Kernel, _ index: Int, _ values: [Float]) throws -> PreparedInput? {
        try values.withUnsafeBytes { try kernel.prepare(input: index, $0) }
    }

    private func run(_ kernel: Kernel, _ b: Float, prepared: [PreparedInput]) throws -> Float {
        var c: Float = 0
        try kernel.run([1] as [Float], [b], into: &c, prepared: prepared)
        return c
    }

    /// On the host's workers, and on the plugin's own, which are called from another thread.
    @Test(arguments: ["NULL", "serial"]) func aKernelThatTakesThem(parallelFor: String) throws {
        var source = preparing("prepares-\(parallelFor.lowercased())")
        source.parallelFor = parallelFor
        let kernel = try registry(source).kernel(.matmul(m: 1, n: 1, k: 1), source.name)
        #expect((-1...3).map { $0 < 0 ? 0 : kernel.preparedByteCount(ofInput: $0) } == [0, 0, 8, 0, 0])
        #expect(try prepare(kernel, 0, [3]) == nil)
        let first = try #require(try prepare(kernel, 1, [3])), second = try #require(try prepare(kernel, 1, [4]))
        #expect(try run(kernel, 3, prepared: [first]) == 30)
        #expect(try run(kernel, 4, prepared: [second]) == 40)
        // Without, the kernel takes the input itself.
        #expect(try run(kernel, 3, prepared: []) == 3)
        // The form serves again.
        #expect(try run(kernel, 3, prepared: [first]) == 30)
    }

    @Test(arguments: ["simd", "reference"]) func aKernelThatDoesNot(name: String) throws {
        let kernel = try makeRegistry().kernel(.matmul(m: 1, n: 1, k: 1), name)
        #expect((0..<3).map { kernel.preparedByteCount(ofInput: $0) } == [0, 0, 0])
        #expect(try prepare(kernel, 1, [3]) == nil)
        #expect(try run(kernel, 3, prepared: []) == 3)
    }

    @Test func whatCannotBePreparedIsSaid() throws {
        let source = preparing("picky")
        let kernel = try registry(source).kernel(.matmul(m: 1, n: 2, k: 1), "picky")
        #expect(throws: KernelError.problem("matmul f32 m1 n2 k1: B has 4 bytes, expected 8")) { try prepare(kernel, 1, [3]) }
        for index in [-1, 2] {
            #expect(throws: KernelError.problem("matmul f32 m1 n2 k1: input \(index) of 2")) {
                try prepare(kernel, index, [3, 4])
            }
        }
        #expect(throws: KernelError.failed(backend: "picky", problem: "matmul f32 m1 n2 k1", reason: "not to be prepared")) {
            try prepare(kernel, 1, [-3, 4])
        }
    }

    @Test(arguments: [
        ("sizes", "(*kernel)->prepared_count = 1; (*kernel)->prepare = prepare;", "that lacks their sizes"),
        ("function", "(*kernel)->prepared_count = 2; (*kernel)->prepared_bytes = form_bytes;", "the function that prepares them"),
        (
            "memory",
            """
            static const size_t bytes[] = {0, (size_t)1 << 46};
            (*kernel)->prepared_count = 2; (*kernel)->prepared_bytes = bytes; (*kernel)->prepare = prepare;
            """, "its form of input 1 of 70368744177664 bytes is more than the memory of this machine"
        ),
    ])
    func aKernelThatCannotPrepareIsDeclined(name: String, finish: String, reason: String) throws {
        var source = preparing("lacks-\(name)")
        source.finish = finish
        #expect(try registry(source).kernel(.matmul(m: 1, n: 1, k: 1), source.name).backend.name == "simd-baseline")
        #expect(Said.lines(with: source.name).first?.contains(reason) == true, "\(Said.lines(with: source.name))")
    }

    @Test(.enabled(if: Allocations.areCounted, "a sanitizer allocates in its own way")) func aRunAllocatesNothing() throws {
        let kernel = try registry(preparing("thrifty")).kernel(.matmul(m: 1, n: 1, k: 1), "thrifty")
        let prepared = [try #require(try prepare(kernel, 1, [3]))]
        let buffer = try Buffer(byteCount: 64)
        buffer.pointer.initializeMemory(as: Float.self, repeating: 3, count: 16)
        let allocations = try Kernels.run {
            func run() throws { try kernel.run(buffer.pointer, buffer.pointer, into: buffer.pointer + 32, prepared: prepared) }
            try run()
            return try Allocations.count { for _ in 0..<100 { try run() } }
        }
        #expect(allocations.count == 0, "\(allocations)")
        #expect((buffer.pointer + 32).load(as: Float.self) == 30)
    }
}
