import KantoABI
import OneDNNAdapter

/// oneDNN's view of the operands of one run. Its memory objects are mutable, so runs at the same time need one set each.
final class MemorySet: @unchecked Sendable {
    /// The next idle set of the plan.
    var next: MemorySet?

    private enum Stage {
        case primitive(dnnl_primitive_t, arguments: Range<Int>)
        case pass(any Pass)
    }

    private let stream: dnnl_stream_t
    private let threadCount: Int32
    private var stages: [Stage] = []
    private var operands: [Operand] = []
    private var arguments: [dnnl_exec_arg_t] = []

    init(for plan: Plan) throws(Refusal) {
        var stream: dnnl_stream_t?
        try check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)), "create a stream")
        self.stream = stream!
        threadCount = plan.threadCount
        for stage in plan.stages {
            switch stage {
            case .primitive(let primitive, let bindings):
                let start = arguments.count
                for binding in bindings {
                    var memory: dnnl_memory_t?
                    try check(onednn_memory_create(&memory, binding.layout.handle, engine), "create a memory object")
                    arguments.append(dnnl_exec_arg_t(arg: binding.argument, memory: memory))
                    operands.append(binding.operand)
                }
                stages.append(.primitive(primitive, arguments: start..<arguments.count))
            case .pass(let pass): stages.append(.pass(pass))
            }
        }
    }

    deinit {
        for argument in arguments { dnnl_memory_destroy(argument.memory) }
        dnnl_stream_destroy(stream)
    }

    /// Executes the plan that the set was made for, with or without its passes. Allocates nothing of its own.
    func execute(_ run: UnsafePointer<kanto_arguments>, passes: Bool) -> dnnl_status_t {
        for index in operands.indices {
            let status = dnnl_memory_set_data_handle(arguments[index].memory, address(of: operands[index], in: run))
            guard status == dnnl_success else { return status }
        }
        return arguments.withUnsafeBufferPointer { arguments in
            for stage in stages {
                let status: dnnl_status_t
                switch stage {
                case .primitive(let primitive, let range):
                    status = dnnl_primitive_execute(
                        primitive, stream, Int32(range.count), arguments.baseAddress! + range.lowerBound)
                case .pass where !passes: status = dnnl_success
                case .pass(let pass):
                    status = dnnl_stream_wait(stream)
                    if status == dnnl_success { pass.run(run, threadCount: threadCount) }
                }
                guard status == dnnl_success else { return status }
            }
            return dnnl_stream_wait(stream)
        }
    }
}

private func address(of operand: Operand, in run: UnsafePointer<kanto_arguments>) -> UnsafeMutableRawPointer? {
    switch operand {
    case .input(let index): UnsafeMutableRawPointer(mutating: kanto_input(run, UInt32(index)))
    case .output(let index): kanto_output(run, UInt32(index))
    case .scratch(let offset): run.pointee.scratch! + offset
    }
}
