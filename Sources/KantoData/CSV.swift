/// Rows of numbers as text, a line each, with commas between.
///
/// Source: RFC 4180
public enum CSV {
    /// Writes rows under a header, atomically. Numbers are the shortest that read back as the same number.
    ///
    /// - Parameters:
    ///   - values: [rows, columns], row-major.
    ///   - columns: one name a column.
    /// - Precondition: the values fill whole rows.
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public static func write(_ values: [Float], columns: [String], to path: String) throws(DataError) {
        precondition(
            !columns.isEmpty && values.count % columns.count == 0, "\(values.count) values do not fill rows of \(columns.count)")
        var text = columns.map(quoted).joined(separator: ",") + "\n"
        for row in stride(from: 0, to: values.count, by: columns.count) {
            text += values[row..<row + columns.count].map { "\($0)" }.joined(separator: ",") + "\n"
        }
        try AtomicFile.write(Array(text.utf8), to: path)
    }

    private static func quoted(_ name: String) -> String {
        guard name.contains(where: { ",\"\n\r".contains($0) }) else { return name }
        return "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
