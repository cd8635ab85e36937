import KantoData
import KantoDescriptions
import KantoGAN
import KantoNN

/// What a run has logged up to some iteration.
struct LoggedMetrics {
    /// In the order of the lines.
    private(set) var history: [IterationMetrics] = []
    /// What the run took, in seconds.
    private(set) var seconds = 0.0

    static let secondsKey = "seconds"

    /// Reads a log, and cuts off what stands behind the line of an iteration: it is to be computed again.
    ///
    /// - Throws: `DataError` if the log cannot be read, or holds a line that is none, or cannot be cut.
    init(cutting path: String, after iteration: Int) throws {
        let bytes = try readFile(path)
        var start = 0
        var number = 1
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = try? DescriptionValue(json: Array(bytes[start..<end])), let metrics = IterationMetrics(line) else {
                throw DataError(.badInput, "\(path): line \(number): expected an object of numbers with the key 'iteration'")
            }
            if metrics.iteration > iteration { break }
            history.append(metrics)
            seconds = Self.number(line, Self.secondsKey) ?? seconds
            start = end + 1
            number += 1
        }
        // What a killed process left of a line, too.
        if start < bytes.count { try cutFile(path, to: start) }
    }

    fileprivate static func number(_ line: DescriptionValue, _ key: String) -> Double? {
        switch line.value(at: key) {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension IterationMetrics {
    /// Those of a line of the log; a number that was not finite is NaN there.
    fileprivate init?(_ line: DescriptionValue) {
        guard case .integer(let iteration)? = line.value(at: "iteration"), let iteration = Int(exactly: iteration) else {
            return nil
        }
        func number(_ key: String) -> Double { LoggedMetrics.number(line, key) ?? .nan }
        self.init()
        self.iteration = iteration
        criticLoss = number("critic_loss")
        wassersteinEstimate = number("wasserstein_estimate")
        penalty = number("penalty")
        meanGradientNorm = number("gradient_norm_mean")
        largestGradientNorm = number("gradient_norm_max")
        generatorLoss = number("generator_loss")
    }
}
