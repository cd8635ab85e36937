/// PNG and JPEG files, told by their content.
enum PictureFile {
    /// The most that a JPEG file may have, in bytes.
    private static let largestJPEG = 1 << 28

    /// - Throws: `DataError`; of kind `.badInput` if the content is not a picture's.
    static func read(_ path: String) throws -> Picture {
        let file = try InputFile(path, atMost: .max)
        let start = try file.prefix(8)
        if start.starts(with: JPEG.magic) {
            guard file.size <= largestJPEG else {
                throw DataError(
                    .badInput, "\(path): holds \(file.size) bytes; the most that is read of a JPEG file is \(largestJPEG)")
            }
            return try JPEG.read(bytes: file.content(), name: path)
        }
        guard start.starts(with: pngMagic) else { throw unknown(path, start) }
        return try PNG.read(contentsOf: path)
    }

    /// [height, width, channels] as `read` would give them, from the first bytes.
    static func shape(_ path: String) throws -> [Int] {
        let file = try InputFile(path, atMost: .max)
        let start = try file.prefix(33)
        if start.starts(with: JPEG.magic) {
            // Cameras put small pictures and profiles before what is looked for.
            let first = try file.prefix(1 << 16)
            if let shape = try? JPEG.shape(first, fileSize: file.size, name: path) { return shape }
            return try JPEG.shape(file.prefix(largestJPEG), fileSize: file.size, name: path)
        }
        guard start.starts(with: pngMagic) else { throw unknown(path, start) }
        guard start.count == 33, start[12..<16].elementsEqual("IHDR".utf8) else {
            throw DataError.bad(path, at: start.count, "is not a PNG file that can be read: it does not start as one")
        }
        func number(_ place: Int) -> Int { start[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
        // Kinds 0 and 4 are gray, without and with transparency.
        return [number(20), number(16), start[25] & 2 == 0 ? 1 : 3]
    }

    private static let pngMagic: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    private static func unknown(_ path: String, _ start: [UInt8]) -> DataError {
        start.isEmpty
            ? .bad(path, at: 0, "the file is empty; expected a picture") : .bad(path, at: 0, "is neither a PNG nor a JPEG file")
    }
}

/// The size and the channels that all pictures of a folder are to have: those that are declared, or those that they have.
struct PictureHeaders {
    let height: Int
    let width: Int
    let channels: Int

    /// How many pictures tell whether a folder is gray, where their sizes need not be known.
    private static let lookedAt = 64

    /// - Throws: `DataError` if pictures have different sizes and none is declared.
    init(
        _ list: ImageFolderList, _ description: DataDescription, _ broken: BrokenFiles, _ threadCount: Int, notes: inout [String]
    ) throws {
        if let size = description.size, let channels = description.channels {
            (height, width, self.channels) = (size.height, size.width, channels)
            return
        }
        let count = list.paths.count
        let indexes =
            description.size == nil
            ? Array(0..<count) : (0..<min(count, Self.lookedAt)).map { $0 * (count / min(count, Self.lookedAt)) }
        let found = try Self.shapes(list, indexes, broken, threadCount)
        guard let first = found.first(where: { $0.shape != nil })?.shape else {
            throw DataError(
                .badInput, "\(list.folder): none of \(indexes.count) files that were looked at is a picture that can be read")
        }
        let size = description.size ?? PictureSize(height: first[0], width: first[1])
        if description.size == nil, let other = found.first(where: { $0.shape.map { $0[..<2] != first[..<2] } ?? false }) {
            let name = list.paths[found.first { $0.shape != nil }!.index]
            throw DataError(
                .badInput,
                "\(list.folder)/\(list.paths[other.index]): is \(other.shape![1]) wide and \(other.shape![0]) high; expected \(first[1]) and "
                    + "\(first[0]), as \(name) is; data.size makes all pictures of one size")
        }
        let isColored = found.contains { $0.shape?[2] == 3 }
        if description.channels == nil, !isColored, indexes.count < count {
            notes.append(
                "\(list.folder): its pictures are taken as gray, as \(indexes.count) that were looked at are; data.channels declares it"
            )
        }
        (height, width, channels) = (size.height, size.width, description.channels ?? (isColored ? 3 : 1))
    }

    /// Nil is the shape of what is broken.
    private static func shapes(
        _ list: ImageFolderList, _ indexes: [Int], _ broken: BrokenFiles, _ threadCount: Int
    ) throws -> [(index: Int, shape: [Int]?)] {
        let blockSize = 64
        var shapes: [(index: Int, shape: [Int]?)] = indexes.map { ($0, nil) }
        try shapes.withUnsafeMutableBufferPointer { shapes in
            // Each thread writes to places of its own.
            nonisolated(unsafe) let shapes = shapes
            try readInParallel((indexes.count + blockSize - 1) / blockSize, threadCount: threadCount) { block in
                for place in block * blockSize..<min(indexes.count, (block + 1) * blockSize) {
                    let index = indexes[place]
                    do { shapes[place].shape = try PictureFile.shape("\(list.folder)/\(list.paths[index])") } catch let error
                        as DataError
                        where error.kind == .badInput
                    { try broken.add(index, error) }
                }
            }
        }
        return shapes
    }
}
