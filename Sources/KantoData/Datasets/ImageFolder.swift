import KantoKernels
import Synchronization

/// A folder of PNG and JPEG pictures. Where it holds folders of pictures instead, each is a class.
///
/// Pictures are decoded when they are read; without `data.size` the sizes of all are looked at before. They are in the order
/// of their names, so that an index means the same picture on all machines.
enum ImageFolder {
    static func recognizes(_ source: DataSource) -> Bool {
        guard case .folder = source.content else { return false }
        return ImageFolderList.holdsPictures(source.path)
    }

    static func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        switch source.content {
        case .nothing: throw source.missing
        case .file: throw DataError(.missingInput, "\(source.path): is a file; the format images expects a folder of them")
        case .folder: return try ImageFolderDataset(ImageFolderList(source.path), description, options)
        }
    }
}

private struct ImageFolderDataset: Dataset {
    let count: Int
    let sampleShape: [Int]
    let labels: [Int]?
    let classNames: [String]?
    let valueRange: ValueRange?
    private let list: ImageFolderList
    private let map: AffineMap
    /// Whether values must be looked at, because a range is declared.
    private let declaredRange: ValueRange?
    private let ownNotes: [String]
    private let broken: BrokenFiles
    private let threadCount: Int

    init(_ list: ImageFolderList, _ description: DataDescription, _ options: Datasets.Options) throws {
        self.list = list
        count = list.paths.count
        guard count > 0 else {
            throw DataError(.missingInput, "\(list.folder): holds no picture whose name ends in \(ImageFolderList.endings)")
        }
        if !JPEG.isAvailable, let jpeg = list.paths.first(where: ImageFolderList.isNamedAsJPEG) {
            throw JPEG.unavailable("\(list.folder)/\(jpeg)")
        }
        var notes = list.notes
        threadCount = options.threadCount > 0 ? options.threadCount : standardReadingThreadCount
        broken = BrokenFiles(folder: list.folder, count: count)
        if let path = description.labels {
            (labels, classNames) = try LabelFile.read(path, count: count, memoryLimit: options.memoryLimit)
        } else {
            (labels, classNames) = (list.labels, list.classNames)
        }
        let common = try PictureHeaders(list, description, broken, threadCount, notes: &notes)
        sampleShape = [common.height, common.width, common.channels]
        map = AffineMap(description.range ?? ValueRange(0, 255), onto: description.scaledTo)
        (valueRange, declaredRange) = (description.scaledTo, description.range)
        if description.range == nil, let note = Self.noteOnDarkness(list) { notes.append(note) }
        ownNotes = notes
    }

    /// What to say if a few pictures, from all over the folder, are nearly black: their values were never scaled to bytes.
    private static func noteOnDarkness(_ list: ImageFolderList) -> String? {
        let looks = min(16, list.paths.count)
        var brightest: UInt8 = 0
        for look in 0..<looks {
            let path = "\(list.folder)/\(list.paths[look * (list.paths.count / looks)])"
            guard let picture = try? PictureFile.read(path) else { continue }
            brightest = max(brightest, picture.pixels.max() ?? 0)
            if brightest >= 64 { return nil }
        }
        return "\(list.folder): its pictures are nearly black: the largest value in \(looks) of them is \(brightest) of 255"
            + (brightest > 0 ? "; if \(brightest) is white, set data.range to [0, \(brightest)]" : "")
    }

    var notes: [String] { ownNotes + (broken.summary.map { [$0] } ?? []) }

    func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        checkRequest(indexes, buffer)
        guard let output = buffer.baseAddress else { return }
        // Each thread writes to places of its own.
        nonisolated(unsafe) let start = output
        let size = sampleSize
        try readInParallel(indexes.count, threadCount: threadCount) { piece in
            try readWhole(indexes[indexes.startIndex + piece], into: start + piece * size)
        }
    }

    /// One picture, or in the place of one that is broken the next of its class that is not.
    private func readWhole(_ index: Int, into output: UnsafeMutablePointer<Float>) throws {
        var place = index
        repeat {
            if !broken.contains(place), labels.map({ $0[place] == $0[index] }) ?? true {
                do { return try readPicture(place, into: output) } catch let error as DataError where error.kind == .badInput {
                    try broken.add(place, error)
                }
            }
            place = (place + 1) % count
        } while place != index
        throw DataError(.badInput, "\(list.folder)/\(list.paths[index]): is broken, and so are all others of its class")
    }

    private func readPicture(_ index: Int, into output: UnsafeMutablePointer<Float>) throws {
        let path = "\(list.folder)/\(list.paths[index])"
        let picture = try PictureFile.read(path)
        let fit = try PictureFit([picture.height, picture.width, picture.channels], to: sampleShape, name: path)
        fit.apply(picture.pixels, into: output)
        if let range = declaredRange, let value = picture.pixels.first(where: { !(range.lower...range.upper ~= Double($0)) }) {
            throw DataError(.badInput, "\(path): holds \(value), which is not in \(range), the range that data.range declares")
        }
        let (multiplier, offset) = (map.multipliers[0], map.offsets[0])
        for place in 0..<sampleSize { output[place] = Float(Double(output[place]) * multiplier + offset) }
    }

    var units: SampleUnits { SampleUnits(map, brightness: valueRange) }
}

/// Which files of a folder turned out to be broken: a few are left out, many are an error.
final class BrokenFiles: Sendable {
    private let folder: String
    private let count: Int
    private let found = Mutex<[Int: String]>([:])

    init(folder: String, count: Int) { (self.folder, self.count) = (folder, count) }

    func contains(_ index: Int) -> Bool { found.withLock { $0[index] != nil } }

    /// - Throws: `DataError` if this makes more than one in a hundred.
    func add(_ index: Int, _ error: DataError) throws {
        let number = found.withLock {
            $0[index] = error.description
            return $0.count
        }
        guard number * 100 <= count else {
            throw DataError(
                .badInput, "\(error.description); \(number) of \(count) files in \(folder) are broken, more than one in a hundred"
            )
        }
        Diagnostics.warnOnce(
            "\(error.description); it is left out (\(number) of \(count) files so far)", key: "broken \(folder) \(index)")
    }

    /// What is known so far; nil if nothing is broken.
    var summary: String? {
        found.withLock { found in
            guard let first = found.min(by: { $0.key < $1.key }) else { return nil }
            return "\(folder): \(found.count) of \(count) files are broken and left out; the first: \(first.value)"
        }
    }
}
