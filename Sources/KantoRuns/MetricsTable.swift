import KantoData

/// What a run has logged as CSV (RFC 4180): a header, and a row an iteration, with the numbers as the log has them. What is
/// measured now and then, or was no finite number, is an empty cell.
public struct MetricsTable: Sendable {
    /// The names of the columns.
    public private(set) var columns: [String] = []
    /// The cells of each row, in the order of the columns; a row ends where no cell follows.
    private var rows: [[String]] = []

    /// Reads the log of a run, also while it trains: a line that is not whole yet is left out.
    ///
    /// - Parameter withLists: with a column for each number of a list, such as the histogram of gradient norms; otherwise lists
    ///   are left out.
    /// - Throws: `DataError` if the log cannot be read or holds a line that is none.
    public init(ofRun folder: String, withLists: Bool = false) throws {
        let path = LoggedMetrics.path(ofRun: folder)
        let bytes = try readFile(path)
        var places: [String: Int] = [:]
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            var row = [String](repeating: "", count: columns.count)
            func put(_ cell: String, under name: String) {
                let place = places[name] ?? columns.count
                if place == columns.count {
                    places[name] = place
                    columns.append(name)
                }
                while row.count <= place { row.append("") }
                row[place] = cell
            }
            do {
                var parser = JSONParser(bytes, in: start..<end)
                try parser.object { parser, key in
                    switch try parser.value() {
                    case .number(let text), .text(let text): put(text, under: key)
                    case .boolean(let value): put("\(value)", under: key)
                    case .list(let values) where withLists:
                        for (index, value) in values.enumerated() {
                            if case .number(let text) = value { put(text, under: "\(key)_\(index)") }
                        }
                    case .null: put("", under: key)
                    case .list, .object: break
                    }
                }
                try parser.finish()
            } catch let fault as JSONFault {
                throw DataError(.badInput, "\(path): line \(rows.count + 1): \(fault.reason)")
            }
            rows.append(row)
            start = end + 1
        }
        if rows.isEmpty { columns = ["iteration"] }
    }

    /// The lines, the header first, without their ends.
    public func forEachLine(_ body: (String) throws -> Void) rethrows {
        try body(columns.map(CSV.quoted).joined(separator: ","))
        for row in rows {
            let cells = row + Array(repeating: "", count: columns.count - row.count)
            try body(cells.map(CSV.quoted).joined(separator: ","))
        }
    }
}
