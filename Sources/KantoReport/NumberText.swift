import KantoKernels

/// Numbers as the report writes them.
enum NumberText {
    /// What stands where there is no number.
    static let missing = "–"

    /// Four digits or fewer: 123, 12.3, 1.23, 0.123, 0.0123.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return missing }
        return abs(value) < 1e6 ? withMinus(threeDigits(value)) : scientific(value)
    }

    /// A whole number with commas between thousands.
    static func whole(_ value: Double) -> String {
        guard value.isFinite else { return missing }
        guard abs(value) < 1e15 else { return scientific(value) }
        return whole(Int(value.rounded()))
    }

    /// A whole number with commas between thousands.
    static func whole(_ value: Int) -> String { withMinus(grouped(value)) }

    /// Of 1: `71%`.
    static func percent(_ share: Double) -> String {
        share.isFinite && abs(share) < 1e9 ? "\(Int((share * 100).rounded()))%" : missing
    }

    /// 0:05, 1:24, 2:01:05.
    static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return missing }
        return KantoKernels.clock(Int(seconds))
    }

    /// With a typographic minus.
    static func signed(_ value: Double, _ decimals: Int) -> String { withMinus(fixed(value, decimals)) }

    private static func withMinus(_ text: String) -> String { text.hasPrefix("-") ? minus + text.dropFirst() : text }

    private static let minus = "−"

    /// 1.2e9: what no digits have room for.
    static func scientific(_ value: Double) -> String {
        var (mantissa, exponent) = (abs(value), 0)
        while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa < 1, mantissa > 0 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        return (value < 0 ? minus : "") + fixed(mantissa, 1) + "e\(exponent)"
    }
}
