import ArgumentParser
import Kanto

struct EvaluateCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure how good a run's samples are, without anything to download.",
        discussion: """
            Samples of the generator are compared with real ones by all metrics that fit the data. REAL is the same number for as many \
            other real samples: what a perfect generator would reach. The interval is that of 95 in 100 evaluations on other samples.

            Points of ring8 and grid25: modes covered, high quality, deviation, reverse KL (PacGAN). Any data: W1 and W2 by \
            the best assignment; precision, recall, density, coverage; whether training data are repeated. Pictures: sliced \
            Wasserstein distance by level. Labelled pictures: a small classifier is trained once, a matter of seconds, and kept in the \
            run's folder; its features take the place of pixels, with a Fréchet distance (not comparable with Inception's) and \
            class shares. Tables: W1 of each column and correlations. With --data, and for points: whether the critic knows its training \
            data by heart.
            """)

    @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory)
    var run: String

    @Option(
        help: ArgumentHelp(
            "Real samples that the run was not trained on, of the same kind. (default: a part of the training's own)",
            valueName: "held-out"), completion: .file())
    var data: String?

    @Option(help: "How many samples of each kind, or as many as there are.")
    var count = 2500

    @Option(help: "Seed of the samples.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Which of the run's checkpoints, 'best' say. (default: the newest)", valueName: "name"))
    var checkpoint: String?

    @Flag(help: "One JSON object.")
    var json = false

    mutating func execute() throws {
        guard 10...50_000 ~= count else { throw Failure.usage("--count \(count): expected a number from 10 to 50000") }
        try checkRun(run)
        var options = Evaluation.Options()
        (options.count, options.seed, options.heldOut, options.checkpoint) = (count, seed, data, checkpoint)
        let showsProgress = terminalWidth() != nil && !json
        let evaluation = try Evaluation(run: run, options) { if showsProgress { LiveLine.show($0 + " …") } }
        if showsProgress { LiveLine.clear() }
        if json { return print(try jsonText(Report(evaluation))) }
        for line in EvaluationText(evaluation).lines(width: terminalWidth() ?? 80) { print(line) }
    }
}

/// What `kanto evaluate --json` prints.
private struct Report: Encodable {
    struct Metric: Encodable {
        let name: String, group: Evaluation.Group, goal: Evaluation.Goal
        let value: Double, interval: [Double]
        let real: Double?, realInterval: [Double]?

        enum CodingKeys: String, CodingKey { case name, group, goal, value, interval, real, realInterval = "real_interval" }

        init(_ measurement: Evaluation.Measurement) {
            (name, group, goal) = (measurement.name, measurement.group, measurement.goal)
            let (generated, real) = (measurement.generated, measurement.real)
            (value, interval) = (generated.value, [generated.interval.lowerBound, generated.interval.upperBound])
            self.real = real?.value
            realInterval = real.map { [$0.interval.lowerBound, $0.interval.upperBound] }
        }
    }
    struct Classifier: Encodable {
        let accuracy: Double
        let classes: [String]
        let generatedShares, realShares: [Double]

        enum CodingKeys: String, CodingKey {
            case accuracy, classes, generatedShares = "generated_shares", realShares = "real_shares"
        }
    }
    let run, checkpoint: String
    let iteration: Int?
    let data: String
    let heldOut: String?
    let count: Int
    let classifier: Classifier?
    let metrics: [Metric]
    let notes: [String]

    enum CodingKeys: String, CodingKey {
        case run, checkpoint, iteration, data, heldOut = "held_out", count, classifier, metrics, notes
    }

    init(_ evaluation: Evaluation) {
        (run, checkpoint, iteration) = (evaluation.run, evaluation.checkpoint, evaluation.iteration)
        (data, heldOut, count) = (evaluation.data, evaluation.heldOut, evaluation.count)
        classifier = evaluation.classifier.map {
            Classifier(
                accuracy: $0.accuracy, classes: $0.classes, generatedShares: $0.generatedShares, realShares: $0.realShares)
        }
        metrics = evaluation.measurements.map(Metric.init)
        notes = evaluation.notes
    }
}
