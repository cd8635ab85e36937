import KantoKernels
import KantoNN
import KantoTensor
import Testing

struct LayerTests {
    private func normal(_ shape: Int..., seed: UInt64 = 1) throws -> Tensor {
        var random = Random(seed: seed)
        return try random.normal(shape, elementType: .float64)
    }

    private func expectClose(_ a: Tensor, _ b: Tensor, _ tolerance: Double = 1e-12, _ comment: Comment? = nil) {
        #expect(a.shape == b.shape, comment)
        #expect(zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= tolerance }, comment)
    }

    // MARK: - Normalization

    @Test func normalizationsAgreeWhereTheyAreTheSame() throws {
        let x = try normal(3, 4, 2, 6)
        func affine(_ seed: UInt64) throws -> (Tensor, Tensor) { (try normal(6, seed: seed), try normal(6, seed: seed + 1)) }
        let (weight, bias) = try affine(2)
        expectClose(
            try LayerNorm(weight: weight, bias: bias)(x), try GroupNorm(groups: 1, weight: weight, bias: bias)(x))
        expectClose(
            try InstanceNorm(weight: weight, bias: bias)(x), try GroupNorm(groups: 6, weight: weight, bias: bias)(x))
        let repeated = try LayerNorm(weight: weight.broadcast(to: [4, 2, 6]), bias: bias.broadcast(to: [4, 2, 6]))
        expectClose(try LayerNorm(weight: weight, bias: bias)(x), try repeated(x))
    }

    @Test func batchNormNormalizesByTheBatchOrByRunningStatistics() throws {
        let layer = try BatchNorm(3, statistics: .running(momentum: 0.25))
        for (_, parameter) in layer.namedParameters + layer.namedState {
            parameter.value = try Tensor(parameter.value.doubles, shape: [3])
        }
        let x = try normal(5, 2, 2, 3) * 2 + 1
        // Untrained, its statistics are 0 and 1.
        expectClose(try layer(x), try x / (1 + 1e-5).squareRoot())
        #expect(layer.runningMean.value.doubles == [0, 0, 0])

        let trained = try withTraining(random: Random(seed: 1)) { try layer(x) }
        expectClose(try trained.mean(axes: [0, 1, 2]), try Tensor.zeros([3]))
        let (mean, variance) = try x.statistics(axes: [0, 1, 2])
        expectClose(layer.runningMean.value, try mean.reshaped([3]) * 0.25)
        expectClose(layer.runningVariance.value, try variance.reshaped([3]) * (0.25 * 20 / 19) + 0.75)

        let always = try BatchNorm(3)
        for parameter in always.parameters { parameter.value = try Tensor(parameter.value.doubles, shape: [3]) }
        expectClose(try always(x), trained)
        #expect(always.namedState.isEmpty)
        #expect(layer.namedState.map(\.path) == ["runningMean", "runningVariance"])
    }

    @Test func onlyBatchNormMixesSamples() throws {
        for test in LayerCase.all {
            let layer = try test.layer()
            #expect(layer.mixesSamples == (layer is BatchNorm), "\(test)")
        }
        let inside = Residual(main: Sequential(Tanh()), shortcut: Sequential(Sequential(try BatchNorm(2))))
        #expect(inside.mixesSamples && Sequential(Tanh(), inside).mixesSamples)
        #expect(Residual(main: Sequential(try BatchNorm(2))).mixesSamples)
    }

    /// A sample's result is the same whichever batch it is in, unless the layer says otherwise.
    @Test(arguments: LayerCase.all) func samplesAreIndependent(_ test: LayerCase) throws {
        let layer = try test.layer(), x = try test.input()
        let together = try layer(x).sliced(0..<1)
        guard layer.mixesSamples else { return expectClose(together, try layer(x.sliced(0..<1)), 1e-14, "\(test)") }
        guard let layer = layer as? BatchNorm, layer.statistics == .batch else { return }
        #expect(try together.doubles != layer(x.sliced(0..<1)).doubles)
    }

    @Test(arguments: LayerCase.all) func emptyBatchesGiveEmptyResults(_ test: LayerCase) throws {
        let layer = try test.layer(), x = try test.input().sliced(0..<0)
        if layer.mixesSamples {
            guard case .batch? = (layer as? BatchNorm)?.statistics else { return }
            let error = #expect(throws: TensorError.self) { try layer(x) }
            #expect(error?.description.contains("has no elements along the axes") == true)
        } else {
            let result = try layer(x)
            #expect(result.shape == [0] + (try layer(test.input()).shape.dropFirst()))
            let slopes = try gradients(of: layer(x.tracked()) * 1, withRespectTo: layer.parameters.map(\.value))
            #expect(slopes.allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
        }
    }

