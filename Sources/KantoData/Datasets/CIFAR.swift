/// CIFAR-10 and CIFAR-100 in their binary version: records of a class, or two, and 32 · 32 · 3 bytes, channel by channel.
///
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html
struct CIFAR: Sendable {
    let name: String
    /// The largest value of each byte that precedes a picture; the last one is the label.
    private let largestLabels: [UInt8]
    /// What files of training pictures are called, and the file with the classes' names.
    private let trainingPrefix: String
    private let namesFile: String

    static let ten = CIFAR(name: "cifar10", largestLabels: [9], trainingPrefix: "data_batch_", namesFile: "batches.meta.txt")
    static let hundred = CIFAR(
        name: "cifar100", largestLabels: [19, 99], trainingPrefix: "train.bin", namesFile: "fine_label_names.txt")

    private static let picture = [3, 32, 32]
    private var stride: Int { largestLabels.count + 3 * 32 * 32 }

    /// A file that is whole records with labels that the set has as far as it was looked at, or a folder of such files.
    func recognizes(_ source: DataSource) -> Bool {
        switch source.content {
        case .file(let file):
            guard file.size > 0, file.size.isMultiple(of: stride) else { return false }
            return Swift.stride(from: 0, to: source.start.count - largestLabels.count, by: stride).allSatisfy { start in
                zip(source.start[start...], largestLabels).allSatisfy { $0 <= $1 }
            }
        case .folder(let names): return !trainingFiles(names).isEmpty
        case .nothing: return false
        }
    }

    private func trainingFiles(_ names: [String]) -> [String] {
        names.filter { $0.hasPrefix(trainingPrefix) && $0.hasSuffix(".bin") }
    }

    func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        var files: [ByteSource] = []
        var classNames: [String]?
        switch source.content {
        case .file(let file): files = [file]
        case .folder(let names):
            files = try trainingFiles(names).map { try source.file("\(source.path)/\($0)") }
            guard !files.isEmpty else { throw DataError(.missingInput, "\(source.path): holds no file named \(trainingPrefix)…") }
            if names.contains(namesFile) { classNames = try readNames("\(source.path)/\(namesFile)") }
        case .nothing: throw source.missing
        }
        let labels = try files.map(labels(of:))
        let records = Records(
            name: source.path,
            parts: zip(files, labels).map { Records.Part(source: $0, start: largestLabels.count, count: $1.count) },
            format: NumberFormat(.uint8), valueCount: 3 * 32 * 32, stride: stride)
        var parts = ArrayDataset.Parts(records: records, shape: Self.picture, layout: .channelsHeightWidth)
        if description.labels == nil {
            (parts.labels, parts.classNames) = (labels.flatMap(\.self), classNames)
        } else {
            try parts.addLabels(description, options)
        }
        return try ArrayDataset(parts, description)
    }

    private func labels(of file: ByteSource) throws -> [Int] {
        guard file.size > 0, file.size.isMultiple(of: stride) else {
            throw DataError.bad(
                file.name, at: file.size / stride * stride,
                "expected records of \(stride) bytes, as \(name) has them; found \(file.size % stride) bytes after \(file.size / stride) records"
            )
        }
        return try (0..<file.size / stride).map { record in
            let start = record * stride
            return try file.withBytes(start..<start + largestLabels.count) { bytes in
                for (place, largest) in largestLabels.enumerated() where bytes[place] > largest {
                    throw DataError.bad(
                        file.name, at: start + place,
                        "expected a class from 0 to \(largest), as \(name) has them; found \(bytes[place])")
                }
                return Int(bytes[bytes.count - 1])
            }
        }
    }

    /// A class a line; a file with another number of them says nothing.
    private func readNames(_ path: String) throws -> [String]? {
        let text = String(decoding: try readFile(path, atMost: 1 << 20), as: UTF8.self)
        let names = text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
        return names.count == Int(largestLabels[largestLabels.count - 1]) + 1 ? names : nil
    }
}
