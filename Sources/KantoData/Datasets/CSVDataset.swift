/// Rows of numbers in a text, with commas, semicolons, tabs or spaces between; the first line may name the columns.
enum CSVDataset {
    /// A text whose first or second line has a number.
    static func recognizes(_ source: DataSource) -> Bool {
        guard case .file = source.content, !source.start.isEmpty else { return false }
        guard !source.start.contains(where: { $0 < 32 && ![9, 10, 13].contains($0) }) else { return false }
        let lines = source.start.split(separator: UInt8(ascii: "\n")).prefix(2)
        guard let first = lines.first else { return false }
        let text = CSVText(firstLine: first)
        return lines.contains { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            return (text.fields(line) ?? line.split(separator: text.separator)).contains { CSVText.number($0) != nil }
        }
    }

    static func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        let file = try source.requireFile("csv")
        let table = try CSVTable(file, labelColumn: description.labels, memoryLimit: options.memoryLimit)
        let records = Records(
            name: file.name, parts: [.init(source: ByteSource(table.values, name: file.name), start: 0, count: table.rowCount)],
            format: NumberFormat(.float64), valueCount: table.columns.count)
        var parts = ArrayDataset.Parts(records: records, shape: [table.columns.count])
        parts.featureNames = table.hasHeader ? table.columns : nil
        parts.notes = table.hasHeader ? [] : ["\(file.name): has no header; its first line is the first row"]
        if let words = table.labels {
            (parts.labels, parts.classNames) = LabelFile.number(words)
        } else if let path = description.labels {
            guard fileMode(path) != nil else {
                let names = table.columns.prefix(12).joined(separator: ", ") + (table.columns.count > 12 ? ", …" : "")
                throw DataError(.missingInput, "\(path): is neither a column of \(file.name) (\(names)) nor a file")
            }
            try parts.addLabels(description, options)
        }
        return try ArrayDataset(parts, description)
    }
}

/// A CSV file, read.
private struct CSVTable {
    /// The names of the columns of numbers, or their positions from 1.
    private(set) var columns: [String] = []
    let hasHeader: Bool
    private(set) var rowCount = 0
    /// Row by row, as float64 in this machine's order, which is little-endian.
    private(set) var values: [UInt8] = []
    /// The column of classes.
    private(set) var labels: [String]?

    /// - Parameter labelColumn: the name of the column of classes, if there is one of that name.
    init(_ file: ByteSource, labelColumn: String?, memoryLimit: Int) throws {
        var lines = LineReader(file)
        var first = try lines.line()
        while let line = first, line.isEmpty { first = try lines.line() }
        guard let first else { throw DataError.bad(file.name, at: 0, "the file is empty; expected rows of numbers") }
        let text = CSVText(firstLine: first)
        let names = try Self.fields(text, first, lines.number, file.name)
        hasHeader = names.contains { CSVText.number($0) == nil }
        let all = names.indices.map { hasHeader ? String(decoding: names[$0], as: UTF8.self) : "\($0 + 1)" }
        let labelIndex = labelColumn.flatMap(all.firstIndex)
        columns = all.indices.filter { $0 != labelIndex }.map { all[$0] }
        guard !columns.isEmpty else {
            throw DataError(.badInput, "\(file.name): line \(lines.number): expected a column of numbers beside '\(all[0])'")
        }
        if labelIndex != nil { labels = [] }

        var line = hasHeader ? try lines.line() : first
        while let row = line {
            if !row.isEmpty {
                try add(Self.fields(text, row, lines.number, file.name), all, labelIndex, lines.number, file.name, memoryLimit)
            }
            line = try lines.line()
        }
        guard rowCount > 0 else {
            throw DataError(
                .badInput, "\(file.name): line \(lines.number): the file ends; expected rows of numbers after the header")
        }
    }

    private typealias Fields = [ArraySlice<UInt8>]

    private static func fields(_ text: CSVText, _ line: ArraySlice<UInt8>, _ number: Int, _ name: String) throws -> Fields {
        guard let fields = text.fields(line) else { throw DataError(.badInput, "\(name): line \(number): a quote is not closed") }
        return fields
    }

    private mutating func add(
        _ fields: Fields, _ names: [String], _ labelIndex: Int?, _ line: Int, _ file: String, _ memoryLimit: Int
    ) throws {
        guard fields.count == names.count else {
            throw DataError(.badInput, "\(file): line \(line): expected \(names.count) columns, found \(fields.count)")
        }
        for (index, field) in fields.enumerated() {
            func bad(_ reason: String) -> DataError {
                DataError(.badInput, "\(file): line \(line), column \(hasHeader ? "'\(names[index])'" : names[index]): \(reason)")
            }
            let text = String(decoding: field.prefix(60), as: UTF8.self)
            if index == labelIndex {
                guard !field.isEmpty else { throw bad("expected a class, found nothing") }
                labels!.append(String(decoding: field, as: UTF8.self))
                continue
            }
            guard !field.isEmpty else { throw bad("expected a number, found nothing") }
            guard let number = CSVText.number(field) else {
                throw bad(
                    "expected a number, found '\(text)'\(hasHeader && labelIndex == nil ? " (data.labels may name a column of classes)" : "")"
                )
            }
            guard number.isFinite else { throw bad("expected a finite number, found '\(text)'") }
            withUnsafeBytes(of: number.bitPattern.littleEndian) { values.append(contentsOf: $0) }
        }
        rowCount += 1
        guard values.count <= memoryLimit else {
            throw DataError(
                .badInput,
                "\(file): line \(line): its numbers take more than \(memoryLimit) bytes of memory; save them as an .npy file, "
                    + "which is read piece by piece")
        }
    }
}
