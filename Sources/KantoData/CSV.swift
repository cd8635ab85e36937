/// Rows of numbers as text, a line each, with commas between.
///
/// Source: RFC 4180
public enum CSV {
    /// Writes rows under a header, atomically. Numbers are the shortest that read back as the same number.
    ///
    /// - Parameters:
    ///   - values: [rows, columns], row-major.
    ///   - columns: one name a column.
    ///   - classes: of each row, for a last column, `class`; nil for none.
    /// - Precondition: the values fill whole rows, and there is a class for each.
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public static func write(
        _ values: [Float], columns: [String], classes: [String]? = nil, to path: String
    ) throws(DataError) {
        precondition(
            !columns.isEmpty && values.count % columns.count == 0, "\(values.count) values do not fill rows of \(columns.count)")
        let rowCount = values.count / columns.count
        precondition(classes.map { $0.count == rowCount } ?? true, "there is not one class a row")
        var text = (columns.map(quoted) + (classes == nil ? [] : ["class"])).joined(separator: ",") + "\n"
        for row in 0..<rowCount {
            let numbers = values[row * columns.count..<(row + 1) * columns.count].map { "\($0)" }
            text += (numbers + (classes.map { [quoted($0[row])] } ?? [])).joined(separator: ",") + "\n"
        }
        try AtomicFile.write(Array(text.utf8), to: path)
    }

    /// A cell, in quotes where it would otherwise be more than one.
    package static func quoted(_ name: String) -> String {
        guard name.contains(where: { ",\"\n\r".contains($0) }) else { return name }
        return "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
