import KantoABI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why a run gave no result.
public enum RunFailure: Error, CustomStringConvertible {
    case declined(String)
    case failed(String)
    /// A rule of a run is broken.
    case violation(String)

    public var description: String {
        switch self {
        case .declined(let reason): "declined: \(reason)"
        case .failed(let reason): "failed: \(reason)"
        case .violation(let reason): "breaks a rule: \(reason)"
        }
    }

    /// The same with the circumstance in which it comes.
    func `in`(_ circumstance: String) -> RunFailure {
        switch self {
        case .declined(let reason): .declined(circumstance + reason)
        case .failed(let reason): .failed(circumstance + reason)
        case .violation(let reason): .violation(circumstance + reason)
        }
    }
}

/// Where the operands of a run lie.
public struct Placement: Sendable {
    /// Elements between a 64-byte boundary and the first operand; as many more to each of the following ones.
    public var misalignment: Int
    /// The input whose memory the output shares.
    public var aliasedInput: Int?
    /// Whether the kernel is handed the inputs in the forms that it makes of them, too.
    public var isPrepared: Bool

    /// Operands apart from each other, at boundaries of 64 bytes, but for what is given.
    public init(misalignment: Int = 0, aliasedInput: Int? = nil, isPrepared: Bool = false) {
        self.misalignment = misalignment
        self.aliasedInput = aliasedInput
        self.isPrepared = isPrepared
    }
}

/// A made kernel, released with the value.
public final class MadeKernel {
    /// What it was made for.
    public let problem: kanto_problem
    private let operands: Operands
    private let kernel: UnsafeMutablePointer<kanto_kernel>
    private let host: ThreadHost

    /// Makes a kernel for the problem on the backend.
    public init(
        _ problem: kanto_problem, on backend: UnsafePointer<kanto_backend>, host: ThreadHost
    ) throws(RunFailure) {
        var problem = problem
        var kernel: UnsafeMutablePointer<kanto_kernel>?
        let (status, text) = withMessage { backend.pointee.make(backend, &problem, host.table, &kernel, $0) }
        switch Int(status) {
        case KANTO_STATUS_OK: break
        case KANTO_STATUS_DECLINED:
            throw text.isEmpty ? .violation("it declines without a reason") : .declined(text)
        default: throw .failed("make: status \(status), \(text)")
        }
        guard let kernel else { throw .violation("make returns no kernel and no reason") }
        guard kernel.pointee.struct_size >= MemoryLayout<kanto_kernel>.size, kernel.pointee.run != nil,
            kernel.pointee.release != nil,
            kernel.pointee.prepared_count == 0 || kernel.pointee.prepared_bytes != nil && kernel.pointee.prepare != nil
        else { throw .violation("make returns an incomplete kernel") }
        self.problem = problem
        operands = KantoConsistency.operands(of: problem)
        self.kernel = kernel
        self.host = host
    }

    deinit { kernel.pointee.release(kernel) }

    /// Bytes of its form of each input; none of an input that it takes as it is.
    private var formByteCounts: [Int] {
        operands.inputs.indices.map { $0 < kernel.pointee.prepared_count ? kernel.pointee.prepared_bytes[$0] : 0 }
    }

    /// Whether it has a form of its own of some input.
    public var takesPreparedInputs: Bool { formByteCounts.contains { $0 > 0 } }

    /// Runs the kernel on operands given as they lie in memory (gaps included, their values ignored) and returns the
    /// outputs likewise. Every operand stands between sentinels; what may not be read is NaN.
    public func run(
        inputs: [[Double]], outputs: [[Double]], scalars: [Double] = [], _ placement: Placement = Placement()
    ) throws(RunFailure) -> [[Double]] {
        problem.dtype == KANTO_DTYPE_F64
            ? try run(Double.self, inputs, outputs, scalars, placement)
            : try run(Float.self, inputs, outputs, scalars, placement)
    }

