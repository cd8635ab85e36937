import Glibc
import KantoABI
import KantoPluginCalls

/// A made kernel: a function with its plan, for one problem. It may be kept and run again and again.
public final class Kernel: @unchecked Sendable {
    /// What it computes.
    public let problem: Problem
    /// Who made it.
    public let backend: Backend
    let raw: UnsafeMutablePointer<kanto_kernel>
    let host: Host
    /// What a run is handed, as the problem states it.
    let inputCount, outputCount, scalarCount: UInt32
    private let isTimed: Bool
    /// What a call of a plugin's code is called; `nil` for a built-in backend's.
    private let call: UnsafePointer<CChar>?

    init(problem: Problem, backend: Backend, raw: UnsafeMutablePointer<kanto_kernel>, host: Host, isTimed: Bool) {
        self.problem = problem
        self.backend = backend
        self.raw = raw
        self.host = host
        self.isTimed = isTimed
        let operands = (try? problem.operands()) ?? []
        inputCount = UInt32(operands.count { !$0.isOutput })
        outputCount = UInt32(operands.count(where: \.isOutput))
        scalarCount = problem.functionInfo?.scalar_count ?? 0
        call = backend.isPlugin ? kanto_make_plugin_text(backend.call(for: problem)) : nil
    }

    deinit {
        guard let call else { return raw.pointee.release(raw) }
        let outer = kanto_enter_plugin(call)
        raw.pointee.release(raw)
        kanto_leave_plugin(outer)
        kanto_free_plugin_text(call)
    }

    /// What the backend says of it: implementation, tile, instruction set.
    public var description: String { raw.pointee.description.map { String(cString: $0) } ?? backend.name }

    /// Bytes that are lent to each run.
    public var scratchByteCount: Int { raw.pointee.scratch_bytes }

    /// Runs it, in the order of operands that `kanto_backend.h` states for the op.
    ///
    /// Inside `Kernels.run` it runs at once, elsewhere when it is the caller's turn.
    ///
    /// - Precondition: the pointers hold what the problem says, and an output overlaps an input in elementwise ops only,
    ///   and then exactly. There are as many scalars as the function takes.
    /// - Throws: `KernelError.failed`; the outputs are then undefined. `KernelError.memory` if there is none for its scratch.
    public func run(
        _ a: UnsafeRawPointer?, _ b: UnsafeRawPointer? = nil, _ c: UnsafeRawPointer? = nil, into x: UnsafeMutableRawPointer,
        _ y: UnsafeMutableRawPointer? = nil, _ z: UnsafeMutableRawPointer? = nil, scalars: UnsafePointer<Double>? = nil
    ) throws(KernelError) {
        try run(a, b, c, into: x, y, z, scalars: scalars, prepared: [])
    }

    /// Runs it with some of its inputs in the form that it made of them, too.
    ///
    /// - Precondition: what is prepared is so by this kernel, and its input holds what it held then.
    package func run(
        _ a: UnsafeRawPointer?, _ b: UnsafeRawPointer? = nil, _ c: UnsafeRawPointer? = nil, into x: UnsafeMutableRawPointer,
        _ y: UnsafeMutableRawPointer? = nil, _ z: UnsafeMutableRawPointer? = nil, scalars: UnsafePointer<Double>? = nil,
        prepared: [PreparedInput]
    ) throws(KernelError) {
        var forms: InputPointers = (nil, nil, nil)
        // No `for`: it allocates in debug builds.
        var next = 0
        while next < prepared.count {
            precondition(prepared[next].kernel === self, "an input that another kernel prepared")
            prepared[next].store(in: &forms)
            next += 1
        }
        try withUnsafeBytes(of: (a, b, c) as InputPointers) { (inputs) throws(KernelError) in
            try withUnsafeBytes(of: (x, y, z) as OutputPointers) { (outputs) throws(KernelError) in
                try withUnsafeBytes(of: forms) { (forms) throws(KernelError) in
                    var arguments = kanto_arguments()
                    arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
                    (arguments.input_count, arguments.output_count) = (inputCount, outputCount)
                    arguments.inputs = inputs.assumingMemoryBound(to: UnsafeRawPointer?.self).baseAddress
                    arguments.outputs = outputs.assumingMemoryBound(to: UnsafeMutableRawPointer?.self).baseAddress
                    if !prepared.isEmpty {
                        arguments.prepared = forms.assumingMemoryBound(to: UnsafeRawPointer?.self).baseAddress
                    }
                    if let scalars { (arguments.scalars, arguments.scalar_count) = (scalars, scalarCount) }
                    try perform(.run, &arguments)
                }
            }
        }
    }

