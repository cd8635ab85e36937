import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import TestSupport
import Testing

/// A critic to be taken through both kinds of step, made anew for each test.
struct CriticCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sampleShape: [Int]
    private let build: @Sendable (inout LayerMaker) throws -> [any Layer]

    init(_ name: String, _ sampleShape: [Int], _ build: @escaping @Sendable (inout LayerMaker) throws -> [any Layer]) {
        (testDescription, self.sampleShape, self.build) = (name, sampleShape, build)
    }

    func critic(_ type: ElementType = .float32) throws -> Sequential {
        var maker = LayerMaker(random: Random(seed: 11), type: type)
        return Sequential(try build(&maker))
    }

    /// The number of elements of a sample.
    var size: Int { sampleShape.reduce(1, *) }

    static let all: [CriticCase] = [
        CriticCase("dense, ReLU", [7]) { make in
            [try make.dense(7, 9), ReLU(), try make.dense(9, 6), ReLU(), try make.dense(6, 1)]
        },
        CriticCase("dense, no activation", [5]) { [try $0.dense(5, 4), try $0.dense(4, 3), LeakyReLU(0.3), try $0.dense(3, 1)] },
        CriticCase("one layer", [6]) { [try $0.dense(6, 1)] },
        CriticCase("activations at both ends, and two in a row", [6]) { make in
            [LeakyReLU(0.5), try make.dense(6, 8), LeakyReLU(0.1), LeakyReLU(0.7), try make.dense(8, 1), LeakyReLU(0.4)]
        },
        CriticCase("convolutions of stride 2, leaky ReLU", [9, 8, 2]) { make in
            [
                try make.convolution(2, 4, 5, Window(stride: 2, padding: 2)), LeakyReLU(0.2),
                try make.convolution(4, 6, 5, Window(stride: 2, padding: 2)), LeakyReLU(0.2),
                Flatten(), try make.dense(36, 1),
            ]
        },
        CriticCase("padding of one before and two after, no bias in the sum", [8, 8, 1]) { make in
            let padding = Window.Padding(top: 1, left: 1, bottom: 2, right: 2)
            return [
                try make.convolution(1, 3, 5, Window(stride: 2, padding: padding)), ReLU(),
                try make.convolution(3, 5, 5, Window(stride: 2, padding: padding)), ReLU(),
                Flatten(isChannelsFirst: true), try make.dense(20, 1),
            ]
        },
        CriticCase("stride 1, dilation, groups, no activation between", [7, 6, 4]) { make in
            [
                try make.convolution(4, 8, 3, Window(padding: 2, dilation: 2, groups: 2)), LeakyReLU(0.2),
                try make.convolution(8, 4, 1, Window()), try make.convolution(4, 2, 3, Window(stride: 3, padding: 1)),
                Flatten(), LeakyReLU(0.2), try make.dense(12, 1),
            ]
        },
        CriticCase("from points to images", [6]) { make in
            [
                try make.dense(6, 32), ReLU(), Reshape(4, 4, 2), try make.convolution(2, 3, 3, Window(padding: 1)), ReLU(),
                Flatten(isChannelsFirst: true), LeakyReLU(0.2), try make.dense(48, 1),
            ]
        },
        CriticCase("sequences in a sequence", [5, 5, 1]) { make in
            [
                Sequential(try make.convolution(1, 2, 3, Window()), Sequential(LeakyReLU(0.2), Flatten())),
                Sequential(), Sequential(try make.dense(18, 1)),
            ]
        },
        CriticCase("pooling and upsampling, rows left over", [7, 7, 2]) { make in
            [
                AveragePool(2), try make.convolution(2, 4, 3, Window(padding: 1)), ReLU(), Upsample(3), LeakyReLU(0.3),
                try make.convolution(4, 3, 3, Window(stride: 2)), LeakyReLU(0.2), AveragePool(3), LeakyReLU(0.6),
                GlobalAveragePool(), try make.dense(3, 1),
            ]
        },
        CriticCase("residual sums", [8, 8, 2]) { make in
            [
                Residual(
                    main: Sequential(
                        try make.convolution(2, 4, 3, Window(padding: 1)), ReLU(),
                        try make.convolution(4, 4, 3, Window(padding: 1)), AveragePool(2)),
                    shortcut: Sequential(AveragePool(2), try make.convolution(2, 4, 1, Window()))),
                Residual(
                    main: Sequential(
                        LeakyReLU(0.2), try make.convolution(4, 4, 3, Window(padding: 1)), LeakyReLU(0.2),
                        try make.convolution(4, 4, 3, Window(padding: 1)))),
                ReLU(),
                Residual(
                    main: Sequential(try make.convolution(4, 4, 3, Window(padding: 1))), shortcut: Sequential(LeakyReLU(0.5))),
                ReLU(), GlobalAveragePool(), try make.dense(4, 1),
            ]
        },
        CriticCase("residual sums without parameters, before and within others", [5]) { make in
            let inner = Residual(main: Sequential(ReLU()))
            let outer = Residual(main: Sequential(try make.dense(5, 5), ReLU()), shortcut: Sequential(inner))
            return [
                Residual(main: Sequential(LeakyReLU(0.3))), outer, LeakyReLU(0.2), Residual(main: outer.main),
                try make.dense(5, 1),
            ]
        },
        CriticCase("layers of a precision of their own", [8, 7, 2]) { make in
            [
                InPrecision(.float32, try make.convolution(2, 4, 3, Window(stride: 2, padding: 1)), LeakyReLU(0.2)),
                try make.convolution(4, 4, 3, Window(padding: 1)), ReLU(), Flatten(), InPrecision(.float32, try make.dense(64, 1)),
            ]
        },
        CriticCase("one layer in two places", [4]) { make in
            let shared = try make.dense(4, 4)
            return [shared, LeakyReLU(0.2), shared, LeakyReLU(0.2), try make.dense(4, 1)]
        },
    ]
}