    @Test func pixelNormHasMeanSquareOne() throws {
        let squares = try PixelNorm()(normal(2, 3, 3, 4)).square().mean(axes: [3])
        expectClose(squares, try Tensor(repeating: 1, shape: [2, 3, 3]), 1e-6)
        #expect(try PixelNorm()(Tensor.zeros([1, 3])).floats == [0, 0, 0])
    }

    @Test func spectralNormDividesByTheLargestSingularValue() throws {
        var random = Random(seed: 2)
        let rotation = try Tensor([0.6, 0.8, -0.8, 0.6] as [Double], shape: [2, 2])
        let weight = try rotation.matmul(Tensor([5.0, 0, 0, 2] as [Double], shape: [2, 2]))
        let layer = try SpectralNorm(
            Dense(weight: weight, bias: Tensor.zeros([2], elementType: .float64)), iterations: 3, using: &random)
        let x = try normal(4, 2), expected = try x.matmul(weight / 5)
        expectClose(try layer(x), expected, 1e-9)

        layer.layer.weight.value = try Tensor([1.0, 0, 0, 3] as [Double], shape: [2, 2])
        let before = layer.left.value.doubles
        _ = try layer(x)
        #expect(layer.left.value.doubles == before)
        for _ in 0..<10 { _ = try withTraining(random: random) { try layer(x) } }
        expectClose(try layer(x), try x.matmul(layer.layer.weight.value / 3), 1e-9)
        #expect(layer.namedState.map(\.path) == ["left", "right"])

        layer.layer.weight.value = try Tensor.zeros([2, 2], elementType: .float64)
        #expect(try withTraining(random: random) { try layer(x) }.doubles.allSatisfy { $0 == 0 })
    }

    /// The vectors that a training pass arrived at are constants of its gradients.
    @Test func spectralNormDifferentiatesBehindItsIteration() throws {
        var random = Random(seed: 2)
        let layer = try SpectralNorm(Dense(7, 5, using: &random), using: &random)
        for parameter in layer.parameters + layer.namedState.map(\.state) {
            parameter.value = try Tensor(parameter.value.doubles, shape: parameter.shape)
        }
        layer.layer.weight.value = try layer.layer.weight.value + normal(7, 5, seed: 3)
        let x = try normal(4, 7)
        func slopes() throws -> [Tensor] { try gradients(of: layer(x).square(), withRespectTo: layer.parameters.map(\.value)) }
        let before = layer.right.value.doubles
        let training = try withTraining(random: random) { try slopes() }
        #expect(layer.right.value.doubles != before)
        for (found, expected) in zip(training, try slopes()) { expectClose(found, expected) }
    }

    // MARK: - Dropout

    @Test func dropoutKeepsTheMeanAndRepeats() throws {
        let ones = try Tensor(repeating: 1, shape: [100, 100]), layer = try Dropout(0.25)
        #expect(try layer(ones).floats == ones.floats)
        func drawn(_ seed: UInt64) throws -> [Float] { try withTraining(random: Random(seed: seed)) { try layer(ones).floats } }
        let first = try drawn(1)
        #expect(Set(first) == [0, Float(1 / 0.75)])
        // Ten deviations of the mean of 10,000 draws.
        #expect(abs(first.reduce(0, +) / 10_000 - 1) < 0.06)
        #expect(try drawn(1) == first)
        #expect(try drawn(2) != first)
        let passes = try withTraining(random: Random(seed: 1)) { (try layer(ones).floats, try layer(ones).floats) }
        #expect(passes.0 == first && passes.1 != first)
    }

    /// The mask that the scores saw is that of their gradient, on the kernel thread and off it.
    @Test func dropoutHasOneMaskAPass() throws {
        var random = Random(seed: 1)
        let critic = Sequential(try Dropout(0.5), try Dense(8, 1, using: &random))
        try withTraining(random: Random(seed: 4)) {
            let x = try random.normal([5, 8]).tracked()
            let scores = try critic(x)
            let slope = try gradient(of: scores, withRespectTo: x)
            // The critic is linear without a constant, so that the score is the slope times the input.
            expectClose(try (slope * x).sum(axes: [1], keepsAxes: true), scores, 1e-5)
        }
    }

    // MARK: - Paths and parameters

