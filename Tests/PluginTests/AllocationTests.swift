import KantoKernels
import TestSupport
import Testing

/// A plugin's own code allocates nothing in a warm run. Its library may: oneDNN makes some small allocations in each
/// `dnnl_primitive_execute`, OpenBLAS one in some products.
@Suite(.enabled(if: Allocations.areCounted, "a sanitizer allocates in its own way")) struct PluginAllocationTests {
    static let problems = [
        "matmul f32 m33 n65 k40 bias leaky_relu(0.2)", "matmul f32 m0 n65 k40", "matmul f32 m33 n65 k0 bias",
        "matmul f32 m33 n65 k40 accumulate", "matmul f32 m300 n300 k40 derivative tanh",
        "conv2d_forward f32 n4 h14 w14 c16 k5x5 s2 p2 o32 bias relu",
        "conv2d_input_gradient f32 n4 h24 w24 c16 k3x3 p1 o32 accumulate derivative relu",
        "conv2d_weight_gradient f32 n4 h14 w14 c16 k5x5 s2 p2 o32 bias accumulate",
    ]

    @Test(arguments: BuiltPlugin.all, problems) func ownCodeAllocatesNothing(_ plugin: BuiltPlugin, _ line: String) throws {
        let problem = try Problem(parsing: line)
        guard try #require(try Backend.available.first { $0.name == plugin.name }).offers(problem.op!, .float32) else { return }
        let operands = try problem.operands()
        let buffers = try operands.map { try Buffer(byteCount: max(4, $0.byteCount)) }
        for buffer in buffers { buffer.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: buffer.byteCount) }
        let inputs = zip(operands, buffers).filter { !$0.0.isOutput }.map(\.1.pointer)
        let outputs = zip(operands, buffers).filter(\.0.isOutput).map(\.1.pointer)
        let allocations = try withBackend(plugin.name) {
            try Kernels.run {
                let kernel = try Kernels.kernel(for: problem)
                #expect(kernel.backend.name == plugin.name)
                func run() throws {
                    try kernel.run(
                        inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : nil, into: outputs[0],
                        outputs.count > 1 ? outputs[1] : nil)
                }
                try run()
                return try Allocations.count { try run() }
            }
        }
        // Whose code asked for the memory: the plugin's, or that of a library that it calls.
        let libraries = [plugin.file, "libdnnl", "libgomp", "libblas", "libopenblas"]
        let askers = allocations.stacks.map { stack in stack.first { frame in libraries.contains { frame.hasPrefix($0) } } }
        #expect(!askers.contains { $0 == nil || $0!.hasPrefix(plugin.file) }, "\(allocations.stacks)")
    }
}