/// Draws layers of one element type.
struct LayerMaker {
    var random: Random
    let type: ElementType

    mutating func normal(_ shape: [Int], _ deviation: Double) throws -> Tensor {
        try random.normal(shape, elementType: type) * deviation
    }

    mutating func dense(_ inputs: Int, _ outputs: Int) throws -> Dense {
        Dense(weight: try normal([inputs, outputs], (1 / Double(inputs)).squareRoot()), bias: try normal([outputs], 0.3))
    }

    mutating func convolution(_ inputs: Int, _ outputs: Int, _ kernel: Int, _ window: Window) throws -> Conv2D {
        let shape = [kernel, kernel, inputs / window.groups, outputs]
        let deviation = (1 / Double(shape[0] * shape[1] * shape[2])).squareRoot()
        return Conv2D(weight: try normal(shape, deviation), bias: try normal([outputs], 0.3), window: window)
    }
}

struct FourPassTests {
    /// Both ways on the same batches.
    static func steps(
        _ critic: any Layer, sampleShape: [Int], batchSize: Int = 5, _ type: ElementType = .float32,
        loss: any AdversarialLoss = WassersteinLoss(), regularizer: any Regularizer = TwoSidedPenalty()
    ) throws -> (taped: CriticGradients, fourPass: CriticGradients) {
        var random = Random(seed: 21)
        let real = try random.normal([batchSize] + sampleShape, elementType: type)
        let fake = try random.normal([batchSize] + sampleShape, elementType: type) * 0.7 + 0.2
        let points = try regularizer.points(real: real, fake: fake, using: &random)
        func step(_ method: CriticStepMethod) throws -> CriticGradients {
            try CriticGradients(
                critic, real: real, fake: fake, points: points, loss: loss, regularizer: regularizer, penaltyWeight: 3,
                method: method)
        }
        return (try step(.taped), try step(.fourPass))
    }

    /// Holds every quantity of one step against the other's.
    static func expectEqual(_ taped: CriticGradients, _ fourPass: CriticGradients, _ tolerance: Double) {
        #expect(taped.method == .taped && fourPass.method == .fourPass)
        func expect(_ a: [Double], _ b: [Double], _ name: String, floor: Double = 0) {
            let scale = max(floor, b.map(abs).max() ?? 0)
            let error = zip(a, b).map { abs($0 - $1) }.max() ?? 0
            #expect(a.count == b.count && error <= tolerance * scale, "\(name): \(error) of \(scale)")
        }
        expect([fourPass.loss], [taped.loss], "loss", floor: 1)
        expect(fourPass.scores.real.doubles, taped.scores.real.doubles, "real scores")
        expect(fourPass.scores.fake.doubles, taped.scores.fake.doubles, "generated scores")
        expect(fourPass.penalty.scores.doubles, taped.penalty.scores.doubles, "scores of the points")
        expect(fourPass.penalty.inputGradient.doubles, taped.penalty.inputGradient.doubles, "input gradient")
        expect(fourPass.penalty.norms.doubles, taped.penalty.norms.doubles, "norms")
        expect(fourPass.penalty.value.doubles, taped.penalty.value.doubles, "penalty")
        #expect(fourPass.gradients.map(\.shape) == taped.gradients.map(\.shape))
        // A bias that real and generated samples move against each other has a gradient of rounding.
        let largest = taped.gradients.flatMap(\.doubles).map(abs).max() ?? 0
        #expect(largest > 0)
        for (index, pair) in zip(fourPass.gradients, taped.gradients).enumerated() {
            expect(pair.0.doubles, pair.1.doubles, "gradient \(index)", floor: 0.01 * largest)
        }
    }

    @Test(arguments: CriticCase.all, float32Backends) func equalsTheTape(_ critic: CriticCase, on backend: String) throws {
        try onBackend(backend) {
            for batchSize in [1, 5] {
                let steps = try Self.steps(critic.critic(), sampleShape: critic.sampleShape, batchSize: batchSize)
                Self.expectEqual(steps.taped, steps.fourPass, 1e-5)
            }
        }
    }

