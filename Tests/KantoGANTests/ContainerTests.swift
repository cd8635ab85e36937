import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import TestSupport
import Testing

/// Critics and generators of layers that a user wrote.
struct ContainerTests {
    static let methods = PitfallTests.methods

    /// Lists its parameters, not its layers.
    struct Hiding<Inner: Layer>: Layer {
        let inner: Inner
        func callAsFunction(_ input: Tensor) throws -> Tensor { try inner(input) }
        var namedParameters: [(path: String, parameter: Parameter)] {
            inner.namedParameters.map { ("inner.\($0.path)", $0.parameter) }
        }
    }

    /// Lists its layers.
    struct Listing: Layer {
        let parts: [any Layer]
        var children: [(name: String, layer: any Layer)] { parts.enumerated().map { ("part\($0)", $1) } }
        func callAsFunction(_ input: Tensor) throws -> Tensor { try parts.reduce(input) { try $1($0) } }
    }

    /// Makes its layers on the way.
    struct Making: Layer {
        let make: @Sendable () throws -> any Layer
        func callAsFunction(_ input: Tensor) throws -> Tensor {
            let layer = try make()
            return try layer(input)
        }
    }

    /// Lists nothing of what it has.
    struct Forgetting: Layer {
        var blocks: [any Layer] = []
        var scale: Parameter?
        var pair: (first: Int, second: Dense?) = (1, nil)
        func callAsFunction(_ input: Tensor) throws -> Tensor { input }
    }

    private func critic(_ layer: any Layer) throws -> Sequential {
        var random = Random(seed: 2)
        return Sequential(try Dense(2, 8, using: &random), layer, try Dense(8, 1, using: &random))
    }

    private func step(_ critic: any Layer, allowsSampleMixing: Bool = false, penaltyWeight: Double = 10) throws -> CriticGradients
    {
        var random = Random(seed: 3)
        let (real, fake) = (try random.normal([16, 2]), try random.normal([16, 2]))
        let points = try interpolate(real: real, fake: fake, epsilon: random.uniform([16]))
        return try CriticGradients(
            critic, real: real, fake: fake, points: points, penaltyWeight: penaltyWeight, allowsSampleMixing: allowsSampleMixing)
    }

    @Test func aBatchNormIsRefusedWhereverItHides() throws {
        Said.listen()
        let norm = try BatchNorm(8)
        let hidden: [(any Layer, String)] = [
            (Hiding(inner: norm), "layer 1.inner (BatchNorm) mixes the samples of a batch"),
            (Hiding(inner: Sequential(ReLU(), norm)), "layer 1.inner.1 (BatchNorm) mixes the samples of a batch"),
            (Hiding(inner: Hiding(inner: norm)), "layer 1.inner.inner (BatchNorm) mixes the samples of a batch"),
            (Listing(parts: [ReLU(), norm]), "layer 1.part1 (BatchNorm) mixes the samples of a batch"),
            (Making { norm }, "BatchNorm mixes the samples of a batch"),
        ]
        for (layer, message) in hidden {
            let critic = try critic(layer)
            let error = #expect(throws: TensorError.self) { try step(critic) }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
            #expect(throws: TensorError.self) { try gradientPenalty({ try critic($0) }, at: Tensor.zeros([3, 2])) }
            #expect(throws: Never.self) { try step(critic, allowsSampleMixing: true) }
            #expect(throws: Never.self) { try step(critic, penaltyWeight: 0) }
        }
        // Allowed twice, said once.
        _ = try step(critic(Making { norm }), allowsSampleMixing: true)
        #expect(Said.lines(with: "critic: BatchNorm mixes the samples").count == 1)
    }

    @Test func anELUIsWarnedOfWhereverItHides() throws {
        Said.listen()
        _ = try step(critic(Listing(parts: [ReLU(), Hiding(inner: SELU())])))
        #expect(Said.lines(with: "layer 1.part1.inner (SELU) has a second derivative that jumps").count == 1)
        _ = try step(critic(Making { ELU() }))
        _ = try step(critic(Making { ELU() }))
        #expect(Said.lines(with: "critic: ELU has a second derivative that jumps").count == 1)
    }

