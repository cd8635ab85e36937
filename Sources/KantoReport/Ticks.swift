import Glibc

/// The marks of an axis, at multiples of 1, 2, 2.5 or 5 times a power of ten.
struct Ticks: Equatable {
    private(set) var values: [Double] = []
    /// How many decimals tell them apart.
    private(set) var decimals = 0

    /// The smallest such step that gives at most `most` marks, 1 or more.
    init(_ range: AxisRange, atMost most: Int) {
        let (low, high) = (range.lower, range.upper)
        guard high > low, (high - low).isFinite else { return }
        let power = pow(10, (log10((high - low) / Double(most) / 10)).rounded(.down))
        func count(_ step: Double) -> Double { (high / step + 1e-6).rounded(.down) - (low / step - 1e-6).rounded(.up) + 1 }
        let factors = [1, 2, 2.5, 5, 10, 20, 25, 50, 100, 200]
        guard let factor = factors.first(where: { count($0 * power) <= Double(most) }) else { return }
        let step = factor * power
        let first = (low / step - 1e-6).rounded(.up)
        values = (0..<most).map { (first + Double($0)) * step }.filter { $0 <= high + step * 1e-6 }
        decimals = (0..<6).first { abs(step * pow(10, Double($0)) - (step * pow(10, Double($0))).rounded()) < 1e-6 } ?? 6
    }

    func text(_ value: Double) -> String {
        // No digit of a very small range would be seen.
        decimals >= 6 && value != 0 ? NumberText.scientific(value) : NumberText.signed(value, decimals)
    }
}
