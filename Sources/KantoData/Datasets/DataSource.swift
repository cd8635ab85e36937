/// What a description's path leads to, looked at once for all formats.
struct DataSource {
    enum Content {
        /// A regular file, or what one holds compressed.
        case file(ByteSource)
        /// The names of what a folder holds, sorted.
        case folder([String])
        /// Nothing: the path may be the name of a set that is made here.
        case nothing
    }

    let path: String
    let content: Content
    /// The most that is kept in memory, in bytes.
    let memoryLimit: Int
    /// The first bytes of a file.
    let start: [UInt8]

    /// How much of a file tells its format, in bytes.
    private static let startSize = 1 << 14

    init(_ path: String, memoryLimit: Int) throws {
        var path = path
        self.memoryLimit = memoryLimit
        guard !DatasetFormat.setsMadeHere.contains(path), let mode = fileMode(path) else {
            (self.path, content, start) = (path, .nothing, [])
            return
        }
        guard mode.isFolder else {
            let file = try Self.file(path, memoryLimit)
            (self.path, content, start) = (path, .file(file), try file.prefix(Self.startSize))
            return
        }
        var names = try namesInFolder(path)
        // Archives tend to unpack into a folder within a folder.
        for _ in 0..<4 {
            guard names.count == 1, isFolder("\(path)/\(names[0])") else { break }
            path += "/" + names[0]
            names = try namesInFolder(path)
        }
        (self.path, content, start) = (path, .folder(names), [])
    }

    /// A file's bytes, in memory if they fit; decompressed if it is a .gz file.
    static func file(_ path: String, _ memoryLimit: Int) throws -> ByteSource {
        let file = try ByteSource(fileAt: path)
        if try file.prefix(2) == Deflate.gzipMagic { return try Deflate.content(of: file, .gzip, atMost: memoryLimit) }
        return try file.loaded(atMost: memoryLimit)
    }

    /// The bytes of another file, for formats that have several.
    func file(_ path: String) throws -> ByteSource { try Self.file(path, memoryLimit) }

    /// The file of a format that reads files.
    func requireFile(_ format: String) throws -> ByteSource {
        switch content {
        case .file(let file): return file
        case .folder: throw DataError(.missingInput, "\(path): is a folder; the format \(format) expects a file")
        case .nothing: throw missing
        }
    }

    var missing: DataError { DataError(.missingInput, "\(path): there is no such file or folder") }
}
