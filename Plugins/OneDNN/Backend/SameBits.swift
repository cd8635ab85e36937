import KantoABI
import OneDNNAdapter

/// Whether two plans of the same primitives, divided for different numbers of threads, give the same bits: found out by
/// running both on the same numbers. oneDNN does not say, and some of its products are summed in an order that depends on
/// the number of threads. Passes are left out: they go element by element.
///
/// - Parameter scratch: enough for either plan.
func giveSameBits(_ first: Plan, _ second: Plan, scratch: UnsafeMutableRawPointer?) throws(Refusal) -> Bool {
    let (inputs, outputs) = (first.inputByteCounts.map(randomNumbers), first.outputByteCounts.map(randomNumbers))
    let others = first.outputByteCounts.map(randomNumbers)
    defer { for buffer in inputs + outputs + others { buffer.deallocate() } }
    for (plan, outputs) in [(first, outputs), (second, others)] {
        let (inputs, outputs) = (inputs.map { UnsafeRawPointer($0.baseAddress) }, outputs.map(\.baseAddress))
        try inputs.withUnsafeBufferPointer { inputs throws(Refusal) in
            try outputs.withUnsafeBufferPointer { outputs throws(Refusal) in
                var arguments = kanto_arguments()
                arguments.struct_size = UInt32(MemoryLayout<kanto_arguments>.size)
                (arguments.inputs, arguments.input_count) = (inputs.baseAddress, UInt32(inputs.count))
                (arguments.outputs, arguments.output_count) = (outputs.baseAddress, UInt32(outputs.count))
                arguments.scratch = scratch
                try plan.run(&arguments, passes: false)
            }
        }
    }
    return zip(outputs, others).allSatisfy { $0.elementsEqual($1) }
}

extension Plan {
    fileprivate var inputByteCounts: [Int] { byteCounts(of: 3) { if case .input(let index) = $0 { index } else { nil } } }
    fileprivate var outputByteCounts: [Int] { byteCounts(of: 2) { if case .output(let index) = $0 { index } else { nil } } }

    /// The largest layout in which a primitive takes each of `count` operands; 0 for those that none takes.
    private func byteCounts(of count: Int, _ index: (Operand) -> Int?) -> [Int] {
        var byteCounts = [Int](repeating: 0, count: count)
        for case .primitive(_, let bindings) in stages {
            for binding in bindings {
                if let index = index(binding.operand) { byteCounts[index] = max(byteCounts[index], binding.layout.byteCount) }
            }
        }
        return byteCounts
    }
}

/// The same numbers between -1 and 1 at each call, of any last bits.
private func randomNumbers(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(4, byteCount), alignment: 64)
    var state: UInt32 = 1
    let values = buffer.bindMemory(to: Float.self)
    for index in values.indices {
        // A linear congruence of full period (Numerical Recipes).
        state = state &* 1_664_525 &+ 1_013_904_223
        values[index] = Float(Int32(bitPattern: state)) * 0x1p-31
    }
    return buffer
}
