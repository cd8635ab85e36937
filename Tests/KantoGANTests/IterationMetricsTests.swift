import KantoNN
import KantoTensor
import Testing

@testable import KantoGAN

@Suite struct IterationMetricsTests {
    @Test func aHistogramCountsEachNormOnce() throws {
        let bins = [(0, 0), (0.0249, 0), (0.025, 1), (0.9, 36), (1.0999, 43), (1.1, 44), (1.9999, 79), (2, 79), (Double.infinity, 79)]
        for (norm, bin) in bins { #expect(GradientNormHistogram.bin(of: norm) == bin, "\(norm)") }
        var counts = [Int](repeating: 0, count: 80)
        (counts[35], counts[36], counts[43], counts[44], counts[79]) = (1, 2, 3, 4, 10)
        let histogram = try #require(GradientNormHistogram(counts: counts))
        #expect(histogram.counts == counts && histogram.total == 20 && histogram.shareNearOne == 0.25)
        let empty = GradientNormHistogram()
        #expect(empty.counts == Array(repeating: 0, count: 80) && empty.shareNearOne == nil)
        #expect(GradientNormHistogram(counts: empty.counts) == empty)
        for wrong in [[], Array(repeating: 0, count: 79), Array(repeating: -1, count: 80), Array(repeating: 1 << 40, count: 80)] {
            #expect(GradientNormHistogram(counts: wrong) == nil)
        }
    }

    /// D(x) = w x: the norm is |w|, before each of the three updates.
    @Test(arguments: [CriticStepMethod.taped, .fourPass]) func whatTheCriticStepsMeasureIsAveraged(_ method: CriticStepMethod) throws {
        func trainer(criticSteps: Int) throws -> Trainer {
            var random = Random(seed: 1)
            let critic = Dense(weight: try Tensor([3 as Float], shape: [1, 1]), bias: try Tensor([0 as Float], shape: [1]))
            var configuration = TrainingConfiguration()
            (configuration.batchSize, configuration.criticSteps, configuration.criticStep) = (4, criticSteps, method)
            configuration.optimizer = OptimizerDescription(Adam.Description(), learningRate: 0.5)
            return try Trainer(
                critic: critic, generator: Sequential(try Dense(2, 1, using: &random), Zero()), latentSize: 2,
                data: Tensor([1, 2, 3, 4], shape: [4, 1]), configuration: configuration)
        }
        // The weights that an iteration of one step, of two and of three leave.
        let weights: [Double] = try [3] + (1...2).map { count in
            let trainer = try trainer(criticSteps: count)
            _ = try trainer.runIteration()
            return Double(trainer.critic.parameters[0].value.floats[0])
        }
        #expect(weights[1] < 2.9 && weights[2] < weights[1])
        let metrics = try trainer(criticSteps: 3).runIteration()
        func mean(_ value: (Double) -> Double) -> Double { weights.map(value).reduce(0, +) / 3 }
        #expect(abs(metrics.wassersteinEstimate - mean { 2.5 * $0 }) < 1e-5)
        #expect(abs(metrics.penalty - mean { ($0 - 1) * ($0 - 1) }) < 1e-5)
        #expect(abs(metrics.criticLoss - mean { -2.5 * $0 + 10 * ($0 - 1) * ($0 - 1) }) < 1e-4)
        #expect(abs(metrics.meanGradientNorm - mean { $0 }) < 1e-5 && metrics.largestGradientNorm == 3)
        var counts = [Int](repeating: 0, count: 80)
        for weight in weights { counts[min(79, Int(weight * 40))] += 4 }
        #expect(metrics.gradientNormHistogram.counts == counts && metrics.gradientNormWithin == 0)
    }

    @Test func withoutCriticStepsNothingIsMeasured() throws {
        let metrics = CriticMeasurement().metrics
        #expect(metrics == IterationMetrics() && metrics.firstNonFinite == nil)
    }

    struct Zero: Layer {
        func callAsFunction(_ input: Tensor) throws -> Tensor { try input * 0 }
    }
}
