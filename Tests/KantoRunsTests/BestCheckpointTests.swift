import KantoData
import KantoDescriptions
import KantoGAN
@testable import KantoRuns
import KantoTensor
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

extension BestCheckpointTests {
    private func due(_ measure: BestMeasure, _ values: [Double?], _ put: (inout IterationMetrics, Double?) -> Void) -> [Double?] {
        var best = BestCheckpoint(interval: 1, by: measure)
        return values.enumerated().filter { index, value in
            var metrics = IterationMetrics()
            metrics.iteration = index + 1
            // The loss goes the other way.
            metrics.wassersteinEstimate = Double(index)
            put(&metrics, value)
            return best.isDue(after: metrics)
        }.map(\.element)
    }

    @Test func isToldByWhatTheConfigurationNames() {
        #expect(due(.sampleDistance, [3, 4, nil, 2, 2.5, 1]) { $0.sampleDistance = $1 } == [3, 2, 1])
        #expect(due(.heldOutEstimate, [-1, -3, -2, nil, -2.5, 1]) { $0.heldOutCriticLoss = $1 } == [-1, -3, -2, 1])
    }

    /// Of networks that are told classes, too.
    @Test(arguments: [nil, "projection"]) func theDistanceIsMeasuredAtEachInterval(conditioning: String?) throws {
        let folder = try TemporaryFolder()
        var words: [(path: String, value: DescriptionValue)] = [
            ("best_by", .word("sample_distance")), ("data.held_out", .word("0.1")), ("sample_interval", .word("1")),
            ("average_decay", .word("0.5")),
        ]
        if let conditioning { words.append(("conditioning.name", .word(conditioning))) }
        let configuration = try RunConfiguration(completing: .object(["preset": .text("digits")]), setting: words)
        let run = try Run(configuration, folder: folder.path + "/run")
        let history = try (0..<3).map { _ in try run.step() }
        #expect(history.allSatisfy { ($0.sampleDistance ?? -1) > 0 } && Set(history.map(\.sampleDistance)).count == 3)
        #expect(try LoggedMetrics(ofRun: run.folder).history == history)
        var wrong = configuration
        wrong.bestMeasure = .heldOutEstimate
        wrong.data.heldOut = nil
        let error = #expect(throws: DescriptionError.self) { try wrong.validate() }
        #expect(error?.description == "best_by: 'held_out_estimate' wants samples that are held out from training: data.held_out")
    }

    /// In one dimension there is one direction, up to its sign: the distance is that of sorted numbers.
    @Test func theDistanceOfNumbersIsThatOfTheirOrder() throws {
        let folder = try TemporaryFolder()
        let data = try Datasets.open(DataDescription(path: folder.write("0\n1\n2\n3\n4\n", to: "x.csv")))
        var configuration = RunConfiguration()
        configuration.networks.generator.input = [1]
        let real = try KeptSamples(data, count: 5, beside: data, labels: nil, configuration)
        let distance = try SampleDistance(to: real, configuration)
        let values = real.samples.floats
        #expect(try distance.value { _, _ in real.samples } == 0)
        let shifted = try distance.value { _, _ in try Tensor(values.reversed().map { $0 + 2 }, shape: [5, 1]) }
        #expect(abs(shifted - 2) < 1e-6)
    }
}
