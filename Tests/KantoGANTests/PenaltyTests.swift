import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import Testing

struct PenaltyTests {
    /// A tiny critic at float64 for samples of 5x6x2.
    static func critic(_ activation: any ActivationLayer) throws -> Sequential {
        var random = Random(seed: 5)
        func normal(_ shape: Int...) throws -> Tensor { try random.normal(shape, elementType: .float64) }
        return Sequential(
            Conv2D(weight: try normal(3, 3, 2, 3), bias: try normal(3), window: Window(stride: 2, padding: 1)),
            activation, Flatten(), Dense(weight: try normal(27, 4), bias: try normal(4)),
            activation, Dense(weight: try normal(4, 1), bias: try normal(1)))
    }

    static func points() throws -> Tensor {
        var random = Random(seed: 6)
        return try random.normal([4, 5, 6, 2], elementType: .float64) * 0.3
    }

    @Test(arguments: Objective.regularizers.indices, [true, false])
    func movesEachParameterAsFiniteDifferencesSay(_ index: Int, isSmooth: Bool) throws {
        let critic = try Self.critic(isSmooth ? Tanh() : LeakyReLU(0.2)), points = try Self.points()
        func penalty() throws -> Tensor {
            try gradientPenalty({ try critic($0) }, at: points, Objective.regularizers[index]).value
        }
        let analytic = try Kernels.run { try gradients(of: penalty(), withRespectTo: critic.parameters.map(\.value)) }

        for ((path, parameter), gradient) in zip(critic.namedParameters, analytic.map(\.doubles)) {
            let original = parameter.value
            func moved(_ element: Int, by shift: Double) throws -> Double {
                var values = original.doubles
                values[element] += shift
                parameter.value = try Tensor(values, shape: original.shape)
                return try penalty().item()
            }
            let differences = try Kernels.run {
                try gradient.indices.map { try (moved($0, by: 1e-6) - moved($0, by: -1e-6)) / 2e-6 }
            }
            parameter.value = original
            let scale = gradient.reduce(1) { max($0, abs($1)) }
            #expect(zip(differences, gradient).allSatisfy { abs($0 - $1) < 1e-6 * scale }, "\(path)")
            // The input gradient depends on a bias through the activations' derivatives only: never on the last one, and
            // on none where the derivatives are piecewise constant.
            let isReached = path.hasSuffix("weight") || (isSmooth && path != "5.bias")
            #expect(gradient.contains { $0 != 0 } == isReached, "\(path)")
        }
    }

    @Test func interpolatesEachSampleWithItsOwnCoefficient() throws {
        let real = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2, 1]), fake = try Tensor.zeros([3, 2, 1])
        let points = try interpolate(real: real, fake: fake, epsilon: Tensor([0, 1, 0.5] as [Float], shape: [3]))
        #expect(points.floats == [0, 0, 3, 4, 2.5, 3])
        #expect(points.shape == real.shape)
    }

    @Test(arguments: [[], [1], [2], [4, 1], [1, 4], [4, 2, 1]])
    func coefficientsThatAreNotOneASampleAreRefused(shape: [Int]) throws {
        let samples = try Tensor.zeros([4, 2, 1])
        let error = #expect(throws: TensorError.self) {
            _ = try interpolate(real: samples, fake: samples, epsilon: Tensor.zeros(shape))
        }
        #expect(error?.reason == "coefficients of shape \(shape), expected one a sample: [4]")
    }

    @Test func batchesOfDifferentShapesAreRefused() throws {
        #expect(throws: TensorError.self) {
            try interpolate(real: Tensor.zeros([4, 2]), fake: Tensor.zeros([4, 1]), epsilon: Tensor.zeros([4]))
        }
    }

    @Test(arguments: Objective.regularizers.indices, CriticStepMethod.allCases.dropFirst())
    func nothingReachesTheGenerator(_ index: Int, _ method: CriticStepMethod) throws {
        let regularizer = Objective.regularizers[index]
        var random = Random(seed: 1)
        let critic = Sequential(try Dense(2, 8, using: &random), ReLU(), try Dense(8, 1, using: &random))
        let generator = try Dense(3, 2, using: &random)
        let fake = try generator(random.normal([5, 3])), real = try random.normal([5, 2])
        let points = try regularizer.points(real: real, fake: fake, using: &random)
        #expect(!points.isTracked)

        let step = try CriticGradients(
            critic, real: real, fake: fake, points: points, regularizer: regularizer, method: method)
        #expect(!step.scores.fake.isTracked)
        guard step.penalty.value.isTracked else { return }
        let error = #expect(throws: TensorError.self) {
            try gradients(of: step.penalty.value, withRespectTo: generator.parameters.map(\.value))
        }
        #expect(error?.description.contains("was computed from none of the 2 variables") == true)
    }

    @Test func aCriticThatIsFlatHasAPenaltyAndNoNaN() throws {
        var random = Random(seed: 1)
        let critic = Sequential(
            Dense(weight: try Tensor.zeros([2, 4]), bias: try random.normal([4])), ReLU(), try Dense(4, 1, using: &random))
        let penalty = try gradientPenalty({ try critic($0) }, at: random.normal([3, 2]))
        #expect(try penalty.value.item() == 1)
        let slopes = try gradients(of: penalty.value, withRespectTo: critic.parameters.map(\.value))
        #expect(slopes.allSatisfy { $0.floats.allSatisfy { $0 == 0 } })
    }
}
