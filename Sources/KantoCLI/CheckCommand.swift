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
            ["dense", 288, 1]] (conv: inputs, channels, kernel, stride, padding, then dilation and groups if not 1; also \
            relu, elu, gelu, silu, tanh, sigmoid, softplus, avg_pool, upsample, layer_norm, group_norm, instance_norm, \
            residual), regulariser (gp, lp, r1), lambda, learning_rate, betas, steps.

            An error is the largest difference relative to the largest magnitude of that quantity; of a gradient, to no \
            less than 1/128 of the terms that cancel in it. The exit code is 1 if \
            one is over the tolerance or not a number. A float64 check that holds says that the port is right; a float32 \
            check says that the selected backend (KANTO_BACKEND) is.
            """)

    enum Computed: String, CaseIterable, ExpressibleByArgument {
        case float32, float64
    }

    @Argument(help: "Golden files.", completion: .file(extensions: ["safetensors"]))
    var files: [String]

    @Option(help: "What to compute in; float64 is served by the reference backend, whichever is selected.")
    var dtype = Computed.float32

    @OptionGroup var precision: PrecisionOption

    @Option(
        help: """
            The largest error allowed. (default: 1e-4 for float32, 1e-10 for float64; 1e-3 with the precision relaxed, 0.2 with \
            bfloat16)
            """)
    var tolerance: Double?

    @OptionGroup var criticStep: CriticStepOption

    @Flag(help: "Print one line of JSON a file instead of a table.")
    var json = false

    func validate() throws {
        guard let tolerance, !(tolerance >= 0) else { return }
        throw ValidationError("--tolerance is \(tolerance), expected a number from 0 up.")
    }

    func execute() throws { try precision.run { try check() } }

    private func check() throws {
        let type: ElementType = dtype == .float32 ? .float32 : .float64
        let standard = try dtype == .float32 ? Self.tolerance(at: Kernels.precision()) : 1e-10
        let backend = try Backend.selected.first { $0.offers(.matmul, type) }?.name ?? "none"
        var failed = false
        for (index, path) in files.enumerated() {
            let file = try GoldenFile(contentsOf: path)
            let check: GoldenCheck
            do {
                check = try GoldenCheck(file, elementType: type, criticStep: criticStep.methodOrAutomatic)
            } catch {
                // Of several files the one that does not fit.
                let (message, code) = Failure.line(for: error)
                throw Failure(message: "\(path): \(message)", code: code)
            }
            let report = Report(
                file: path, dtype: dtype.rawValue, backend: backend, criticStep: check.method.rawValue,
                tolerance: tolerance ?? standard,
                quantities: check.quantities.map { Report.Quantity(name: $0.name, error: $0.error, skipped: $0.skippedCount) })
            if json {
                print(try jsonText(report))
            } else {
                print((index > 0 ? "\n" : "") + table(report, largestError: check.largestError))
            }
            failed = failed || !report.holds
        }
        if failed { throw ExitCode(1) }
    }

    private static func tolerance(at precision: Precision) -> Double {
        switch precision {
        case .float32: 1e-4
        case .relaxed: 1e-3
        // What moves over the kink of an activation moves whole gradients.
        case .bfloat16: 0.2
        }
    }

    private func table(_ report: Report, largestError: Double) -> String {
        let width = report.quantities.map(\.name.count).max() ?? 0
        var lines = ["\(report.file) (\(report.dtype), \(report.backend), \(report.criticStep))"]
        for quantity in report.quantities {
            let name = quantity.name + String(repeating: " ", count: width - quantity.name.count)
            lines.append(
                "  \(name)  \(text(quantity.error))" + (report.isHeld(quantity) ? "" : "  over the tolerance")
                    + (quantity.skipped > 0 ? "  (\(quantity.skipped) not compared: their gradient is rounding)" : ""))
        }
        let over = report.quantities.filter { !report.isHeld($0) }
        let tolerance = text(report.tolerance)
        if let first = over.first {
            lines.append(
                "fails: \(over.count) of \(report.quantities.count) over the tolerance of \(tolerance), first \(first.name)")
        } else {
            lines.append("holds: the largest error is \(text(largestError)), the tolerance \(tolerance)")
        }
        return lines.joined(separator: "\n")
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

/// What `kanto check` found for one file.
private struct Report: Encodable {
    struct Quantity: Encodable { let name: String, error: Double, skipped: Int }

    let file: String
    let dtype: String
    let backend: String
    let criticStep: String
    let tolerance: Double
    let holds: Bool
    let quantities: [Quantity]

    enum CodingKeys: String, CodingKey {
        case file, dtype, backend, tolerance, holds, quantities
        case criticStep = "critic_step"
    }

    init(file: String, dtype: String, backend: String, criticStep: String, tolerance: Double, quantities: [Quantity]) {
        (self.file, self.dtype, self.backend, self.criticStep, self.tolerance) = (file, dtype, backend, criticStep, tolerance)
        self.quantities = quantities
        holds = quantities.allSatisfy { $0.error <= tolerance }
    }

    /// NaN is not held.
    func isHeld(_ quantity: Quantity) -> Bool { quantity.error <= tolerance }
}
