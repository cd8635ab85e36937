/// Rows of cells under a header, each column as wide as its longest cell.
func printTable(_ header: [String], _ rows: [[String]]) {
    let lines = [header] + rows
    let widths = header.indices.map { column in lines.map { $0[column].count }.max()! }
    for line in lines {
        let cells = line.enumerated().map { column, text in column == line.count - 1 ? text : text.padded(to: widths[column]) }
        print(cells.joined(separator: "  "))
    }
}
