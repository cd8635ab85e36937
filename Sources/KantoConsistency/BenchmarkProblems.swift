import KantoKernels

/// A named list of problems that `kanto bench` measures, in float32.
public struct BenchmarkPreset: Sendable {
    public let name: String
    /// What it stands for.
    public let summary: String
    public let problems: [Problem]

    public static let all: [BenchmarkPreset] = [
        BenchmarkPreset(
            name: "gemm", summary: "square products, and the products of a perceptron's three passes",
            problems: [256, 512, 1024].map { .matmul(m: $0, n: $0, k: $0) } + [
                .matmul(m: 768, n: 512, k: 512, bias: true, activation: .relu),
                .matmul(m: 768, n: 512, k: 512, transposeB: true),
                .matmul(m: 512, n: 512, k: 768, transposeA: true),
            ]),
        BenchmarkPreset(
            name: "mnist", summary: "the critic's convolutions on 28x28 images, 150 of them",
            problems: layers([(28, 1, 64), (14, 64, 128), (7, 128, 256)], batch: 150)),
        BenchmarkPreset(
            name: "cifar", summary: "the critic's convolutions on 32x32 images, 192 of them",
            problems: layers([(32, 3, 128), (16, 128, 256), (8, 256, 512)], batch: 192)),
        BenchmarkPreset(
            name: "dcgan64", summary: "the critic's convolutions on 64x64 images, 192 of them",
            problems: layers([(64, 3, 64), (32, 64, 128), (16, 128, 256), (8, 256, 512)], batch: 192)),
        BenchmarkPreset(
            name: "resnet", summary: "convolutions of a residual critic on 32x32 images, 192 of them",
            problems: triple(geometry(192, 32, 128, 128, kernel: 3, stride: 1, padding: 1))
                + triple(geometry(192, 8, 128, 128, kernel: 3, stride: 1, padding: 1))
                + triple(geometry(192, 16, 128, 128, kernel: 1, stride: 1, padding: 0))),
        BenchmarkPreset(
            name: "convolutions", summary: "the eight layers on which backends are compared, three passes each",
            problems: layers([(28, 1, 64), (14, 64, 128), (7, 128, 256)], batch: 150)
                + layers([(32, 3, 128), (16, 128, 256), (8, 256, 512), (64, 3, 64)], batch: 192)
                + triple(geometry(192, 32, 128, 128, kernel: 3, stride: 1, padding: 1))),
        BenchmarkPreset(name: "elementwise", summary: "what memory bounds, on the activations of a layer", problems: elementwise),
    ]

    private static func layers(_ layers: [(size: Int, channels: Int, outputs: Int)], batch: Int) -> [Problem] {
        layers.flatMap { triple(geometry(batch, $0.size, $0.channels, $0.outputs, kernel: 5, stride: 2, padding: 2)) }
    }

    private static func geometry(
        _ batch: Int, _ size: Int, _ channels: Int, _ outputs: Int, kernel: Int, stride: Int, padding: Int
    ) -> Convolution2D {
        Convolution2D(
            batch: batch, height: size, width: size, channels: channels, outputChannels: outputs, kernel: (kernel, kernel),
            stride: (stride, stride), padding: (padding, padding, padding, padding))
    }

    private static func triple(_ geometry: Convolution2D) -> [Problem] {
        [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient].map {
            .convolution($0, .float32, geometry)
        }
    }

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