    private func run<T: BinaryFloatingPoint>(
        _ type: T.Type, _ inputValues: [[Double]], _ outputValues: [[Double]], _ scalars: [Double],
        _ placement: Placement
    ) throws(RunFailure) -> [[Double]] {
        let inputs = zip(operands.inputs, inputValues).enumerated().map { index, input in
            GuardedOperand<T>(input.0, input.1, misalignment: (index + 1) * placement.misalignment)
        }
        let outputs = operands.outputs.indices.map { index in
            let values =
                placement.aliasedInput.map { inputValues[$0] }
                ?? (operands.readsOutputs ? outputValues[index] : nil)
            let place = operands.inputs.count + index + 1
            return GuardedOperand<T>(operands.outputs[index], values, misalignment: place * placement.misalignment)
        }
        let inputContents = inputs.map(\.content)
        let scratch = GuardedMemory(byteCount: kernel.pointee.scratch_bytes)
        let forms = formByteCounts.map { $0 > 0 && placement.isPrepared ? GuardedMemory(byteCount: $0) : nil }

        var environment = fenv_t()
        fegetenv(&environment)
        let control = floatingPointControl()
        let inputPointers = inputs.indices.map {
            UnsafeRawPointer(placement.aliasedInput == $0 ? outputs[0].base : inputs[$0].base) as UnsafeRawPointer?
        }
        let outputPointers = outputs.map { UnsafeMutableRawPointer($0.base) as UnsafeMutableRawPointer? }
        let formPointers = forms.map { $0.map { UnsafeRawPointer($0.base) } }
        var arguments = kanto_arguments()
        arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
        arguments.host = UnsafePointer(host.table)
        arguments.scratch = kernel.pointee.scratch_bytes > 0 ? scratch.base : nil
        arguments.input_count = UInt32(inputs.count)

        for (index, form) in forms.enumerated() {
            guard let form else { continue }
            // The one input alone.
            var alone = inputPointers.map { _ in nil as UnsafeRawPointer? }
            alone[index] = inputPointers[index]
            let (status, text) = withMessage { message in
                alone.withUnsafeBufferPointer {
                    arguments.inputs = $0.baseAddress
                    return kernel.pointee.prepare(kernel, UInt32(index), form.base, &arguments, message)
                }
            }
            guard status == KANTO_STATUS_OK else { throw .failed("prepare: status \(status), \(text)") }
        }
        func run(
            _ inputs: UnsafePointer<UnsafeRawPointer?>, _ outputs: UnsafePointer<UnsafeMutableRawPointer?>,
            _ scalars: UnsafePointer<Double>, _ forms: UnsafePointer<UnsafeRawPointer?>,
            _ message: UnsafeMutablePointer<kanto_message>
        ) -> kanto_status {
            (arguments.inputs, arguments.outputs) = (inputs, outputs)
            if placement.isPrepared { arguments.prepared = forms }
            if arguments.scalar_count > 0 { arguments.scalars = scalars }
            return kernel.pointee.run(kernel, &arguments, message)
        }
        (arguments.output_count, arguments.scalar_count) = (UInt32(outputs.count), UInt32(scalars.count))
        let (status, text) = withMessage { run(inputPointers, outputPointers, scalars, formPointers, $0) }
        guard status == KANTO_STATUS_OK else { throw .failed("run: status \(status), \(text)") }
        guard floatingPointControl() == control && !host.takeWorkerControlChange() else {
            fesetenv(&environment)
            throw .violation("the floating-point environment is changed")
        }
        for index in inputs.indices where !inputs[index].isUntouched(since: inputContents[index]) {
            throw .violation("input \(index) is written")
        }
        for index in outputs.indices {
            if let fault = outputs[index].fault { throw .violation("output \(index): \(fault)") }
        }
        guard scratch.sentinelsStand else { throw .violation("the scratch is written beyond its end") }
        for (index, form) in forms.enumerated() where form?.sentinelsStand == false {
            throw .violation("the form of input \(index) is written beyond its end")
        }
        return outputs.map { $0.content.map { Double($0) } }
    }
}

/// Makes a kernel on two threads, runs it once on aligned operands and releases it.
public func run(
    _ problem: kanto_problem, on backend: UnsafePointer<kanto_backend>, inputs: [[Double]], outputs: [[Double]] = [],
    scalars: [Double] = []
) throws(RunFailure) -> [[Double]] {
    try MadeKernel(problem, on: backend, host: ThreadHost(threadCount: 2))
        .run(inputs: inputs, outputs: outputs, scalars: scalars)
}

/// A backend's name, for people.
func name(of backend: UnsafePointer<kanto_backend>) -> String {
    backend.pointee.name.map { String(cString: $0) } ?? "a backend without a name"
}

/// Calls the body with a buffer for a message and returns what is written there, too.
private func withMessage(_ body: (UnsafeMutablePointer<kanto_message>) -> kanto_status) -> (kanto_status, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        buffer.initialize(repeating: 0)
        var message = kanto_message(text: buffer.baseAddress, capacity: buffer.count)
        let status = body(&message)
        buffer[buffer.count - 1] = 0
        return (status, String(cString: buffer.baseAddress!))
    }
}
