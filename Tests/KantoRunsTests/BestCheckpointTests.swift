import KantoGAN
@testable import KantoRuns
import TestSupport
import Testing

@Suite struct BestCheckpointTests {
    /// Of intervals of two iterations: the estimate rises, falls, and rises beyond all that was before.
    @Test func isTheLeastEstimateAfterTheLargest() {
        var best = BestCheckpoint(interval: 2)
        let means = [1.0, 3, 2, 2.5, -1, 1.5, 4, 3.5, 3.6]
        var due: [Double] = []
        for (index, mean) in means.enumerated() {
            for (place, difference) in [0.3, -0.3].enumerated() {
                var metrics = IterationMetrics()
                (metrics.iteration, metrics.wassersteinEstimate) = (2 * index + place + 1, mean + difference)
                if best.isDue(after: metrics) { due.append(mean) }
            }
        }
        #expect(due == [1, 3, 2, -1, 4, 3.5])
    }

    @Test func aRunKeepsIt() throws {
        let folder = try TemporaryFolder()
        var configuration = Preset.digits.configuration
        configuration.sampleInterval = 1
        configuration.keptCheckpoints = 1
        let run = try Run(configuration, folder: folder.path + "/run")
        var rule = BestCheckpoint(interval: 1)
        var expected: TrainedGenerator?
        for _ in 0..<4 {
            let metrics = try run.step()
            if rule.isDue(after: metrics) { expected = try TrainedGenerator(run: run.folder) }
        }
        #expect(TrainedGenerator.checkpoints(ofRun: run.folder).sorted() == ["best", "iteration-000004"])
        let best = try TrainedGenerator(run: run.folder, checkpoint: "best")
        #expect(try best.samples(2, seed: 1).floats == expected?.samples(2, seed: 1).floats)
    }
}
