import Glibc

/// The range of an axis and its ticks, at multiples of 1, 2 or 5 times a power of ten.
struct ChartAxis: Equatable {
    struct Tick: Equatable {
        let value: Double
        let label: String
    }

    let range: ClosedRange<Double>
    let ticks: [Tick]

    /// - Parameters:
    ///   - values: What must be inside; NaN and infinity are passed over.
    ///   - padding: What is added at each end, as a share of the span.
    ///   - mostTicks: How many ticks there is room for, at least 2.
    init(covering values: some Sequence<Double>, padding: Double, mostTicks: Int) {
        let finite = values.lazy.filter(\.isFinite)
        // Beyond this a span may not be a number any more.
        let limit = 1e300
        var low = Double.infinity
        var high = -Double.infinity
        for value in finite {
            low = min(low, max(-limit, value))
            high = max(high, min(limit, value))
        }
        if low > high { (low, high) = (0, 1) }
        let magnitude = max(abs(low), abs(high))
        if high - low <= max(1e-9 * magnitude, 1e-290) {
            // A constant stands in the middle.
            let margin = magnitude > 1e-280 ? magnitude / 10 : 1
            (low, high) = (low - margin, high + margin)
        } else {
            let margin = (high - low) * padding
            (low, high) = (low - margin, high + margin)
        }
        range = low...high
        ticks = Self.ticks(in: range, most: max(2, mostTicks))
    }

    /// Where a value lies, from 0 at the lower end to 1 at the upper.
    func position(of value: Double) -> Double {
        (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    private static func ticks(in range: ClosedRange<Double>, most: Int) -> [Tick] {
        var exponent = Int(log10((range.upperBound - range.lowerBound) / Double(most)).rounded(.down))
        var (digit, step, first, last) = (1, 0.0, 0, 0)
        search: while true {
            for candidate in [1, 2, 5] {
                digit = candidate
                step = Double(candidate) * pow(10, Double(exponent))
                // An end that is a multiple, such as 0.3 of 0.1, may have been rounded to just beside it.
                first = Int((range.lowerBound / step - 1e-6).rounded(.up))
                last = Int((range.upperBound / step + 1e-6).rounded(.down))
                if last - first < most { break search }
            }
            exponent += 1
        }
        guard first <= last else { return [] }
        // One notation an axis: that of its largest number.
        let largest = max(first.magnitude, last.magnitude) * UInt(digit)
        let leading = String(largest).count - 1 + exponent
        let scientific = largest > 0 && !(-2..<6 ~= leading)
        return (first...last).map { index in
            let label = label(index * digit, exponent: exponent, scientific: scientific)
            return Tick(value: Double(index) * step, label: label)
        }
    }

    /// `number` · 10^`exponent` in digits, exactly: 0.25, 1200 or, scientific, 1.5e-4, 2e6.
    static func label(_ number: Int, exponent: Int, scientific: Bool) -> String {
        if number == 0 { return "0" }
        let sign = number < 0 ? "-" : ""
        var digits = String(number.magnitude)
        var exponent = exponent
        while digits.hasSuffix("0") {
            digits.removeLast()
            exponent += 1
        }
        // The power of ten of the first digit.
        let leading = exponent + digits.count - 1
        if scientific {
            let fraction = digits.dropFirst()
            return "\(sign)\(digits.prefix(1))\(fraction.isEmpty ? "" : "." + fraction)e\(leading)"
        }
        if exponent >= 0 { return sign + digits + String(repeating: "0", count: exponent) }
        if leading < 0 { return sign + "0." + String(repeating: "0", count: -leading - 1) + digits }
        return sign + digits.prefix(leading + 1) + "." + digits.suffix(-exponent)
    }
}
