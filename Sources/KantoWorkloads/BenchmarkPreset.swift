import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoNN

/// A named list of problems that `kanto bench` measures, in float32.
public struct BenchmarkPreset: Sendable {
    /// How the command line names it.
    public let name: String
    /// What it stands for.
    public let summary: String
    /// In the order in which they are measured.
    public let problems: [Problem]

    /// All presets, a row each.
    public static let all: [BenchmarkPreset] = [
        BenchmarkPreset(
            name: "gemm", summary: "square products, and the products of a perceptron's three passes",
            problems: [256, 512, 1024].map { .matmul(m: $0, n: $0, k: $0) } + perceptron),
        BenchmarkPreset(
            name: "mnist", summary: "the critic's convolutions on 28x28 images, 150 of them",
            problems: passes(convolutions(of: .mnist))),
        BenchmarkPreset(
            name: "cifar", summary: "the critic's convolutions on 32x32 images, 192 of them",
            problems: passes(convolutions(of: .cifar))),
        BenchmarkPreset(
            name: "dcgan64", summary: "the critic's convolutions on 64x64 images, 192 of them",
            problems: passes(convolutions(of: .dcgan64))),
        BenchmarkPreset(
            name: "resnet", summary: "convolutions of a residual critic on 32x32 images, 192 of them", problems: passes(residual)),
        BenchmarkPreset(
            name: "convolutions", summary: "the eight layers on which backends are compared, three passes each",
            problems: passes(
                convolutions(of: .mnist) + convolutions(of: .cifar) + convolutions(of: .dcgan64).prefix(1) + residual.prefix(1))),
        BenchmarkPreset(name: "elementwise", summary: "what memory bounds, on the activations of a layer", problems: elementwise),
    ]

    /// The rows of a critic step's passes: real samples, generated ones, and the points of the penalty.
    private static func rowCount(of workload: Workload) -> Int { 3 * workload.batchSize }

    /// What a network of this file computes; a mistake in it is one of the program.
    private static func problems(of network: NetworkDescription, batchSize: Int) -> [Problem] {
        do throws(DescriptionError) { return try network.forwardProblems(batchSize: batchSize) } catch { fatalError("\(error)") }
    }

    /// The forward convolutions of a critic.
    private static func convolutions(of workload: Workload) -> [Problem] {
        problems(of: workload.networks.critic, batchSize: rowCount(of: workload)).filter { $0.op == .convolution2DForward }
    }

    /// Those of a residual critic that differ, at its three sizes.
    private static let residual = problems(
        of: NetworkDescription(
            input: [32, 32, 128],
            Conv2D.Description(128, kernel: 3, padding: .sides(1)), AveragePool(), Conv2D.Description(128, kernel: 1),
            AveragePool(),
            Conv2D.Description(128, kernel: 3, padding: .sides(1))), batchSize: 192)

    /// Forward, input gradient and weight gradient of convolutions.
    private static func passes(_ convolutions: [Problem]) -> [Problem] {
        convolutions.flatMap { forward in
            [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient].map {
                .convolution($0, .float32, Convolution2D(raw: forward.raw.convolution))
            }
        }
    }

    /// The three products of a hidden layer of `Workload.toy`, the first with what is computed in its kernel.
    private static let perceptron: [Problem] = {
        let (rows, width) = (rowCount(of: .toy), 512)
        return [
            .matmul(m: rows, n: width, k: width, bias: true, activation: .relu),
            .matmul(m: rows, n: width, k: width, transposeB: true), .matmul(m: width, n: width, k: rows, transposeA: true),
        ]
    }()

    private static let elementwise: [Problem] = {
        let (samples, positions, channels) = (192, 256, 128)
        let shape = [samples, positions, channels]
        let all = [samples * positions * channels]
        let dense = [positions * channels, channels, 1]
        return [
            .iteration(.unary, .copy, extents: all, output: [1], inputs: [[1]]),
            .iteration(.unary, .leakyReLU, extents: all, output: [1], inputs: [[1]], parameter: 0.2),
            .iteration(.unary, .tanh, extents: all, output: [1], inputs: [[1]]),
            .iteration(.unary, .exp, extents: all, output: [1], inputs: [[1]]),
            .iteration(.binary, .add, extents: all, output: [1], inputs: [[1], [1]]),
            .iteration(.binary, .leakyReLUGradient, extents: all, output: [1], inputs: [[1], [1]], parameter: 0.2),
            // A bias along the channels, the bias gradient, a sample's norm.
            .iteration(.binary, .add, extents: shape, output: dense, inputs: [dense, [0, 0, 1]]),
            .iteration(.reduce, .sum, extents: shape, output: [0, 0, 1], inputs: [dense]),
            .iteration(.reduce, .sumOfSquares, extents: shape, output: [1, 0, 0], inputs: [dense]),
            // Layer, instance and batch normalization.
            .iteration(.statistics, nil, extents: shape, output: [1, 0, 0], inputs: [dense]),
            .iteration(.statistics, nil, extents: shape, output: [channels, 0, 1], inputs: [dense]),
            .iteration(.statistics, nil, extents: shape, output: [0, 0, 1], inputs: [dense]),
            .iteration(
                .ternary, .normalize, extents: shape, output: dense, inputs: [dense, [1, 0, 0], [1, 0, 0]]),
            .iteration(
                .ternary, .multiplyAdd, extents: shape, output: dense, inputs: [dense, [0, 0, 1], [0, 0, 1]]),
            // To channels first.
            .iteration(
                .unary, .copy, extents: [samples, channels, positions], output: [positions * channels, positions, 1],
                inputs: [[positions * channels, 1, channels]]),
            .optimize(.adam, count: 4_000_000),
            .random(.normal, count: 1_000_000),
        ]
    }()
}
