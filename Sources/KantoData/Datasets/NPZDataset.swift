/// Samples in an archive of NumPy's arrays, with their labels where one of the arrays is called so.
enum NPZDataset {
    static func recognizes(_ source: DataSource) -> Bool { source.start.starts(with: ZipArchive.magic) }

    /// What people call them, in the order in which they are looked for: training before tests.
    private static let sampleNames = ["train_images", "x_train", "X_train", "images", "data", "x", "X", "arr_0"]
    private static let labelNames = [
        "train_images": "train_labels", "x_train": "y_train", "X_train": "y_train", "images": "labels", "data": "labels",
        "x": "y", "X": "y",
        "arr_0": "arr_1",
    ]

    static func open(_ source: DataSource, _ description: DataDescription, _ options: Datasets.Options) throws -> any Dataset {
        let file = try source.requireFile("npz")
        let archive = try ZipArchive(file)
        let arrays = archive.entries.filter { $0.name.hasSuffix(".npy") }
        let names = arrays.map { String($0.name.dropLast(4)) }
        func entry(_ name: String) -> ZipArchive.Entry? { names.firstIndex(of: name).map { arrays[$0] } }

        let chosen: String
        if let name = description.array {
            chosen = name
        } else if let name = sampleNames.first(where: names.contains) {
            chosen = name
        } else if names.count == 1 {
            chosen = names[0]
        } else {
            throw DataError(
                .badInput,
                "\(file.name): holds the arrays \(list(names)), none of which is named as samples are; data.array says which they are"
            )
        }
        guard let samples = entry(chosen) else {
            throw DataError(.badInput, "\(file.name): holds no array '\(chosen)'; found \(list(names))")
        }
        let labels = description.labels == nil ? labelNames[chosen].flatMap(entry) : nil
        let memory = options.memoryLimit
        // The second array of an archive without names may be anything.
        let labelsFile = try labels.map { try archive.content(of: $0, atMost: memory) }.flatMap { file in
            chosen == "arr_0" && (try? NPYLayout(file).shape.count) != 1 ? nil : file
        }
        return try NPYDataset.open(
            archive.content(of: samples, atMost: memory).loaded(atMost: memory), labels: labelsFile, description, options)
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
    }
}
