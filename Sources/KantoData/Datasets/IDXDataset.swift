import KantoDigits

/// Pictures in IDX files, as MNIST, Fashion-MNIST and EMNIST are published.
///
/// Source: http://yann.lecun.com/exdb/mnist/
enum IDXDataset {
    /// A file that starts as one, or a folder with one whose name says that it holds pictures.
    static func recognizes(_ source: DataSource) -> Bool {
        switch source.content {
        case .file: startsAsIDX(source.start)
        case .folder(let names): !candidates(names, in: source.path).isEmpty
        case .nothing: false
        }
    }

    static func startsAsIDX(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4 && bytes[0] == 0 && bytes[1] == 0 && IDXHeader.types[bytes[2]] != nil && 1...8 ~= bytes[3]
    }

    static func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        let path: String
        let file: ByteSource
        switch source.content {
        case .file(let bytes): (path, file) = (source.path, bytes)
        case .folder(let names):
            path = try imagesFile(names, in: source.path)
            file = try source.file(path)
        case .nothing: throw source.missing
        }
        let labelsPath = labelsPath(besides: path)
        let labels = try description.labels == nil ? labelsPath.map { try source.file($0) } : nil
        return try open(images: file, labels: labels, description, options)
    }

    static func open(
        images: ByteSource, labels: ByteSource?, _ description: DataDescription, _ options: Datasets.Options
    ) throws -> any Dataset {
        let header = try IDXHeader(
            images.prefix(IDXHeader.largest), fileSize: images.size, name: images.name, types: IDXHeader.types)
        guard 2...4 ~= header.shape.count, header.shape.allSatisfy({ $0 > 0 }) else {
            throw DataError.bad(
                images.name, at: 3,
                "expected sizes [count, height, width], with channels or without, or [count, n], none of them zero; found \(header.shape)"
            )
        }
        let count = header.shape[0]
        let size = header.shape.dropFirst().reduce(1, *)
        let records = Records(
            name: images.name, parts: [.init(source: images, start: header.start, count: count)], format: header.format,
            valueCount: size)
        var parts = ArrayDataset.Parts(records: records, shape: Array(header.shape.dropFirst()), layout: description.layout)
        if images.name.lowercased().contains("emnist"), description.layout == .heightWidthChannels {
            parts.notes.append(
                "\(images.name): EMNIST is published with rows and columns exchanged; set data.layout to whc to have it upright")
        }
        if let labels {
            parts.labels = try LabelFile.integers(labels, count: count)
        } else {
            try parts.addLabels(description, options)
        }
        return try ArrayDataset(parts, description)
    }

    // MARK: - Folders

    /// Files that hold pictures by their name. Some archives make a folder of each file, of the file's own name.
    private static func candidates(_ names: [String], in folder: String) -> [(name: String, path: String)] {
        names.compactMap { name in
            let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
            guard plain.hasSuffix("idx3-ubyte"), plain.contains("images") else { return nil }
            return file("\(folder)/\(name)").map { (plain, $0) }
        }
    }

    /// The path of a file, or of the one in a folder of its name.
    private static func file(_ path: String) -> String? {
        if isRegularFile(path) { return path }
        guard isFolder(path), let names = try? namesInFolder(path) else { return nil }
        let files = names.filter { $0.contains("idx") && isRegularFile("\(path)/\($0)") }
        return files.count == 1 ? "\(path)/\(files[0])" : nil
    }

    private static func imagesFile(_ names: [String], in folder: String) throws -> String {
        let all = candidates(names, in: folder)
        // The same pictures may be there in several spellings, decompressed or not: the plain file is the quickest to read.
        func first(_ candidates: [(name: String, path: String)]) -> String? {
            let spellings = Set(candidates.map { String($0.name.map { $0 == "." ? "-" : $0 }) })
            guard spellings.count == 1 else { return nil }
            return (candidates.first { !$0.path.hasSuffix(".gz") } ?? candidates[0]).path
        }
        if let path = first(all.filter { $0.name.hasPrefix("train-images") }) ?? first(all.filter { $0.name.contains("train") })
            ?? first(all)
        {
            return path
        }
        guard !all.isEmpty else { throw DataError(.missingInput, "\(folder): holds no file named train-images-idx3-ubyte") }
        throw DataError(
            .missingInput,
            "\(folder): holds \(all.map(\.name).joined(separator: ", ")); say which by giving the file instead of its folder")
    }

    /// The file beside the pictures whose name says labels instead, in any of the published spellings; nil if there is none.
    private static func labelsPath(besides images: String) -> String? {
        let name = String(images.split(separator: "/").last ?? "")
        let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
        let labels = plain.replacing("images", with: "labels").replacing("idx3", with: "idx1")
        guard labels != plain else { return nil }
        let folder = parentFolder(of: images)
        // Where the pictures are alone in a folder of their name, the labels are in theirs.
        let folders = folder.hasSuffix("ubyte") ? [folder, parentFolder(of: folder)] : [folder]
        let spellings = [labels, labels.replacing("-idx", with: ".idx"), labels.replacing(".idx", with: "-idx")]
        for folder in folders {
            for spelling in spellings {
                for suffix in ["", ".gz"] {
                    if let path = file("\(folder)/\(spelling)\(suffix)") { return path }
                }
            }
        }
        return nil
    }
}

/// The digits that ship with Kanto: 1,797 pictures of 8x8.
///
/// Source: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, CC BY 4.0,
/// https://doi.org/10.24432/C50P49
func openDigits(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
    let images = UnsafeBufferPointer(start: kanto_digits_images_start(), count: kanto_digits_images_size)
    let labels = UnsafeBufferPointer(start: kanto_digits_labels_start(), count: kanto_digits_labels_size)
    var description = description
    description.range = description.range ?? ValueRange(0, 16)
    return try IDXDataset.open(
        images: ByteSource(Array(images), name: "the digits' images"),
        labels: description.labels == nil ? ByteSource(Array(labels), name: "the digits' labels") : nil, description, options)
}
