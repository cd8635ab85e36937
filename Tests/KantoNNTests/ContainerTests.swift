import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// Layers made of others: what they list follows from their children, and a layer may stand in several places.
struct ContainerTests {
    struct Block: Layer {
        let norm: BatchNorm
        let dense: SpectralNorm
        var children: [(name: String, layer: any Layer)] { [("norm", norm), ("dense", dense)] }
        func callAsFunction(_ input: Tensor) throws -> Tensor { try dense(norm(input)).tanh() }
    }

    /// A container with a parameter of its own.
    struct Scaled: Layer {
        let scale: Parameter
        let inner: any Layer
        var children: [(name: String, layer: any Layer)] { [("inner", inner)] }
        var namedParameters: [(path: String, parameter: Parameter)] { [("scale", scale)] + parametersOfChildren }
        func callAsFunction(_ input: Tensor) throws -> Tensor { try inner(input) * scale.value }
    }

    @Test func allFollowsFromTheChildren() throws {
        var random = Random(seed: 1)
        let block = Block(
            norm: try BatchNorm(3, statistics: .running()), dense: try SpectralNorm(Dense(3, 2, using: &random), using: &random))
        let network = Sequential(Scaled(scale: Parameter(try .scalar(2)), inner: block), ReLU())
        #expect(
            network.namedParameters.map(\.path) == [
                "0.scale", "0.inner.norm.weight", "0.inner.norm.bias", "0.inner.dense.weight", "0.inner.dense.bias",
            ])
        #expect(
            network.namedState.map(\.path) == [
                "0.inner.norm.runningMean", "0.inner.norm.runningVariance", "0.inner.dense.left", "0.inner.dense.right",
            ])
        #expect(network.mixesSamples && block.mixesSamples)
        #expect(try !Scaled(scale: Parameter(.scalar(2)), inner: ReLU()).mixesSamples)
    }

    @Test func aLayerInSeveralPlacesIsListedOnce() throws {
        var random = Random(seed: 1)
        let layer = try Dense(2, 2, using: &random)
        let network = Sequential(layer, Residual(main: Sequential(layer), shortcut: Sequential(ReLU(), layer)), layer)
        #expect(network.namedParameters.map(\.path) == ["0.weight", "0.bias"])
        #expect(network.parameters.map(ObjectIdentifier.init) == layer.parameters.map(ObjectIdentifier.init))
        #expect(network.parameterCount == 6)
        let normalized = try SpectralNorm(layer, using: &random)
        let twice = Sequential(normalized, normalized)
        #expect(twice.namedState.map(\.path) == ["0.left", "0.right"])
    }

    @Test func aSharedLayerMovesByTheSumOfItsGradientsOnce() throws {
        var random = Random(seed: 1)
        let layer = try Dense(2, 2, using: &random)
        let network = Sequential(layer, Tanh(), layer)
        let before = layer.weight.value.floats
        let loss = try network(random.normal([4, 2])).sum()
        let slopes = try gradients(of: loss, withRespectTo: network.parameters.map(\.value))
        try SGD(network.parameters, learningRate: 0.5).update(with: slopes)
        for (moved, (old, slope)) in zip(layer.weight.value.floats, zip(before, slopes[0].floats)) {
            #expect(abs(moved - (old - 0.5 * slope)) < 1e-6)
        }
    }

    /// The same weights in two layers have the same value and half of the gradient each.
    @Test func aSharedLayerHasTheSumOfTheGradients() throws {
        var random = Random(seed: 1)
        let layer = try Dense(2, 2, using: &random)
        let copies = (0..<2).map { _ in Dense(weight: layer.weight.value, bias: layer.bias?.value) }
        let input = try random.normal([4, 2])
        func slopes(_ network: Sequential) throws -> [[Float]] {
            try gradients(of: network(input).square().sum(), withRespectTo: network.parameters.map(\.value)).map(\.floats)
        }
        let shared = try slopes(Sequential(layer, Tanh(), layer))
        let separate = try slopes(Sequential(copies[0], Tanh(), copies[1]))
        for index in 0..<2 {
            #expect(zip(shared[index], zip(separate[index], separate[index + 2])).allSatisfy { abs($0 - ($1.0 + $1.1)) < 1e-5 })
        }
    }

    @Test func anOptimizerRefusesAParameterTwice() throws {
        let parameter = Parameter(try .zeros([2]))
        let other = Parameter(try .zeros([2]))
        let error = #expect(throws: TensorError.self) { try SGD([parameter, other, parameter]) }
        #expect(error?.description.contains("parameters 0 and 2 are the same") == true)
    }
}