    @Test func aLayerThatIsForgottenIsNamed() throws {
        var random = Random(seed: 4)
        let dense = try Dense(8, 8, using: &random)
        let forgotten: [(Forgetting, String)] = [
            (
                Forgetting(blocks: [ReLU(), dense]),
                "layer 1 (Forgetting) has a property blocks.1 with parameters that it does not list"
            ),
            (Forgetting(scale: Parameter(try .scalar(1))), "layer 1 (Forgetting) has a property scale with parameters"),
            (Forgetting(pair: (1, dense)), "layer 1 (Forgetting) has a property pair.second with parameters"),
        ]
        var configuration = TrainingConfiguration()
        configuration.batchSize = 2
        for (layer, message) in forgotten {
            let network = try critic(layer)
            let error = #expect(throws: TensorError.self) { try step(network) }
            #expect(error?.description.contains("critic: " + message) == true, "\(error?.description ?? "")")
            let data = try Tensor.zeros([2, 1])
            let generator = #expect(throws: TensorError.self) {
                try Trainer(
                    critic: Dense(1, 1, using: &random), generator: network, latentSize: 2, data: data,
                    configuration: configuration)
            }
            #expect(generator?.description.contains("generator: " + message) == true, "\(generator?.description ?? "")")
        }
        // What has no parameters, and what is not to be trained, need not be listed.
        let fixed = Forgetting(blocks: [ReLU()], scale: Parameter(try .scalar(1), isTrainable: false))
        #expect(throws: Never.self) { try step(critic(fixed)) }
    }

    /// A container that lists its layers trains as the layers in it do.
    @Test func aContainerIsTheSameCritic() throws {
        var random = Random(seed: 5)
        let parts: [any Layer] = [LeakyReLU(0.2), try Dense(8, 8, using: &random), Tanh()]
        let plain = try step(critic(Sequential(parts)))
        let contained = try step(critic(Listing(parts: parts)))
        // A sequence computes an activation with the layer before it.
        #expect(abs(plain.loss - contained.loss) < 1e-5 * abs(plain.loss))
        #expect(plain.gradients.count == 6 && contained.gradients.count == 6)
        for (a, b) in zip(plain.gradients, contained.gradients) {
            #expect(zip(a.floats, b.floats).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    /// A shared layer's gradient is the sum over its places, with and without a tape.
    @Test func aSharedLayerIsTheSameInFourPasses() throws {
        var random = Random(seed: 6)
        let shared = try Dense(8, 8, using: &random)
        let critic = Sequential(
            try Dense(2, 8, using: &random), LeakyReLU(0.2), shared, LeakyReLU(0.2),
            Residual(main: Sequential(shared, ReLU(), shared)), try Dense(8, 1, using: &random))
        #expect(critic.namedParameters.map(\.path) == ["0.weight", "0.bias", "2.weight", "2.bias", "5.weight", "5.bias"])
        let (real, fake) = (try random.normal([16, 2]), try random.normal([16, 2]))
        let points = try interpolate(real: real, fake: fake, epsilon: random.uniform([16]))
        let steps = try [CriticStepMethod.taped, .fourPass].map {
            try CriticGradients(critic, real: real, fake: fake, points: points, method: $0)
        }
        #expect(steps.map(\.method) == [.taped, .fourPass])
        #expect(abs(steps[0].loss - steps[1].loss) < 1e-5 * abs(steps[0].loss))
        for (taped, fourPass) in zip(steps[0].gradients, steps[1].gradients) {
            let largest = taped.floats.reduce(0) { max($0, abs($1)) }
            #expect(zip(taped.floats, fourPass.floats).allSatisfy { abs($0 - $1) <= 1e-5 * max(largest, 1e-2) })
        }
        let adam = try Adam(critic.parameters)
        #expect(throws: Never.self) { try adam.update(with: steps[1].gradients) }
    }
}
