/// Opens data of all formats.
public enum Datasets {
    /// What is not part of a description, because it changes nothing in what is read but for the generated sets' seed.
    public struct Options: Sendable {
        /// Of the sets that are generated.
        public var seed: UInt64 = 0
        /// The most bytes of samples that are kept in memory; larger files are read as samples are asked for.
        public var memoryLimit = 1 << 30
        /// How many threads decode pictures; 0 for one a processor, up to 8.
        public var threadCount = 0

        public init() {}
    }

    /// The formats that are read: the names for `DataDescription.format`, and what each is.
    public static var formats: [(name: String, summary: String)] { DatasetFormat.all.map { ($0.name, $0.summary) } }

    /// A path that means the same from any folder, or the name of a set that Kanto makes.
    public static func location(_ path: String) -> String {
        DatasetFormat.setsMadeHere.contains(path) ? path : (try? absolutePath(path)) ?? path
    }

    /// Opens what a description names. The format is told by the content, unless the description names it.
    ///
    /// - Throws: `DataError`, which names the file, the place, what was expected and what was found; `KernelError.memory` if
    ///   the system refuses as much memory as the data take.
    public static func open(_ description: DataDescription, _ options: Options = Options()) throws -> any Dataset {
        let data = try openSamples(description, options)
        return try description.stacked.map { try StackedPictures(data, height: $0, path: description.path) } ?? data
    }

    private static func openSamples(_ description: DataDescription, _ options: Options) throws -> any Dataset {
        let source = try DataSource(description.path, memoryLimit: options.memoryLimit)
        if let name = description.format {
            guard let format = DatasetFormat.all.first(where: { $0.name == name }) else {
                throw DataError(.badInput, "data.format is '\(name)'; expected one of the formats \(DatasetFormat.names)")
            }
            return try format.open(source, description, options)
        }
        if let format = DatasetFormat.all.first(where: { $0.recognizes(source) }) {
            return try format.open(source, description, options)
        }
        switch source.content {
        case .nothing:
            throw DataError(
                .missingInput,
                "\(source.path): there is no such file or folder, and no generated set of that name (\(PlaneSet.names))")
        case .folder(let names):
            let found =
                names.isEmpty
                ? "nothing" : names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count) names)" : "")
            throw DataError(
                .badInput, "\(source.path): holds no data of a format that is read (\(DatasetFormat.names)); found \(found)")
        case .file(let file):
            guard file.size > 0 else { throw DataError.bad(source.path, at: 0, "the file is empty") }
            let found = source.start.prefix(8).map { hexadecimal($0) }.joined(separator: " ")
            throw DataError.bad(
                source.path, at: 0,
                "is of no format that is read (\(DatasetFormat.names)); it starts with the bytes \(found); "
                    + "pictures are given as their folder; data.format names a format")
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
