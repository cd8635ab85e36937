import KantoData

/// The classes of a dataset's samples, as networks are told them: the ones that occur, numbered from 0.
struct ClassLabels {
    /// In their order; a class without a name is called by its number.
    let names: [String]
    /// Of each sample.
    let labels: [Int]

    /// A row of weights, or a channel, for each.
    private static let mostClasses = 4096

    /// - Throws: `DataError` if the data have no labels, all the same one, or too many of them.
    init(_ data: any Dataset, path: String) throws(DataError) {
        guard let labels = data.labels else {
            throw DataError(
                .badInput,
                "\(path): the data have no labels, which 'conditioning' wants; "
                    + (data.stack == nil
                        ? "data.labels names a file or a column of classes" : "pictures that data.stacked stacks have several"))
        }
        let found = Set(labels).sorted()
        guard 2...Self.mostClasses ~= found.count else {
            throw DataError(
                .badInput,
                "\(path): samples of \(found.count) class\(found.count == 1 ? "" : "es"), expected 2 to \(Self.mostClasses)")
        }
        // A file of names may name fewer than there are.
        let given = data.classNames ?? []
        names = found.map { given.indices.contains($0) ? given[$0] : "\($0)" }
        let places = Dictionary(uniqueKeysWithValues: found.enumerated().map { ($1, $0) })
        self.labels = labels.map { places[$0]! }
    }
}
