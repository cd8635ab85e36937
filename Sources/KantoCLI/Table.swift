/// Rows of cells, each column as wide as its longest cell; a line a row.
func tableLines(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
        row.enumerated().map { column, text in column == row.count - 1 ? text : text.padded(to: widths[column]) }
            .joined(separator: "  ")
    }
}

/// Prints rows of cells under a header.
func printTable(_ header: [String], _ rows: [[String]]) {
    for line in tableLines([header] + rows) { print(line) }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
