import KantoData
import KantoDescriptions
import KantoGAN
import KantoNN

/// What a run has logged in its `metrics.jsonl`.
public struct LoggedMetrics: Sendable {
    /// In the order of the lines. Of a run of an earlier version, histograms are empty, and what is said of the critic is of the last
    /// critic step of an iteration.
    public private(set) var history: [IterationMetrics] = []

    /// Reads the log of a run, also while it trains: a line that is not whole yet is left out.
    ///
    /// - Throws: `DataError` if the log cannot be read or holds a line that is none.
    public init(ofRun folder: String) throws {
        try Self.forEachLine(of: Self.path(ofRun: folder)) { metrics, _ in
            history.append(metrics)
            return true
        }
    }

    /// Reads a run's log, and cuts off what stands behind the line of an iteration: it is to be computed again.
    ///
    /// - Throws: `DataError` if the log cannot be read, or holds a line that is none, or cannot be cut.
    init(ofRun folder: String, cuttingAfter iteration: Int) throws {
        let path = Self.path(ofRun: folder)
        var end = 0
        let size = try Self.forEachLine(of: path) { metrics, endOfLine in
            if metrics.iteration > iteration { return false }
            history.append(metrics)
            end = endOfLine
            return true
        }
        // What a killed process left of a line, too.
        if end < size { try cutFile(path, to: end) }
    }

    static func path(ofRun folder: String) -> String { folder + "/metrics.jsonl" }

    /// - Parameter body: receives a line and its end in the file; false ends the reading.
    /// - Returns: the size of the file.
    @discardableResult
    private static func forEachLine(of path: String, _ body: (IterationMetrics, _ end: Int) -> Bool) throws -> Int {
        let bytes = try readFile(path)
        var start = 0
        var number = 1
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = try? DescriptionValue(json: Array(bytes[start..<end])), let metrics = IterationMetrics(line) else {
                throw DataError(.badInput, "\(path): line \(number): expected an object of numbers with the key 'iteration'")
            }
            guard body(metrics, end + 1) else { break }
            start = end + 1
            number += 1
        }
        return bytes.count
    }
}

extension IterationMetrics {
    /// A line of the log.
    func line(rates: (critic: Double, generator: Double)) -> KeyValuePairs<String, MetricValue> {
        [
            "iteration": .integer(iteration), "critic_loss": .double(criticLoss),
            "wasserstein_estimate": .double(wassersteinEstimate), "penalty": .double(penalty),
            "gradient_norm_mean": .double(meanGradientNorm), "gradient_norm_max": .double(largestGradientNorm),
            "gradient_norm_within": .double(gradientNormWithin ?? .nan),
            "gradient_norm_histogram": .integers(gradientNormHistogram.counts), "generator_loss": .double(generatorLoss),
            "held_out_critic_loss": heldOutCriticLoss.map { .double($0) } ?? .nothing,
            "training_critic_loss": trainingCriticLoss.map { .double($0) } ?? .nothing,
            "covered_modes": coveredModes.map { .integer($0) } ?? .nothing,
            "modes": modeCount.map { .integer($0) } ?? .nothing,
            "sample_distance": sampleDistance.map { .double($0) } ?? .nothing,
            "critic_learning_rate": .double(rates.critic), "generator_learning_rate": .double(rates.generator),
            "seconds": .double(seconds),
        ]
    }

    /// That of a line of the log; a number that was not finite is NaN there.
    fileprivate init?(_ line: DescriptionValue) {
        guard case .object(let members) = line, case .integer(let iteration)? = members["iteration"],
            let iteration = Int(exactly: iteration)
        else { return nil }
        func number(_ key: String) -> Double? {
            switch members[key] {
            case .integer(let value): Double(value)
            case .number(let value): value
            case .null: .nan
            default: nil
            }
        }
        self.init()
        self.iteration = iteration
        criticLoss = number("critic_loss") ?? .nan
        wassersteinEstimate = number("wasserstein_estimate") ?? .nan
        penalty = number("penalty") ?? .nan
        meanGradientNorm = number("gradient_norm_mean") ?? .nan
        largestGradientNorm = number("gradient_norm_max") ?? .nan
        generatorLoss = number("generator_loss") ?? .nan
        heldOutCriticLoss = number("held_out_critic_loss")
        trainingCriticLoss = number("training_critic_loss")
        coveredModes = number("covered_modes").flatMap { Int(exactly: $0) }
        modeCount = number("modes").flatMap { Int(exactly: $0) }
        sampleDistance = number("sample_distance")
        seconds = number("seconds") ?? 0
        if let value = members["gradient_norm_histogram"] {
            guard let counts = try? [Int](value), let histogram = GradientNormHistogram(counts: counts) else { return nil }
            gradientNormHistogram = histogram
        }
    }
}
