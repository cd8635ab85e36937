import Glibc

/// A text that is mostly numbers, of an SVG path or of JSON, written one by one: a report has ten thousands of them.
struct PathText {
    private var bytes: [UInt8] = []

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ text: String) { bytes += text.utf8 }

    mutating func append(_ number: Int) {
        if number < 0 { append("-") }
        appendDigits(number.magnitude)
    }

    /// A number with as many decimals, as it needs of those that are allowed.
    ///
    /// - Precondition: it is finite and below 1e12.
    mutating func append(_ number: Double, decimals: Int) {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        var scaled = Int((abs(number) * scale).rounded()), decimals = decimals
        if number < 0, scaled != 0 { append("-") }
        while decimals > 0, scaled % 10 == 0 { (scaled, decimals) = (scaled / 10, decimals - 1) }
        guard decimals > 0 else { return appendDigits(UInt(scaled)) }
        let divisor = (0..<decimals).reduce(1) { divisor, _ in divisor * 10 }
        appendDigits(UInt(scaled / divisor))
        append(".")
        var digit = divisor / 10
        while digit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(scaled / digit % 10))
            digit /= 10
        }
    }

    /// A number as JSON has it, to some significant digits; null where it is not finite.
    mutating func appendSignificant(_ number: Double, digits: Int = 4) {
        guard number.isFinite else {
            bytes += Array("null".utf8)
            return
        }
        guard number != 0 else { return append(0) }
        let exponent = Int(log10(abs(number)).rounded(.down))
        guard -9..<9 ~= exponent else {
            let power = pow(10, Double(exponent))
            append(number / power, decimals: digits - 1)
            append("e")
            return append(exponent)
        }
        append(number, decimals: max(0, digits - 1 - exponent))
    }

    private mutating func appendDigits(_ number: UInt) {
        if number >= 10 { appendDigits(number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    /// A line through points, broken where one is nil.
    mutating func appendLine(_ points: [Point?]) {
        var isFirst = true
        for point in points {
            guard let point else {
                isFirst = true
                continue
            }
            append(isFirst ? "M" : "L")
            isFirst = false
            append(point)
        }
    }

    /// What lies between two lines over the same places; where one of them is broken, so is it.
    mutating func appendBand(_ low: [Point?], _ high: [Point?]) {
        var start = 0
        while start < low.count {
            guard low[start] != nil, high[start] != nil else {
                start += 1
                continue
            }
            var end = start
            while end < low.count, low[end] != nil, high[end] != nil { end += 1 }
            for (index, point) in (low[start..<end] + high[start..<end].reversed()).enumerated() {
                append(index == 0 ? "M" : "L")
                append(point!)
            }
            append("Z")
            start = end
        }
    }

    /// To a tenth across and a hundredth down, of a plot of 1000 by 100.
    private mutating func append(_ point: Point) {
        append(point.x, decimals: 1)
        append(" ")
        append(point.y, decimals: 2)
    }

    struct Point: Equatable {
        let x: Double
        let y: Double
    }
}
