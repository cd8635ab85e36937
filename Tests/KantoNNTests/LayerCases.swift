import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// A layer with an input of a fixed shape; odd sizes.
struct LayerCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shape: [Int]
    /// Whole numbers below this, rather than normal ones.
    var rows: Int?
    let make: @Sendable (inout Random) throws -> any Layer

    init(
        _ name: String, _ shape: Int..., rows: Int? = nil, make: @escaping @Sendable (inout Random) throws -> any Layer
    ) {
        (testDescription, self.shape, self.rows, self.make) = (name, shape, rows, make)
    }

    /// The layer at float64, each parameter moved off its first value.
    func layer() throws -> any Layer {
        var random = Random(seed: 3)
        let layer = try make(&random)
        for parameter in layer.parameters {
            let values = try Tensor(parameter.value.doubles, shape: parameter.shape)
            parameter.value = try values + random.normal(parameter.shape, elementType: .float64) * 0.3
        }
        for (_, state) in layer.namedState { state.value = try Tensor(state.value.doubles, shape: state.shape) }
        return layer
    }

    /// The layer as it is made, at float32.
    func layerOfFloats() throws -> any Layer {
        var random = Random(seed: 3)
        return try make(&random)
    }

    func input() throws -> Tensor {
        var random = Random(seed: 4)
        guard let rows else { return try random.normal(shape, elementType: .float64) }
        return try Tensor((0..<shape[0]).map { Double($0 * 2 % rows) }, shape: shape)
    }

    static let all: [LayerCase] = [
        LayerCase("dense", 3, 5) { try Dense(5, 4, using: &$0) },
        LayerCase("convolution", 2, 5, 6, 3) { try Conv2D(3, 4, kernel: 3, stride: 2, padding: 1, using: &$0) },
        LayerCase("convolution, dilated, in groups, padded to one side", 2, 7, 6, 4) {
            try Conv2D(
                4, 6, kernel: 3, stride: 2, padding: .init(top: 1, left: 0, bottom: 2, right: 1), dilation: 2, groups: 2, using: &$0)
        },
        LayerCase("transposed convolution", 2, 3, 2, 4) {
            try ConvTranspose2D(4, 3, kernel: 5, stride: 2, padding: 2, outputPadding: 1, using: &$0)
        },
        LayerCase("transposed convolution, dilated, in groups", 1, 3, 4, 4) {
            try ConvTranspose2D(4, 2, kernel: 2, stride: 3, padding: 1, outputPadding: 2, dilation: 2, groups: 2, using: &$0)
        },
        LayerCase("transposed convolution, dilated, output padding of the stride", 2, 2, 3, 2) {
            try ConvTranspose2D(2, 3, kernel: 3, padding: 1, outputPadding: 1, dilation: 2, using: &$0)
        },
        LayerCase("upsample", 2, 3, 1, 3) { _ in Sequential(Upsample(2), Tanh()) },
        LayerCase("average pool", 2, 5, 4, 3) { _ in Sequential(AveragePool(2), Tanh()) },
        LayerCase("global average pool", 2, 5, 3, 3) { _ in Sequential(GlobalAveragePool(), Tanh()) },
        LayerCase("layer norm, element by element", 3, 3, 2, 3) { _ in try LayerNorm(shape: [3, 2, 3]) },
        LayerCase("layer norm, per channel", 3, 3, 2, 3) { _ in try LayerNorm(channels: 3) },
        LayerCase("layer norm of rows", 3, 5) { _ in try LayerNorm(channels: 5) },
        LayerCase("group norm", 3, 3, 2, 6) { _ in try GroupNorm(groups: 3, channels: 6) },
        LayerCase("group norm of rows", 3, 6) { _ in try GroupNorm(groups: 2, channels: 6) },
        LayerCase("instance norm", 3, 3, 2, 3) { _ in try InstanceNorm(3) },
        LayerCase("PReLU", 3, 3, 2, 3) { _ in try PReLU(3) },
        LayerCase("batch norm", 3, 3, 2, 3) { _ in try BatchNorm(3) },
        LayerCase("batch norm by running statistics", 3, 5) { _ in try BatchNorm(5, statistics: .running()) },
        LayerCase("pixel norm", 3, 2, 1, 5) { _ in PixelNorm() },
        LayerCase("spectral norm of a convolution", 2, 4, 3, 2) { random in
            try SpectralNorm(Conv2D(2, 3, kernel: 3, padding: 1, using: &random), using: &random)
        },
        LayerCase("spectral norm", 3, 5) { random in try SpectralNorm(Dense(5, 4, using: &random), using: &random) },
        LayerCase("dropout", 5, 7) { _ in Sequential(try Dropout(0.4), Tanh()) },
        LayerCase("embedding", 5, rows: 4) { random in Sequential(try Embedding(count: 4, size: 3, using: &random), Tanh()) },
        LayerCase("reshape and flatten", 2, 3, 4, 2) { _ in
            Sequential(Flatten(isChannelsFirst: true), Reshape(2, 3, 4), Flatten(), Tanh())
        },
        LayerCase("residual", 2, 5, 5, 2) { random in
            Residual(
                main: Sequential(
                    try Conv2D(2, 3, kernel: 3, padding: 1, using: &random), Tanh(),
                    try Conv2D(3, 2, kernel: 3, padding: 1, using: &random)))
        },
        LayerCase("residual with a shortcut", 2, 4, 4, 2) { random in
            Residual(
                main: Sequential(
                    SiLU(), try Conv2D(2, 3, kernel: 3, padding: 1, using: &random), try LayerNorm(channels: 3), AveragePool(2)),
                shortcut: Sequential(AveragePool(2), try Conv2D(2, 3, kernel: 1, using: &random)))
        },
        LayerCase("in a precision", 3, 5) { random in
            InPrecision(.bfloat16, try Dense(5, 4, using: &random), Tanh(), try Dense(4, 3, using: &random))
        },
        LayerCase("classes concatenated", 3, 4, 4, 2) { random in
            OfClasses(
                ClassConcatenation(Sequential(try Conv2D(5, 3, kernel: 3, padding: 1, using: &random), Tanh()), classCount: 3))
        },
        LayerCase("class projection", 3, 5) { random in
            OfClasses(
                try ClassProjection(
                    features: Sequential(Dense(5, 4, using: &random), Tanh()), output: Dense(4, 1, using: &random),
                    embedding: random.normal([3, 4])))
        },
    ] + activations

    static let activations: [LayerCase] = ([
        ReLU(), LeakyReLU(0.1), ELU(alpha: 0.7), SmoothELU(), SELU(), GELU(), SiLU(), Tanh(), Sigmoid(), Softplus(),
    ] as [any Layer]).flatMap { activation in
        [
            LayerCase("\(type(of: activation))", 3, 5) { _ in activation },
            LayerCase("dense and \(type(of: activation))", 3, 5) { Sequential(try Dense(5, 4, using: &$0), activation) },
        ]
    }
}

/// A layer that is told the same classes each time.
private struct OfClasses: Layer {
    let layer: any ConditionalLayer

    init(_ layer: any ConditionalLayer) { self.layer = layer }

    var children: [(name: String, layer: any Layer)] { [("layer", layer)] }

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        let labels = (0..<input.shape[0]).map { ($0 + 1) % layer.classCount }
        return try layer(input, classes: .oneHot(labels, count: layer.classCount, elementType: input.elementType))
    }
}
