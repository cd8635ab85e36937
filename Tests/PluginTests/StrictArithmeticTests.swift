import Testing

#if ONEDNN
/// A user may allow oneDNN to round float32 operands to bfloat16. The plugin must not: its results are those of float32.
@Suite struct StrictArithmeticTests {
    /// Not every processor would round, so what oneDNN prints of each primitive is searched for the mode, too.
    @Test func bfloat16IsNeverAllowed() throws {
        func primitives(of arguments: String...) throws -> [Substring] {
            try output(
                of: BuiltPlugin.folder.appending(path: "kanto").path, arguments,
                environment: ["ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "ONEDNN_VERBOSE": "1"]
            ).split(whereSeparator: \.isNewline).filter { $0.hasPrefix("onednn_verbose,exec,cpu") }
        }
        // It fails if a sum of integers, some of them odd and above 256, is not exact.
        let matmuls = try primitives(of: "verify", "--backend", "onednn", "--op", "matmul")
        let geometry = "f32 n1 h8 w8 c16 k3x3 s1 p1 o16"
        let convolutions = try primitives(
            of: "bench", "conv2d_forward \(geometry)", "conv2d_input_gradient \(geometry)",
            "conv2d_weight_gradient \(geometry)")
        for (list, kind) in [
            (matmuls, ",matmul,"), (convolutions, ",forward_training,"), (convolutions, ",backward_data,"),
            (convolutions, ",backward_weights,"),
        ] {
            #expect(list.contains { $0.contains(kind) }, "nothing of \(kind) among \(list.prefix(3))")
            #expect(!list.contains { $0.contains("fpmath") })
        }
    }
}
#endif
