import Kanto
import Testing

/// A program as `main.swift` has it: all of its code belongs to the main actor, closures too.
@MainActor @Suite struct MainActorProgramTests {
    @Test func whatIsMadeOutsideIsUsedInside() throws {
        var random = Random(seed: 1)
        let layer = try Dense(2, 1, using: &random)
        let optimizer = try Adam(layer.parameters, learningRate: 1e-2)
        var configuration = TrainingConfiguration()
        configuration.batchSize = 4
        let trainer = try Trainer(
            critic: try Dense(1, 1, using: &random), generator: try Dense(2, 1, using: &random), latentSize: 2,
            data: Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [8, 1]), configuration: configuration)
        var losses: [Double] = []
        try Kernels.run {
            for _ in 0..<3 {
                let loss = try layer(random.normal([4, 2])).square().mean()
                losses.append(try loss.item())
                try optimizer.minimize(loss)
                _ = try trainer.runIteration()
            }
        }
        #expect(losses.count == 3 && trainer.iteration == 3 && optimizer.stepCount == 3)
        let names = ["a", "bb"]
        let zeros = try Kernels.run { try names.map { try Tensor.zeros([$0.count]) } }
        #expect(zeros.map(\.shape) == [[1], [2]])
        try withBackend("reference") { losses += try names.map { try Tensor.zeros([$0.count]).sum().item() } }
        withTraining(random: random) { losses = losses.map { $0 + 1 } }
        withoutGradient { losses = losses.map { $0 * 2 } }
        #expect(losses.count == 5 && losses[4] == 2)
    }
}