    /// A function of a kernel.
    enum Step {
        case run
        case prepare(UInt32, into: UnsafeMutableRawPointer)
    }

    /// Calls one of its functions when it is the caller's turn, with the host and scratch added to the arguments.
    func perform(_ step: Step, _ arguments: inout kanto_arguments) throws(KernelError) {
        if KernelTurn.isHeld {
            try performInTurn(step, &arguments)
        } else {
            try KernelTurn.take { () throws(KernelError) in try performInTurn(step, &arguments) }
        }
    }

    private func performInTurn(_ step: Step, _ arguments: inout kanto_arguments) throws(KernelError) {
        guard host.hasLentWorkers, !KernelThread.isOneThatOwnsWorkers else { return try performInline(step, &arguments) }
        var call = Call(kernel: self, step: step, arguments: arguments)
        withUnsafeMutablePointer(to: &call) { call in
            KernelThread.shared.perform(
                { context in
                    let call = context.assumingMemoryBound(to: Call.self)
                    do throws(KernelError) {
                        try call.pointee.kernel.performInline(call.pointee.step, &call.pointee.arguments)
                    } catch {
                        call.pointee.error = error
                    }
                }, call)
        }
        if let error = call.error { throw error }
    }

    /// A call on another thread.
    private struct Call {
        let kernel: Kernel
        let step: Step
        var arguments: kanto_arguments
        var error: KernelError?
    }

    private func performInline(_ step: Step, _ arguments: inout kanto_arguments) throws(KernelError) {
        arguments.host = host.pointerForRun
        arguments.scratch = try host.scratch(scratchByteCount)
        let start = isTimed ? monotonicSeconds() : 0
        let outer = call == nil ? nil : kanto_enter_plugin(call)
        let failure = withMessage { message in
            switch step {
            case .run: raw.pointee.run(raw, &arguments, message)
            case .prepare(let index, let form): raw.pointee.prepare(raw, index, form, &arguments, message)
            }
        }
        if call != nil { kanto_leave_plugin(outer) }
        if isTimed, case .run = step { report(seconds: monotonicSeconds() - start) }
        if let failure {
            throw KernelError.failed(backend: backend.name, problem: problem.description, reason: failure.reason)
        }
    }

    private func report(seconds: Double) {
        let rate = problem.floatingPointOperations / seconds / 1e9
        let figures = (seconds * 1e6).rounded() / 1e3
        Diagnostics.trace(
            "\(problem): \(backend.name) (\(description)) \(figures) ms" + (rate > 0 ? ", \(rate.rounded()) GFLOP/s" : ""))
    }
}

/// The operands of a run as C arrays, for ops of three inputs and three outputs at most.
typealias InputPointers = (UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?)
typealias OutputPointers = (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?)

/// Calls into a backend with a buffer for its message; `nil` is success.
package func withMessage(
    _ body: (UnsafeMutablePointer<kanto_message>) -> kanto_status
) -> (status: kanto_status, reason: String)? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
        text[0] = 0
        var message = kanto_message(text: text.baseAddress, capacity: text.count)
        let status = body(&message)
        guard status != kanto_status(KANTO_STATUS_OK) else { return nil }
        text[text.count - 1] = 0
        let reason = String(cString: text.baseAddress!)
        return (status, reason.isEmpty ? "no reason given" : reason)
    }
}

/// Seconds of the monotonic clock.
public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
