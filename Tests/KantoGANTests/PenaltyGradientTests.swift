import Foundation
import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// The penalty's gradient in the critic's parameters, by both kinds of critic step.
struct PenaltyGradientTests {
    @Test(arguments: Objective.regularizers.indices, PitfallTests.methods)
    func thePenaltyAloneMovesTheWeightsAsFiniteDifferencesSay(_ index: Int, _ method: CriticStepMethod) throws {
        let regularizer = Objective.regularizers[index]
        let critic = try PenaltyTests.critic(LeakyReLU(0.2)), points = try PenaltyTests.points()
        try Kernels.run {
            let step = try PitfallTests.penaltyStep(critic, at: points, method, regularizer)
            for ((path, parameter), gradient) in zip(critic.namedParameters, step.gradients.map(\.doubles)) {
                let original = parameter.value
                func penalty(_ element: Int, _ shift: Double) throws -> Double {
                    var values = original.doubles
                    values[element] += shift
                    parameter.value = try Tensor(values, shape: original.shape)
                    return try PitfallTests.penaltyStep(critic, at: points, method, regularizer).loss
                }
                // Every fifth element: the gradients of all are held against the tape's elsewhere.
                let elements = stride(from: 0, to: gradient.count, by: 5)
                let differences = try elements.map { try (penalty($0, 1e-6) - penalty($0, -1e-6)) / 2e-6 }
                parameter.value = original
                let scale = gradient.reduce(1) { max($0, abs($1)) }
                #expect(zip(differences, elements).allSatisfy { abs($0 - gradient[$1]) < 1e-6 * scale }, "\(path)")
                // No bias of a piecewise-linear critic is reached; its gradient is zero, not missing.
                #expect(gradient.contains { $0 != 0 } == path.hasSuffix("weight"), "\(path)")
            }
        }
    }

    @Test(arguments: PitfallTests.methods) func theWeightScalesThePenaltyAlone(_ method: CriticStepMethod) throws {
        let critic = try PenaltyTests.critic(LeakyReLU(0.2)), points = try PenaltyTests.points()
        var random = Random(seed: 12)
        let (real, fake) = try (
            random.normal([4, 5, 6, 2], elementType: .float64), random.normal([4, 5, 6, 2], elementType: .float64)
        )
        func gradients(_ weight: Double) throws -> [Double] {
            try CriticGradients(critic, real: real, fake: fake, points: points, penaltyWeight: weight, method: method)
                .gradients.flatMap(\.doubles)
        }
        let (none, one, ten) = (try gradients(0), try gradients(1), try gradients(10))
        #expect(none != one)
        for index in none.indices {
            #expect(abs(ten[index] - none[index] - 10 * (one[index] - none[index])) < 1e-9)
        }
    }

    @Test func formulasSayTheEffectiveCoefficient() {
        #expect(TwoSidedPenalty().formula(weight: 10) == "10 E(‖∇D(x̂)‖ - 1)²")
        #expect(TwoSidedPenalty(target: 2).formula(weight: 10) == "2.5 E(‖∇D(x̂)‖ - 2)²")
        #expect(OneSidedPenalty().formula(weight: 0.1) == "0.1 E max(0, ‖∇D(x̂)‖ - 1)²")
        #expect(ZeroCenteredPenalty(.real).formula(weight: 10) == "5 E‖∇D(x)‖²")
        #expect(ZeroCenteredPenalty(.generated).formula(weight: 1) == "0.5 E‖∇D(x̃)‖²")
        #expect(ZeroCenteredPenalty(.both).formula(weight: 1) == "0.5 (E‖∇D(x)‖² + E‖∇D(x̃)‖²)")
    }

    @Test func penaltiesOfKnownNorms() throws {
        let norms = try Tensor([0.5, 1, 3, 0] as [Double], shape: [4])
        func expect(_ regularizer: any Regularizer, _ expected: Double) throws {
            let value = try regularizer.penalty(norms)
            #expect(value.shape == [])
            #expect(try abs(value.item() - expected) < 1e-12, "\(regularizer)")
        }
        try expect(.twoSided(), (0.25 + 0 + 4 + 1) / 4)
        try expect(.twoSided(target: 2), (2.25 + 1 + 1 + 4) / 4 / 4)
        try expect(.oneSided(), 1)
        try expect(.oneSided(target: 0.25), (0.0625 + 0.5625 + 7.5625) / 4)
        try expect(.dragan, (0.25 + 0 + 4 + 1) / 4)
        try expect(.r1, (0.25 + 1 + 9) / 8)
        try expect(.r2, (0.25 + 1 + 9) / 8)
        // Two batches of two: half of each one's mean.
        try expect(.r1AndR2, 0.5 * ((0.25 + 1) / 2 + 9.0 / 2))
        try expect(.maximum, 9)
        #expect(try MaximumPenalty().penalty(Tensor([1, .nan, 2] as [Double], shape: [3])).item().isNaN)
        #expect(throws: TensorError.self) { try MaximumPenalty().penalty(Tensor.zeros([0])) }
    }

    @Test func lossesOfKnownScores() throws {
        let real = try Tensor([2, -1] as [Double], shape: [2, 1]), fake = try Tensor([0.5, -3] as [Double], shape: [2, 1])
        func softplus(_ x: Double) -> Double { log(1 + exp(x)) }
        func expect(_ loss: any AdversarialLoss, critic: Double, generator: Double) throws {
            #expect(try abs(loss.critic(real: real, fake: fake).item() - critic) < 1e-12, "\(loss)")
            #expect(try abs(loss.generator(fake: fake, real: { real }).item() - generator) < 1e-12, "\(loss)")
        }
        try expect(WassersteinLoss(), critic: -1.25 - 0.5, generator: 1.25)
        try expect(WassersteinLoss(drift: 0.1), critic: -1.25 - 0.5 + 0.1 * 2.5, generator: 1.25)
        try expect(HingeLoss(), critic: (0 + 2) / 2 + (1.5 + 0) / 2, generator: 1.25)
        try expect(
            NonSaturatingLoss(), critic: (softplus(-2) + softplus(1) + softplus(0.5) + softplus(-3)) / 2,
            generator: (softplus(-0.5) + softplus(3)) / 2)
        try expect(
            RelativisticLoss(), critic: (softplus(0.5 - 2) + softplus(-3 + 1)) / 2,
            generator: (softplus(2 - 0.5) + softplus(-1 + 3)) / 2)
        // Huge scores do not overflow.
        let huge = try Tensor([1000 as Float], shape: [1, 1]), negative = try -huge
        #expect(try NonSaturatingLoss().generator(fake: negative, real: { huge }).item() == 1000)
    }
}