    @Test func pathsArePositions() throws {
        var random = Random(seed: 1)
        let layer = Sequential(
            try Dense(2, 3, using: &random), ReLU(),
            Residual(
                main: Sequential(ReLU(), try Dense(3, 3, using: &random), try BatchNorm(3, statistics: .running())),
                shortcut: Sequential(try SpectralNorm(Dense(3, 3, using: &random), using: &random))))
        #expect(
            layer.namedParameters.map(\.path) == [
                "0.weight", "0.bias", "2.main.1.weight", "2.main.1.bias", "2.main.2.weight", "2.main.2.bias", "2.shortcut.0.weight",
                "2.shortcut.0.bias",
            ])
        #expect(
            layer.namedState.map(\.path) == [
                "2.main.2.runningMean", "2.main.2.runningVariance", "2.shortcut.0.left",
                "2.shortcut.0.right",
            ])
        #expect(layer.parameterCount == 9 + 12 + 6 + 12)
        #expect(layer.parameters.allSatisfy(\.value.isTracked) && layer.namedState.allSatisfy { !$0.state.value.isTracked })
    }

    // MARK: - Values

    @Test(arguments: [
        // torch 2.15 in float64.
        ("GELU", [-0.04550026389635842, -0.15426876936299344, 0, 1.399789198096713]),
        ("ELU", [-0.8646647167633873, -0.3934693402873666, 0, 1.5]),
        ("SELU", [-1.5201664685956948, -0.6917581878028713, 0, 1.5760514810332207]),
        ("SiLU", [-0.2384058440442351, -0.1887703343990727, 0, 1.2263617142904655]),
        ("Softplus", [0.1269280110429725, 0.4740769841801067, 0.6931471805599453, 1.7014132779827524]),
    ]) func activationValues(name: String, expected: [Double]) throws {
        let layers: [any Layer] = [GELU(), ELU(), SELU(), SiLU(), Softplus()]
        let layer = try #require(layers.first { "\(type(of: $0))" == name })
        let x = try Tensor([-2.0, -0.5, 0, 1.5] as [Double], shape: [4])
        expectClose(try layer(x), try Tensor(expected, shape: [4]), 1e-14)
        let extremes = try layer(Tensor([-1000.0, 1000] as [Double], shape: [2])).doubles
        #expect(extremes.allSatisfy { $0.isFinite })
    }

    @Test func derivativeAtZeroIsThatOfTheNegativeSide() throws {
        let expected: [(any Layer, Double)] = [(ELU(alpha: 0.7), 0.7), (ELU(), 1), (ReLU(), 0), (LeakyReLU(0.3), 0.3)]
        for (layer, slope) in expected {
            let x = try Tensor([0.0] as [Double], shape: [1]).tracked()
            #expect(try gradient(of: layer(x), withRespectTo: x).item() == slope, "\(layer)")
        }
    }

    @Test(arguments: [
        (Initializer.glorot, 2.0 / 700), (.he, 2.0 / 300), (.heOfMeanFan, 4.0 / 700), (.normal(deviation: 0.02), 0.0004),
    ]) func initializersHaveTheirVariance(initializer: Initializer, variance: Double) throws {
        var random = Random(seed: 1)
        let weights = try Dense(300, 400, initializer: initializer, using: &random).weight.value
        let (mean, found) = try weights.statistics(axes: [0, 1])
        #expect(abs(try mean.item()) < 0.02 * variance.squareRoot())
        #expect(abs(try found.item() / variance - 1) < 0.02)
        guard case .normal = initializer else {
            return #expect(try weights.absolute().maximum() <= (3 * variance).squareRoot() * 1.0001)
        }
    }

    @Test func stridesDivideFans() throws {
        var random = Random(seed: 1)
        func limit(_ layer: any WeightedLayer) throws -> Double { try layer.weight.value.absolute().maximum() }
        // 5x5 taps: 50 in, 25 · 16 / 4 out.
        let down = try limit(Conv2D(2, 16, kernel: 5, stride: 2, using: &random))
        #expect(abs(down / (3 * 4.0 / 150).squareRoot() - 1) < 0.02)
        let up = try ConvTranspose2D(16, 2, kernel: 5, stride: 2, using: &random).weight.value.absolute().maximum()
        #expect(abs(up / (3 * 4.0 / 150).squareRoot() - 1) < 0.02)
    }

    // MARK: - Errors

    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: String
        let body: @Sendable () throws -> Void

        init(_ name: String, says message: String, _ body: @escaping @Sendable () throws -> Void) {
            (testDescription, self.message, self.body) = (name, message, body)
        }
    }

    static let mistakes: [Mistake] = [
        Mistake("path", says: "layer 1 (Residual), main, layer 0 (Dense), matmul: inner dimensions differ: 3 of [2, 3], 4 of [4, 5]") {
            let dense = Dense(weight: try Tensor.zeros([4, 5]), bias: try Tensor.zeros([5]))
            _ = try Sequential(Tanh(), Residual(main: Sequential(dense)))(Tensor.zeros([2, 3]))
        },
        Mistake("residual", says: "residual: main gives [2, 5], the shortcut [2, 4]; both must have the same shape") {
            let dense = Dense(weight: try Tensor.zeros([4, 5]), bias: try Tensor.zeros([5]))
            _ = try Residual(main: Sequential(dense))(Tensor.zeros([2, 4]))
        },
        Mistake("kernel", says: "convolution: a kernel of 5 x 5 with dilation 1 does not fit an input of 3 x 9 with padding 0, 0, 0, 0") {
            var random = Random(seed: 1)
            _ = try Conv2D(1, 1, kernel: 5, using: &random)(Tensor.zeros([1, 3, 9, 1]))
        },
        Mistake("channels", says: "convolution: weights of shape [5, 5, 1, 1] do not fit an input of 2 channels in 1 groups") {
            var random = Random(seed: 1)
            _ = try Conv2D(1, 1, kernel: 5, using: &random)(Tensor.zeros([1, 9, 9, 2]))
        },
        Mistake("groups", says: "convolution: 2 groups do not divide both 3 inputs and 4 outputs") {
            var random = Random(seed: 1)
            _ = try Conv2D(3, 4, kernel: 1, groups: 2, using: &random)
        },
        Mistake("stride", says: "stride 0, dilation 1, groups 1; expected positive numbers") {
            var random = Random(seed: 1)
            _ = try Conv2D(3, 4, kernel: 1, stride: 0, using: &random)
        },
        Mistake("window", says: "convolution: stride 9223372036854775807, dilation 1, groups 1, expected numbers from 1 to 2^24") {
            var random = Random(seed: 1)
            _ = try Conv2D(3, 4, kernel: 1, stride: .max, using: &random)
        },
        Mistake("kernel", says: "convolution: a kernel of 4294967296 x 4294967296, expected extents of at most 2^24") {
            var random = Random(seed: 1)
            _ = try Conv2D(1, 1, kernel: 1 << 32, using: &random)
        },
        Mistake("transposed kernel", says: "transposed convolution: a kernel of 4294967296 x 4294967296, expected") {
            var random = Random(seed: 1)
            _ = try ConvTranspose2D(1, 1, kernel: 1 << 32, using: &random)
        },
        Mistake("dense", says: "random: a shape of [1099511627776, 1099511627776], expected extents") {
            var random = Random(seed: 1)
            _ = try Dense(1 << 40, 1 << 40, using: &random)
        },
        Mistake("rows", says: "transposed convolution: an input of shape [0, 1099511627776, 1, 1], expected [n, h, w, c] of at most") {
            _ = try ConvTranspose2D(weight: Tensor.zeros([1, 1, 1, 1]), bias: Tensor.zeros([1]), window: Window(stride: 1 << 24))(
                Tensor.zeros([0, 1 << 40, 1, 1]))
        },
        Mistake("decay", says: "moving average: a decay of 1.5, expected a number from 0 to 1") {
            _ = try ExponentialMovingAverage(of: [], decay: 1.5)
        },
        Mistake("output padding", says: "transposed convolution: an output padding of 2, expected 0 up to, not including,") {
            var random = Random(seed: 1)
            _ = try ConvTranspose2D(3, 4, kernel: 3, stride: 2, outputPadding: 2, using: &random)
        },
        Mistake("one element", says: "instance normalization: one element a statistic in an input of shape [4, 1, 1, 3]") {
            _ = try InstanceNorm(3)(Tensor.zeros([4, 1, 1, 3]))
        },
        Mistake("a batch of one", says: "batch normalization: one element a statistic in an input of shape [1, 3]") {
            _ = try BatchNorm(3)(Tensor.zeros([1, 3]))
        },
        Mistake("layer norm", says: "layer normalization: a weight of shape [3] for samples of [2, 4], expected that or [4]") {
            _ = try LayerNorm(channels: 3)(Tensor.zeros([5, 2, 4]))
        },
        Mistake("group norm", says: "group normalization: 6 channels do not divide into 4 groups") {
            _ = try GroupNorm(groups: 4, channels: 6)(Tensor.zeros([1, 6]))
        },
        Mistake("scalar", says: "batch normalization: an input of shape [] and a weight of [3], expected [n, …, c] and [c]") {
            _ = try BatchNorm(3)(Tensor.scalar(1))
        },
        Mistake("pool", says: "average pooling: windows of 4 x 4, the input is 3 x 9") {
            _ = try AveragePool(4)(Tensor.zeros([1, 3, 9, 1]))
        },
        Mistake("no image", says: "upsampling: an input of shape [1, 3] and a size of 2, expected [n, h, w, c]") {
            _ = try Upsample(2)(Tensor.zeros([1, 3]))
        },
        Mistake("row", says: "gather: there is no row 4; there are 4, from 0") {
            _ = try Embedding(weight: Tensor.zeros([4, 2]))([0, 4])
        },
        Mistake("half a row", says: "embedding: 0.5 is no row number") {
            _ = try Embedding(weight: Tensor.zeros([4, 2]))(Tensor([0.5], shape: [1]))
        },
        Mistake("rate", says: "dropout: a rate of 1.0, expected a number from 0 up to, not including, 1") { _ = try Dropout(1) },
        Mistake("momentum", says: "batch normalization: a momentum of -0.1, expected a number from 0 to 1") {
            _ = try BatchNorm(3, statistics: .running(momentum: -0.1))
        },
        Mistake("reshape", says: "layer 0 (Reshape), reshape: [2, 4] has 8 elements, [2, 3] does not") {
            _ = try Sequential(Reshape(3))(Tensor.zeros([2, 4]))
        },
    ]

    @Test(arguments: mistakes) func mistakesAreNamed(_ mistake: Mistake) throws {
        let error = #expect(throws: TensorError.self) { try mistake.body() }
        #expect(error?.description.contains(mistake.message) == true, "\(error?.description ?? "")")
    }
}

