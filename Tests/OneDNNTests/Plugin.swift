import Glibc
import KantoABI
import KantoShims

/// The built plugin, opened as the host opens it.
struct Plugin: @unchecked Sendable {
    let version: kanto_version
    let backend: UnsafePointer<kanto_backend>

    static let shared = Result { try Plugin() }

    private init() throws {
        let path = try Plugin.folder() + "/libKantoOneDNN.so"
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { throw Failure(String(cString: dlerror())) }
        guard let version = dlsym(library, KANTO_PLUGIN_VERSION_SYMBOL),
            let open = dlsym(library, KANTO_PLUGIN_OPEN_SYMBOL)
        else { throw Failure("\(path) lacks a symbol of a plugin") }
        self.version = version.load(as: kanto_version.self)
        let text = Text()
        let function = unsafeBitCast(open, to: kanto_plugin_open_function.self)
        guard let backend = withUnsafeMutablePointer(to: &text.message, { function($0) }) else {
            throw Failure(text.value)
        }
        self.backend = backend
    }

    /// The folder of the test bundle.
    private static func folder() throws -> String {
        guard let name = kanto_image_path(#dsohandle), let path = realpath(name, nil) else {
            throw Failure("cannot tell the folder of the test bundle")
        }
        defer { free(path) }
        return String(String(cString: path).split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A buffer for a backend's message.
final class Text {
    var message: kanto_message
    private let bytes: UnsafeMutablePointer<CChar>

    init(capacity: Int = 512) {
        bytes = .allocate(capacity: max(1, capacity))
        bytes.pointee = 0
        message = kanto_message(text: bytes, capacity: capacity)
    }

    deinit { bytes.deallocate() }

    var value: String { String(cString: bytes) }
}

/// A host of `threadCount` threads. Its parallel_for is a loop: oneDNN has its own threads.
func withHost<Result>(threadCount: Int, _ body: (UnsafePointer<kanto_host>) throws -> Result) rethrows -> Result {
    var host = kanto_host()
    host.struct_size = UInt32(MemoryLayout<kanto_host>.size)
    host.thread_count = UInt32(threadCount)
    host.parallel_for = { _, count, body, context in
        for index in 0..<count { body!(context, index, 0) }
    }
    return try withUnsafePointer(to: host, body)
}

/// A made kernel.
final class Kernel: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<kanto_kernel>

    init(_ problem: kanto_problem, threadCount: Int) throws {
        let backend = try Plugin.shared.get().backend
        let text = Text()
        var kernel: UnsafeMutablePointer<kanto_kernel>?
        let status = withUnsafePointer(to: problem) { problem in
            withHost(threadCount: threadCount) { host in
                withUnsafeMutablePointer(to: &text.message) { backend.pointee.make(backend, problem, host, &kernel, $0) }
            }
        }
        guard status == KANTO_STATUS_OK, let kernel else { throw Failure("status \(status): \(text.value)") }
        pointer = kernel
    }

    deinit { pointer.pointee.release(pointer) }

    var description: String { String(cString: pointer.pointee.description) }

    /// Runs with scratch full of NaN and sentinels behind scratch and around the output; returns the new output.
    /// Operands start `offset` elements behind a 64-byte boundary.
    func run(inputs: [[Float]], output: [Float], threadCount: Int, offset: Int = 0) throws -> [Float] {
        let inputs = inputs.map { Guarded($0, offset: offset) }
        let output = Guarded(output, offset: offset)
        let scratch = Guarded(
            [Float](repeating: .nan, count: (pointer.pointee.scratch_bytes + 3) / 4), offset: 0)
        var arguments = kanto_arguments()
        arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
        (arguments.input_count, arguments.output_count) = (UInt32(inputs.count), 1)
        arguments.scratch = pointer.pointee.scratch_bytes > 0 ? UnsafeMutableRawPointer(scratch.start) : nil
        let text = Text()
        func run(
            _ host: UnsafePointer<kanto_host>, _ inputs: UnsafePointer<UnsafeRawPointer?>,
            _ outputs: UnsafePointer<UnsafeMutableRawPointer?>
        ) -> kanto_status {
            (arguments.host, arguments.inputs, arguments.outputs) = (host, inputs, outputs)
            return pointer.pointee.run(pointer, &arguments, &text.message)
        }
        let status = withHost(threadCount: threadCount) {
            run($0, inputs.map { UnsafeRawPointer($0.start) }, [UnsafeMutableRawPointer(output.start)])
        }
        guard status == KANTO_STATUS_OK else { throw Failure("status \(status): \(text.value)") }
        for buffer in inputs + [output, scratch] where !buffer.isIntact { throw Failure("wrote beside a buffer") }
        return output.values
    }
}

/// Floats between two strips of sentinels, `offset` elements behind a 64-byte boundary.
private final class Guarded {
    private static let margin = 64
    private static let sentinel: UInt32 = 0xFFC0_FFEE
    private let base: UnsafeMutablePointer<Float>
    private let count: Int
    private let lead: Int

    init(_ values: [Float], offset: Int) {
        count = values.count
        lead = Guarded.margin + offset
        let total = lead + count + Guarded.margin
        base = UnsafeMutableRawPointer.allocate(byteCount: total * 4, alignment: 64).assumingMemoryBound(to: Float.self)
        base.initialize(repeating: Float(bitPattern: Guarded.sentinel), count: total)
        for (index, value) in values.enumerated() { base[lead + index] = value }
    }

    deinit { base.deallocate() }

    var start: UnsafeMutablePointer<Float> { base + lead }
    var values: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }
    var isIntact: Bool {
        (0..<lead).allSatisfy { base[$0].bitPattern == Guarded.sentinel }
            && (0..<Guarded.margin).allSatisfy { base[lead + count + $0].bitPattern == Guarded.sentinel }
    }
}
