import ArgumentParser
import Kanto

struct CheckCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Hold a critic's scores, gradients and penalty against those that PyTorch computed.",
        discussion: """
            For whoever ports a critic from PyTorch: it says which quantity is the first to differ. Each file is a golden \
            file: safetensors, in PyTorch's layouts (images NCHW, convolution weights OIHW, linear weights [out, in]) and \
            under its parameter names, float64 or float32. It holds two batches (real, fake, epsilon), the critic's \
            parameters (critic.0.weight, …), and the results: scores.real, scores.fake, scores.interpolated, \
            input_gradient, gradient_norm, penalty, loss, the loss's gradients by double backward (grad.critic.0.weight, \
            …) and the parameters after some steps of Adam (adam.critic.0.weight, …).

            Its metadata are texts: layers, such as [["conv", 1, 8, 5, 2, 2], ["leaky_relu", 0.2], ["flatten"], \
            ["dense", 288, 1]] (conv: inputs, outputs, kernel, stride, padding, then dilation and groups if not 1; also \
            relu, tanh, sigmoid), regulariser (gp, lp, r1), lambda, learning_rate, betas, steps.

            An error is the largest difference relative to the largest magnitude of that quantity. The exit code is 1 if \
            one is over the tolerance or not a number. A float64 check that holds says that the port is right; a float32 \
            check says that the selected backend (KANTO_BACKEND) is.
            """)

    enum Precision: String, CaseIterable, ExpressibleByArgument {
        case float32, float64
    }

    @Argument(help: "Golden files.", completion: .file(extensions: ["safetensors"]))
    var files: [String]

    @Option(help: "What to compute in; float64 is served by the reference backend, whichever is selected.")
    var dtype = Precision.float32

    @Option(help: "The largest error allowed. (default: 1e-4 for float32, 1e-10 for float64)")
    var tolerance: Double?

    func validate() throws {
        guard let tolerance, !(tolerance >= 0) else { return }
        throw ValidationError("--tolerance is \(tolerance), expected a number from 0 up.")
    }

    func execute() throws {
        let type: ElementType = dtype == .float32 ? .float32 : .float64
        let tolerance = tolerance ?? (dtype == .float32 ? 1e-4 : 1e-10)
        let server = try Backend.selected.first { $0.offers(.matmul, type) }?.name ?? "none"
        var failed = false
        for (index, path) in files.enumerated() {
            if index > 0 { print("") }
            let check = try GoldenCheck(GoldenFile(contentsOf: path), elementType: type)
            print("\(path) (\(dtype.rawValue), \(server))")
            let over = check.quantities.filter { !($0.error <= tolerance) }
            let width = check.quantities.map(\.name.count).max() ?? 0
            for quantity in check.quantities {
                let name = quantity.name + String(repeating: " ", count: width - quantity.name.count)
                print("  \(name)  \(text(quantity.error))" + (quantity.error <= tolerance ? "" : "  over the tolerance"))
            }
            if over.isEmpty {
                print("holds: the largest error is \(text(check.largestError)), the tolerance \(text(tolerance))")
            } else {
                failed = true
                print(
                    "fails: \(over.count) of \(check.quantities.count) over the tolerance of \(text(tolerance)), "
                        + "first \(over[0].name)")
            }
        }
        if failed { throw ExitCode(1) }
    }

    /// A number with two significant digits, as in 3.1e-16.
    private func text(_ number: Double) -> String {
        guard number > 0, number.isFinite else { return "\(number)" }
        var exponent = 0
        var mantissa = number
        while mantissa >= 9.95 { mantissa /= 10; exponent += 1 }
        while mantissa < 0.995 { mantissa *= 10; exponent -= 1 }
        return "\((mantissa * 10).rounded() / 10)e\(exponent)"
    }
}
