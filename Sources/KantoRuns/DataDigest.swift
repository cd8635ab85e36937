import KantoData

extension Dataset {
    /// A digest by which a run that goes on, or is repeated elsewhere, knows its data again: of how many samples there are, of
    /// their shape and labels, and of 64 of them from all parts of the data, as training reads them. To read all would take
    /// minutes of a folder of pictures.
    func digest() throws -> String {
        var digest = ContentDigest()
        digest.combine("\(count) \(sampleShape)")
        labels?.withUnsafeBytes { digest.combine($0) }
        let readCount = min(count, 64)
        let indexes = (0..<readCount).map { $0 * (count - 1) / max(1, readCount - 1) }
        try samples(indexes).withUnsafeBytes { digest.combine($0) }
        return digest.text
    }
}