/// Layers that are told the class of each sample.
@Suite struct ConditionalLayerTests {
    private let classes = [2, 0, 1]

    /// The classes are further channels; of a picture, at each place.
    @Test func concatenationIsOfChannels() throws {
        var random = Random(seed: 3)
        let y = try Tensor.oneHot(classes, count: 3)
        #expect(y.floats == [0, 0, 1, 1, 0, 0, 0, 1, 0])
        let layer = ClassConcatenation(Sequential(), classCount: 3)
        let rows = try random.normal([3, 2])
        let joined = try layer(rows, classes: y)
        #expect(try joined.sliced(0..<2, axis: 1).floats == rows.floats && joined.sliced(2..<5, axis: 1).floats == y.floats)
        let pictures = try layer(random.normal([3, 4, 5, 2]), classes: y)
        #expect(pictures.shape == [3, 4, 5, 5])
        for (place, value) in try pictures.sliced(2..<5, axis: 3).floats.enumerated() {
            #expect(value == y.floats[place / 60 * 3 + place % 3])
        }
    }

    /// w·φ + b + y·V·φ, by hand.
    @Test func projectionIsMiyatosAndKoyamas() throws {
        var random = Random(seed: 4)
        let dense = try Dense(5, 4, using: &random)
        let output = Dense(weight: try random.normal([4, 1]), bias: try random.normal([1]))
        let layer = try ClassProjection(features: Sequential(dense, LeakyReLU(0.2)), output: output, embedding: random.normal([3, 4]))
        let x = try random.normal([3, 5])
        let scores = try layer(x, classes: .oneHot(classes, count: 3)).floats
        let features = try dense(x, activation: .leakyReLU(slope: 0.2)).floats
        for sample in 0..<3 {
            var score = output.bias!.value.floats[0]
            for index in 0..<4 {
                let weight = output.weight.value.floats[index] + layer.embedding.value.floats[4 * classes[sample] + index]
                score += weight * features[4 * sample + index]
            }
            #expect(abs(score - scores[sample]) < 1e-5)
        }
        #expect(layer.namedParameters.map(\.path) == ["embedding", "features.0.weight", "features.0.bias", "output.weight", "output.bias"])
    }

    @Test func classesThatDoNotFitAreErrors() throws {
        var random = Random(seed: 5)
        let layer = ClassConcatenation(Sequential(), classCount: 3)
        let rows = try random.normal([3, 2])
        #expect(throws: TensorError("ClassConcatenation", "called without classes, expected layer(samples, classes: …)")) {
            try layer(rows)
        }
        #expect(throws: TensorError.self) { try layer(rows, classes: .oneHot([0, 1], count: 3)) }
        #expect(throws: TensorError.self) { try layer(rows, classes: .oneHot(classes, count: 4)) }
        #expect(throws: TensorError("one-hot", "a label of 3, expected 0..<3")) { try Tensor.oneHot([3], count: 3) }
        #expect(throws: TensorError.self) {
            try ClassProjection(features: Sequential(), output: Dense(4, 1, using: &random), embedding: random.normal([3, 5]))
        }
    }
}