    @Test(arguments: CriticCase.all) func equalsTheTapeInDoublePrecision(_ critic: CriticCase) throws {
        try Kernels.run {
            let steps = try Self.steps(critic.critic(.float64), sampleShape: critic.sampleShape, .float64)
            Self.expectEqual(steps.taped, steps.fourPass, 1e-12)
        }
    }

    @Test(arguments: Objective.all) func equalsTheTapeWith(_ objective: Objective) throws {
        try Kernels.run {
            for critic in CriticCase.all[3...5] + CriticCase.all[10...11] {
                let steps = try Self.steps(
                    critic.critic(.float64), sampleShape: critic.sampleShape, .float64, loss: objective.loss,
                    regularizer: objective.regularizer)
                Self.expectEqual(steps.taped, steps.fourPass, 1e-12)
            }
        }
    }

    @Test func asManyPointsAsOneLikes() throws {
        try Kernels.run {
            let critic = try CriticCase.all[4].critic()
            var random = Random(seed: 3)
            let real = try random.normal([4, 9, 8, 2]), fake = try random.normal([4, 9, 8, 2])
            for count in [1, 7] {
                let points = try random.normal([count, 9, 8, 2])
                func step(_ method: CriticStepMethod) throws -> CriticGradients {
                    try CriticGradients(critic, real: real, fake: fake, points: points, method: method)
                }
                Self.expectEqual(try step(.taped), try step(.fourPass), 1e-5)
            }
        }
    }

    @Test func batchesAndParametersStayAsTheyAre() throws {
        try Kernels.run {
            var random = Random(seed: 3)
            // The points share the memory of the real samples: R1's are the samples themselves.
            let real = try random.normal([4, 6]), fake = try random.normal([4, 6])
            let critic = try CriticCase.all[3].critic()
            let before = ([real, fake] + critic.parameters.map(\.value)).map(\.floats)
            let step = try CriticGradients(critic, real: real, fake: fake, points: real, method: .fourPass)
            #expect(([real, fake] + critic.parameters.map(\.value)).map(\.floats) == before)
            #expect(step.penalty.scores.floats == step.scores.real.floats)
        }
    }

    @Test func aSmoothCriticIsTaped() throws {
        var random = Random(seed: 1)
        let critic = Sequential(
            try Dense(2, 4, using: &random), ReLU(), Sequential(try Dense(4, 4, using: &random), Tanh()),
            try Dense(4, 1, using: &random))
        #expect(try CriticStepMethod.automatic.resolved(for: critic) == .taped)
        #expect(try CriticStepMethod.automatic.resolved(for: CriticCase.all[0].critic()) == .fourPass)
        #expect(try CriticStepMethod.taped.resolved(for: CriticCase.all[0].critic()) == .taped)
        let error = #expect(throws: TensorError.self) { try CriticStepMethod.fourPass.resolved(for: critic) }
        #expect(error?.description.contains("four-pass critic step: layer 2.1 (Tanh) is not one that it serves") == true)
        let branch = Sequential(ReLU(), Residual(main: Sequential(ReLU(), SiLU())))
        let inBranch = #expect(throws: TensorError.self) { try CriticStepMethod.fourPass.resolved(for: branch) }
        #expect(inBranch?.description.contains("layer 1.main.1 (SiLU)") == true)
        #expect(throws: TensorError.self) {
            try CriticGradients(
                critic, real: Tensor.zeros([1, 2]), fake: Tensor.zeros([1, 2]), points: Tensor.zeros([1, 2]), method: .fourPass)
        }
    }

    /// A layer of a user's own.
    struct Doubling: Layer {
        func callAsFunction(_ input: Tensor) throws -> Tensor { try input * 2 }
    }

    @Test func aLayerOfOnesOwnIsTaped() throws {
        #expect(try CriticStepMethod.automatic.resolved(for: Doubling()) == .taped)
        let error = #expect(throws: TensorError.self) { try CriticStepMethod.fourPass.resolved(for: Doubling()) }
        #expect(error?.description.contains("the critic (Doubling)") == true)
    }
}

/// A loss and a regularizer.
struct Objective: Sendable, CustomTestStringConvertible {
    let loss: any AdversarialLoss
    let regularizer: any Regularizer
    var testDescription: String { "\(loss), \(regularizer)" }

    static let losses: [any AdversarialLoss] = [
        WassersteinLoss(), WassersteinLoss(drift: 0.1), HingeLoss(), NonSaturatingLoss(), RelativisticLoss(),
    ]
    static let regularizers: [any Regularizer] = [
        TwoSidedPenalty(), TwoSidedPenalty(target: 0.5), OneSidedPenalty(target: 0.3), DRAGANPenalty(), ZeroCenteredPenalty(.real),
        ZeroCenteredPenalty(.generated), ZeroCenteredPenalty(.both), MaximumPenalty(),
    ]
    static let all =
        losses.map { Objective(loss: $0, regularizer: TwoSidedPenalty()) }
        + regularizers.dropFirst().map { Objective(loss: WassersteinLoss(), regularizer: $0) }
        + [Objective(loss: RelativisticLoss(), regularizer: ZeroCenteredPenalty(.both))]
}
