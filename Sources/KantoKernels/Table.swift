/// Rows of cells, each column as wide as its longest cell; a line a row.
package func tableLines(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
        row.enumerated().map { column, text in column == row.count - 1 ? text : text.padded(to: widths[column]) }
            .joined(separator: "  ")
    }
}

extension String {
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// A number with a fixed count of decimals.
package func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var power = 1.0
    for _ in 0..<decimals { power *= 10 }
    let scaled = Int((abs(value) * power).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(scaled)" }
    let fraction = "\(scaled % Int(power))"
    return "\(sign)\(scaled / Int(power))." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

/// A whole number with commas between thousands: 2,300.
package func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (place, digit) in digits.enumerated() {
        if place > 0, (digits.count - place).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return text
}

/// A number with three digits or so, four decimals at most: 123, 12.3, 1.23, 0.123, 0.0123.
package func threeDigits(_ value: Double) -> String {
    let size = abs(value)
    return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4)
}

/// Whole seconds, none negative, as on a clock: 0:05, 1:24, 2:01:05.
package func clock(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return (hours > 0 ? "\(grouped(hours)):" + two(minutes) : "\(minutes)") + ":" + two(seconds % 60)
}
