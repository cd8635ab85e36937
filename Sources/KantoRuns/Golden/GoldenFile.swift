import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
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
///   `["conv", inputs, channels, kernel, stride, padding, dilation = 1, groups = 1]`, `["leaky_relu", slope]`, `["relu"]`,
///   `["elu"]`, `["gelu"]` (exact), `["silu"]`, `["tanh"]`, `["sigmoid"]`, `["softplus"]`, `["flatten"]` (in the order
///   channels, height, width), `["avg_pool", size]`, `["upsample", factor]` (nearest), `["layer_norm", shape of a sample]`
///   (weight and bias element by element), `["group_norm", groups, inputs]`, `["instance_norm", inputs]` and
///   `["residual", main, shortcut]`, two such lists whose results are added; the ε of a normalization is 1e-5
/// - `regulariser` (gp, lp or r1), `lambda`, `learning_rate`, `betas`, as in `[0.0, 0.9]`, and `steps`
public struct GoldenFile: Sendable {
    /// What messages call it: its path.
    public let name: String
    /// The critic, in Kanto's layout: samples are [features] or [height, width, channels].
    public let critic: NetworkDescription
    /// λ.
    public let penaltyWeight: Double
    /// Two-sided, one-sided or R1.
    public let regularizer: any Regularizer
    /// Of Adam.
    public let learningRate: Double
    /// Of Adam.
    public let betas: (Double, Double)
    /// Of Adam.
    public let steps: Int
    private let file: SafetensorsFile

    /// Reads a file and checks everything that it says: what is asked for later is there, of the right shape.
    ///
    /// - Throws: `DataError`, which names the file, what is wrong there and what was expected; `KernelError.memory` if the system
    ///   refuses as much memory as the file holds.
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
        let batch = try Self.batchShape(file)
        let room = (Self.elementsPerByte * file.byteCount + Self.freeElements) / batch[0]
        critic = try texts.critic(input: Self.sample(of: batch), room: room)
        try checkArrays(batch: batch)
    }

    /// The critic with the file's parameters.
    func makeCritic(_ type: ElementType) throws -> Sequential {
        var random = Random(seed: 0)
        let network = try critic.makeNetwork(using: &random)
        for (path, parameter) in network.namedParameters {
            parameter.value = try self.parameter("critic.\(path)").converted(to: type)
        }
        return network
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

    private static func batchShape(_ file: SafetensorsFile) throws(DataError) -> [Int] {
        let batch = try file.entry("real").shape
        guard batch.count == 2 || batch.count == 4, !batch.contains(0) else {
            throw DataError(
                .badInput,
                "\(file.name): real has shape \(batch), expected [n, features] or [n, channels, height, width], none of them 0")
        }
        return batch
    }

    /// A sample's shape as Kanto has it.
    private static func sample(of batch: [Int]) -> [Int] { Array(batch[2...]) + [batch[1]] }

    /// A parameter's shape as PyTorch has it, see `parameter(_:)`.
    private static func fileShape(of parameter: [Int]) -> [Int] {
        switch parameter.count {
        case 4: [parameter[3], parameter[2], parameter[0], parameter[1]]
        case 3: [parameter[2], parameter[0], parameter[1]]
        default: parameter.reversed()
        }
    }

    private func checkArrays(batch: [Int]) throws {
        var expected: [(array: String, shape: [Int])] = [
            ("real", batch), ("fake", batch), ("input_gradient", batch), ("penalty", []), ("loss", []),
        ]
        expected += ["epsilon", "scores.real", "scores.fake", "scores.interpolated", "gradient_norm"].map { ($0, [batch[0]]) }
        for parameter in try critic.parameterShapes() {
            let shape = Self.fileShape(of: parameter.shape)
            expected += ["critic", "grad.critic", "adam.critic"].map { ("\($0).\(parameter.path)", shape) }
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
                "\(name): holds an array \(unknown), which a golden file of these \(critic.layers.count) layers does not have")
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
        let betas = json("betas").flatMap { try? [Double]($0) } ?? []
        guard betas.count == 2, betas.allSatisfy((0..<1).contains) else {
            throw error("betas", "two numbers from 0 up to, not including, 1: [0.0, 0.9]")
        }
        return (betas[0], betas[1])
    }

    func regularizer() throws -> any Regularizer {
        switch file.metadata["regulariser"] {
        case "gp": TwoSidedPenalty()
        case "lp": OneSidedPenalty()
        case "r1": ZeroCenteredPenalty(.real)
        default: throw error("regulariser", "gp (two-sided), lp (one-sided) or r1")
        }
    }

    /// - Parameters:
    ///   - input: the shape of a sample.
    ///   - room: how many elements all layers together may give for a sample.
    func critic(input: [Int], room: Int) throws -> NetworkDescription {
        guard case .list(let list)? = json("layers"), !list.isEmpty else {
            throw error("layers", #"a JSON list of layers, such as [["dense", 2, 1]]"#)
        }
        let read: GoldenLayers
        do throws(DescriptionError) { read = try GoldenLayers(list, input: input, room: room) } catch {
            throw DataError(.badInput, "\(file.name): metadata: layers.\(error)")
        }
        guard read.output == [1] else {
            throw DataError(
                .badInput, "\(file.name): metadata: layers give samples of shape \(read.output), expected one score a sample: [1]"
            )
        }
        return NetworkDescription(input: input, layers: read.layers)
    }

    private func json(_ key: String) -> DescriptionValue? {
        file.metadata[key].flatMap { try? DescriptionValue(json: Array($0.utf8)) }
    }
}

extension Tensor {
    func converted(to type: ElementType) throws -> Tensor {
        type == elementType ? self : try Tensor(floats, shape: shape)
    }
}
