import Dispatch
import KantoABI
import Synchronization
import Testing

/// The smallest host: it lends threads and scratch, and watches the borders of what it lends.
struct Host {
    var threadCount = 1
    /// Small, so that products of test size are cut into blocks.
    var level2CacheBytes: Int64 = 1 << 20

    struct Refusal: Error { let reason: String }

    /// Makes a kernel and runs it once. `output` holds the old content, which becomes NaN where the problem does not
    /// accumulate. Inputs stand at addresses that are aligned to their element only.
    func run(
        _ problem: kanto_problem, on variant: Variant, _ inputs: [[Float]], output: [Float]
    ) throws -> [Float] {
        try run(problem, on: variant, inputs, outputs: [output])[0]
    }

    /// The same with several outputs.
    func run(
        _ problem: kanto_problem, on variant: Variant, _ inputs: [[Float]], outputs: [[Float]]
    ) throws -> [[Float]] {
        var host = kanto_host()
        host.struct_size = UInt32(MemoryLayout<kanto_host>.size)
        host.thread_count = UInt32(threadCount)
        host.level1_cache_bytes = 32 << 10
        host.level2_cache_bytes = level2CacheBytes
        host.level3_cache_bytes = 8 << 20
        host.parallel_for = { host, count, body, context in
            runInParallel(threads: Int(host!.pointee.thread_count), count: count, body!, context)
        }
        var problem = problem
        problem.struct_size = UInt32(MemoryLayout<kanto_problem>.size)
        problem.dtype = UInt32(KANTO_DTYPE_F32)
        var kernel: UnsafeMutablePointer<kanto_kernel>?
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: 200)
        defer { text.deallocate() }
        text[0] = 0
        var message = kanto_message(text: text, capacity: 200)
        let made = variant.backend.pointee.make(variant.backend, &problem, &host, &kernel, &message)
        guard made == KANTO_STATUS_OK, let kernel else { throw Refusal(reason: String(cString: text)) }
        defer { kernel.pointee.release(kernel) }
        #expect(kernel.pointee.description[0] != 0)

        let accumulates = problem.flags & UInt32(KANTO_FLAG_ACCUMULATE) != 0
        let targets = outputs.map { Guarded(accumulates ? $0 : $0.map { _ in .nan }, offset: 3) }
        let scratch = Guarded([Float](repeating: .nan, count: kernel.pointee.scratch_bytes / 4), offset: 0)
        let sources = inputs.map { Guarded($0, offset: 1) }
        var arguments = kanto_arguments()
        arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
        arguments.scratch = kernel.pointee.scratch_bytes == 0 ? nil : UnsafeMutableRawPointer(scratch.start)
        (arguments.input_count, arguments.output_count) = (UInt32(sources.count), UInt32(targets.count))
        func run(
            _ host: UnsafePointer<kanto_host>, _ inputs: UnsafePointer<UnsafeRawPointer?>,
            _ outputs: UnsafePointer<UnsafeMutableRawPointer?>
        ) -> kanto_status {
            (arguments.host, arguments.inputs, arguments.outputs) = (host, inputs, outputs)
            return kernel.pointee.run(kernel, &arguments, &message)
        }
        let status = run(&host, sources.map { UnsafeRawPointer($0.start) }, targets.map { UnsafeMutableRawPointer($0.start) })
        guard status == KANTO_STATUS_OK else { throw Refusal(reason: String(cString: text)) }
        for target in targets { #expect(target.isIntact, "an output's borders were written") }
        #expect(scratch.isIntact, "the scratch's borders were written")
        for (source, input) in zip(sources, inputs) {
            let unchanged = zip(source.content, input).allSatisfy { $0.bitPattern == $1.bitPattern }
            #expect(source.isIntact && unchanged, "an input was written")
        }
        return targets.map(\.content)
    }
}

/// Floats between borders of NaN with a pattern; a kernel that reads a border poisons its result.
private final class Guarded {
    private static let border = 96
    private static let pattern = UInt32(0x7FC0_BEEF)
    private let memory: UnsafeMutablePointer<Float>
    private let count: Int
    private let offset: Int
    var start: UnsafeMutablePointer<Float> { memory + Self.border + offset }

    /// `offset` counts floats from an address aligned to 64 bytes.
    init(_ content: [Float], offset: Int) {
        count = content.count
        self.offset = offset
        let total = count + 2 * Self.border + offset
        memory = UnsafeMutableRawPointer.allocate(byteCount: total * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: total)
        for i in 0..<total { memory[i] = Float(bitPattern: Self.pattern) }
        for i in 0..<count { start[i] = content[i] }
    }

    deinit { memory.deallocate() }

    var content: [Float] { (0..<count).map { start[$0] } }

    var isIntact: Bool {
        let before = 0..<Self.border + offset
        let after = Self.border + offset + count..<count + 2 * Self.border + offset
        return before.allSatisfy { memory[$0].bitPattern == Self.pattern }
            && after.allSatisfy { memory[$0].bitPattern == Self.pattern }
    }
}

private struct Work: @unchecked Sendable {
    let body: kanto_body
    let context: UnsafeMutableRawPointer?
}

private func runInParallel(
    threads: Int, count: Int64, _ body: @escaping kanto_body, _ context: UnsafeMutableRawPointer?
) {
    let work = Work(body: body, context: context)
    let next = Atomic<Int64>(0)
    if threads == 1 {
        for index in 0..<count { body(context, index, 0) }
        return
    }
    DispatchQueue.concurrentPerform(iterations: threads) { worker in
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count { return }
            work.body(work.context, index, Int64(worker))
        }
    }
}
