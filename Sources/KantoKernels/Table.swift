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
