import KantoDescriptions

/// The classes of samples, in a file of their own: an IDX file, an .npy array of integers, or a text with a name or a number a
/// line.
enum LabelFile {
    /// - Throws: `DataError` if there is not one class a sample.
    static func read(_ path: String, count: Int, memoryLimit: Int) throws -> (labels: [Int], names: [String]?) {
        let file = try DataSource.file(path, memoryLimit)
        let start = try file.prefix(16)
        if IDXDataset.startsAsIDX(start) || start.starts(with: NPY.magic) { return (try integers(file, count: count), nil) }
        return try text(file, count: count)
    }

    /// The integers of an IDX or .npy file.
    static func integers(_ file: ByteSource, count: Int) throws -> [Int] {
        let (shape, format, start): ([Int], NumberFormat, Int)
        if try file.prefix(NPY.magic.count) == NPY.magic {
            let header = try NPYLayout(file)
            (shape, format, start) = (header.shape, header.format, header.start)
        } else {
            let header = try IDXHeader(
                file.prefix(IDXHeader.largest), fileSize: file.size, name: file.name, types: IDXHeader.types)
            (shape, format, start) = (header.shape, header.format, header.start)
        }
        guard elementCount(of: shape) == count, shape.first == count else {
            throw DataError.bad(file.name, at: min(4, file.size), "expected \(count) labels, one a sample; found sizes \(shape)")
        }
        var labels: [Int] = []
        try requireMemory(count * 8)
        labels.reserveCapacity(count)
        var wrong: (index: Int, value: Double)?
        try file.withBytes(start..<file.size) { bytes in
            guard let base = bytes.baseAddress else { return }
            format.forEach(base, count: count) { index, value in
                if let label = Int(exactly: value), 0...largestLabel ~= label {
                    labels.append(label)
                } else if wrong == nil {
                    wrong = (index, value)
                }
            }
        }
        if let wrong {
            throw DataError.bad(
                file.name, at: start + wrong.index * format.type.size,
                "expected a class, a whole number from 0 to \(largestLabel); found \(decimal(wrong.value))")
        }
        return labels
    }

    /// A network has an output or a row of weights for each class.
    private static let largestLabel = 999_999

    /// A class a line; names are numbered in their order.
    private static func text(_ file: ByteSource, count: Int) throws -> (labels: [Int], names: [String]?) {
        guard file.size <= 1 << 30 else {
            throw DataError(.badInput, "\(file.name): holds \(file.size) bytes; expected a class a line")
        }
        let bytes = try file.bytes(0..<file.size)
        var words = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        if words.last == "" { words.removeLast() }
        guard words.count == count else {
            throw DataError(.badInput, "\(file.name): expected \(count) lines, one class a sample; found \(words.count)")
        }
        if let empty = words.firstIndex(of: "") {
            throw DataError(.badInput, "\(file.name): line \(empty + 1): expected a class; found nothing")
        }
        return number(words)
    }

    /// Whole numbers as they are, names in their order.
    static func number(_ words: [String]) -> (labels: [Int], names: [String]?) {
        let numbers = words.map { Int($0).flatMap { 0...largestLabel ~= $0 ? $0 : nil } }
        if !numbers.contains(nil) { return (numbers.map { $0! }, nil) }
        let names = Set(words).sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        return (words.map { places[$0]! }, names)
    }
}

extension ArrayDataset.Parts {
    /// Reads the labels that a description names, if it does.
    mutating func addLabels(_ description: DataDescription, _ options: Datasets.Options) throws {
        guard let path = description.labels else { return }
        (labels, classNames) = try LabelFile.read(path, count: records.count, memoryLimit: options.memoryLimit)
    }
}
