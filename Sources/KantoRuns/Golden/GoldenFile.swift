import KantoData
import KantoGAN
import KantoNN
import KantoTensor

/// A critic with two batches, and the scores, gradients and penalty that PyTorch computed for them.
///
/// A safetensors file in PyTorch's own layouts (NCHW, OIHW, [out, in]) and under its parameter names. Arrays:
/// - `real`, `fake`, [n, features] or [n, channels, height, width]; `epsilon`, [n]: the interpolation's coefficients
/// - `critic.<layer>.weight`, `critic.<layer>.bias`, where layer is the position in the list of layers; in a branch of a
///   residual layer `critic.<layer>.main.<layer>.weight`
/// - `scores.real`, `scores.fake`, `scores.interpolated`, [n]; `input_gradient` at the penalty's points, and
///   `gradient_norm`, [n]
/// - `penalty`, without λ, and `loss`, scalars; `grad.critic.…`: the loss's gradients
/// - `adam.critic.…`: the parameters after `steps` steps of Adam on the same batches
///
/// Texts:
/// - `layers`, a JSON list of `["dense", inputs, outputs]`,
///   `["conv", inputs, outputs, kernel, stride, padding, dilation = 1, groups = 1]`, `["leaky_relu", slope]`, `["relu"]`,
///   `["elu"]`, `["gelu"]` (exact), `["silu"]`, `["tanh"]`, `["sigmoid"]`, `["softplus"]`, `["flatten"]` (in the order
///   channels, height, width), `["avg_pool", size]`, `["upsample", factor]` (nearest), `["layer_norm", shape of a sample]`
///   (weight and bias element by element), `["group_norm", groups, channels]`, `["instance_norm", channels]` and
///   `["residual", main, shortcut]`, two such lists whose results are added; the ε of a normalization is 1e-5
/// - `regulariser` (gp, lp or r1), `lambda`, `learning_rate`, `betas`, as in `[0.0, 0.9]`, and `steps`
public struct GoldenFile: Sendable {
    /// What messages call it: its path.
    public let name: String
    public let penaltyWeight: Double
    public let regularizer: any Regularizer
    public let learningRate: Double
    public let betas: (Double, Double)
    /// Of Adam.
    public let steps: Int
    let layers: [GoldenLayer]
    private let file: SafetensorsFile

    /// Reads a file and checks everything that it says: what is asked for later is there, of the right shape.
    ///
    /// - Throws: `DataError`.
    public init(contentsOf path: String) throws { try self.init(SafetensorsFile(contentsOf: path)) }

    init(_ file: SafetensorsFile) throws {
        self.file = file
        name = file.name
        let texts = Texts(file)
        regularizer = try texts.regularizer()
        penaltyWeight = try texts.number("lambda", in: 0...1e9)
        learningRate = try texts.number("learning_rate", in: 0...1e9)
        betas = try texts.betas()
        // Whole numbers of that size are exact in a Double.
        let steps = try texts.number("steps", in: 1...1000)
        guard let whole = Int(exactly: steps) else { throw texts.error("steps", "a whole number") }
        self.steps = whole
        layers = try texts.layers()
        try checkArrays()
    }

    /// An array of samples as float64 in Kanto's layout: [n, height, width, channels] if they are images.
    func samples(_ array: String) throws -> Tensor {
        let tensor = try constant(array)
        return tensor.rank == 4 ? try tensor.permuted([0, 2, 3, 1]) : tensor
    }

    /// Where the file's regularizer takes the input gradient.
    func points(real: Tensor, fake: Tensor, epsilon: Tensor) throws -> Tensor {
        regularizer is ZeroCenteredPenalty ? real : try interpolate(real: real, fake: fake, epsilon: epsilon)
    }

    /// An array of a parameter's shape as float64 in Kanto's layout: [height, width, in, out], [in, out], or
    /// [height, width, channels] for each element of a sample.
    func parameter(_ array: String) throws -> Tensor {
        let tensor = try constant(array)
        switch tensor.rank {
        case 4: return try tensor.permuted([2, 3, 1, 0])
        case 3: return try tensor.permuted([1, 2, 0])
        case 2: return try tensor.permuted([1, 0])
        default: return tensor
        }
    }

