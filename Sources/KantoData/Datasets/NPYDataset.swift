/// Samples in an array of NumPy: [count, n], [count, height, width] or with channels.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
enum NPYDataset {
    static func recognizes(_ source: DataSource) -> Bool { source.start.starts(with: NPY.magic) }

    static func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        try open(source.requireFile("npy"), labels: nil, description, options)
    }

    static func open(
        _ file: ByteSource, labels: ByteSource?, _ description: DataDescription, _ options: Datasets.Options
    ) throws -> any Dataset {
        let layout = try NPYLayout(file)
        guard 2...4 ~= layout.shape.count, layout.shape.allSatisfy({ $0 > 0 }) else {
            throw DataError(
                .badInput,
                "\(file.name): expected an array of shape [count, n], [count, height, width] or [count, height, width, channels], "
                    + "none of them zero; found \(layout.shape)")
        }
        let rows = try layout.isColumnMajor ? layout.rowMajor(file) : file
        let sample = Array(layout.shape.dropFirst())
        let records = Records(
            name: file.name, parts: [.init(source: rows, start: layout.isColumnMajor ? 0 : layout.start, count: layout.shape[0])],
            format: layout.format, valueCount: sample.reduce(1, *))
        var parts = ArrayDataset.Parts(records: records, shape: sample)
        parts.layout = description.layout
        if sample.count == 3, parts.layout == .heightWidthChannels, sample[2] > 4, [1, 3].contains(sample[0]) {
            parts.notes.append(
                "\(file.name): its pictures are taken as \(sample[0]) high, \(sample[1]) wide, with \(sample[2]) channels; "
                    + "if channels come first, set data.layout to chw")
        }
        if let labels {
            parts.labels = try LabelFile.integers(labels, count: layout.shape[0])
        } else {
            try parts.addLabels(description, options)
        }
        return try ArrayDataset(parts, description)
    }
}

/// What the header of an .npy file says.
struct NPYLayout {
    let shape: [Int]
    let format: NumberFormat
    let isColumnMajor: Bool
    /// Where the numbers start, in bytes.
    let start: Int

    /// - Throws: `DataError` unless the file is exactly as long as its header says.
    init(_ file: ByteSource) throws {
        let text = try NPY.textRange(file.prefix(NPY.fixedPart), fileSize: file.size, name: file.name)
        var parser = NPYHeaderParser(bytes: try file.prefix(text.upperBound), range: text, name: file.name)
        let header = try parser.parse()
        guard let format = NumberFormat(numPy: header.type) else {
            throw DataError.bad(
                file.name, at: text.lowerBound,
                "expected numbers of type b1, u1 to u8, i1 to i8 or f2 to f8; found '\(header.type)'")
        }
        start = text.upperBound
        guard let size = elementCount(of: header.shape).flatMap({ checkedProduct($0, format.type.size) }), size <= .max - start
        else {
            throw DataError.bad(file.name, at: text.lowerBound, "the shape \(header.shape) is more than any file holds")
        }
        guard file.size == start + size else {
            throw DataError.bad(
                file.name, at: min(file.size, start + size),
                "expected \(start + size) bytes for \(header.type) \(header.shape); found \(file.size)")
        }
        (shape, self.format, isColumnMajor) = (header.shape, format, header.fortranOrder)
    }

    /// The numbers of a column-major file, row-major and without a header.
    func rowMajor(_ file: ByteSource) throws -> ByteSource {
        guard file.isInMemory else {
            throw DataError.bad(
                file.name, at: start,
                "the array is column-major (fortran_order) and too large to be kept in memory; "
                    + "save numpy.ascontiguousarray(array)")
        }
        let size = format.type.size
        let total = file.size - start
        try requireMemory(total)
        let rows = try [UInt8](unsafeUninitializedCapacity: total) { buffer, filled in
            try file.withBytes(start..<file.size) { columns in
                // Where the next number stands is the last one's place and a step; the last dimension changes fastest.
                var steps = [1]
                for length in shape.dropLast() { steps.append(steps[steps.count - 1] * length) }
                var place = 0
                var position = [Int](repeating: 0, count: shape.count)
                for index in 0..<total / size {
                    for byte in 0..<size { buffer[index * size + byte] = columns[place * size + byte] }
                    for dimension in shape.indices.reversed() {
                        position[dimension] += 1
                        place += steps[dimension]
                        if position[dimension] < shape[dimension] { break }
                        place -= steps[dimension] * shape[dimension]
                        position[dimension] = 0
                    }
                }
            }
            filled = total
        }
        return ByteSource(rows, name: file.name)
    }
}