    /// An array as float64, as it stands in the file.
    func constant(_ array: String) throws -> Tensor {
        try Tensor(file.doubles(array), shape: file.entry(array).shape)
    }

    // MARK: - Checks

    /// How many elements all layers together may give, for each byte of the file and beside it: above that a file asks for
    /// memory, not for a check. A few bytes can state any padding, and any number of layers without parameters. A residual
    /// network on pictures of 256x256 gives about 100.
    private static let elementsPerByte = 256
    private static let freeElements = 1 << 20

    private func checkArrays() throws {
        let batch = try file.entry("real").shape
        guard batch.count == 2 || batch.count == 4, !batch.contains(0) else {
            throw DataError(
                .badInput,
                "\(name): real has shape \(batch), expected [n, features] or [n, channels, height, width], none of them 0")
        }
        let sample: [Int]
        var room = (Self.elementsPerByte * file.byteCount + Self.freeElements) / batch[0]
        do { sample = try layers.sampleShape(after: Array(batch[1...]), room: &room) } catch {
            throw DataError(.badInput, "\(name): \(error.reason)")
        }
        guard sample == [1] else {
            throw DataError(
                .badInput, "\(name): the critic's last layer gives samples of shape \(sample), expected one score: [1]")
        }

        var expected: [(array: String, shape: [Int])] = [
            ("real", batch), ("fake", batch), ("input_gradient", batch), ("penalty", []), ("loss", []),
        ]
        expected += ["epsilon", "scores.real", "scores.fake", "scores.interpolated", "gradient_norm"].map { ($0, [batch[0]]) }
        for parameter in layers.parameters {
            expected += ["critic", "grad.critic", "adam.critic"].map { ("\($0).\(parameter.path)", parameter.shape) }
        }
        for (array, shape) in expected {
            let found = try file.entry(array)
            guard found.shape == shape, [.float64, .float32].contains(found.dtype) else {
                throw DataError(
                    .badInput,
                    "\(name): \(array) has shape \(found.shape) and type \(found.typeName), "
                        + "expected \(shape) and F64 or F32")
            }
        }
        let known = Set(expected.map(\.array))
        if let unknown = file.names.first(where: { !known.contains($0) }) {
            throw DataError(
                .badInput,
                "\(name): holds an array \(unknown), which a golden file of these \(layers.count) layers does not have")
        }
    }
}

/// The texts beside the arrays, each read with an error that names it.
private struct Texts {
    private let file: SafetensorsFile

    init(_ file: SafetensorsFile) { self.file = file }

    func error(_ key: String, _ expected: String) -> DataError {
        let found = file.metadata[key].map { "is '\($0.prefix(80))\($0.count > 80 ? "…" : "")'" } ?? "is missing"
        return DataError(.badInput, "\(file.name): metadata: \(key) \(found), expected \(expected)")
    }

    func number(_ key: String, in range: ClosedRange<Double>) throws -> Double {
        guard let number = file.metadata[key].flatMap(Double.init), range.contains(number) else {
            throw error(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func betas() throws -> (Double, Double) {
        let betas = json("betas")?.list?.map(\.number) ?? []
        guard betas.count == 2, let first = betas[0], let second = betas[1], (0..<1).contains(first), (0..<1).contains(second)
        else { throw error("betas", "two numbers from 0 up to, not including, 1: [0.0, 0.9]") }
        return (first, second)
    }

    func regularizer() throws -> any Regularizer {
        switch file.metadata["regulariser"] {
        case "gp": TwoSidedPenalty()
        case "lp": OneSidedPenalty()
        case "r1": ZeroCenteredPenalty(.real)
        default: throw error("regulariser", "gp (two-sided), lp (one-sided) or r1")
        }
    }

    func layers() throws -> [GoldenLayer] {
        guard let values = json("layers")?.list, !values.isEmpty else {
            throw error("layers", #"a JSON list of layers, such as [["dense", 2, 1]]"#)
        }
        return try values.enumerated().map { index, value in
            do { return try GoldenLayer(value) } catch let mismatch as Mismatch {
                throw DataError(.badInput, "\(file.name): layer \(index): \(mismatch.reason)")
            }
        }
    }

    private func json(_ key: String) -> JSONValue? {
        file.metadata[key].flatMap { try? JSONValue(parsing: Array($0.utf8)) }
    }
}
