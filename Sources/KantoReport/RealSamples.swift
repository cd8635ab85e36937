import KantoData
import KantoRuns
import KantoTensor

/// Samples of a run's data, at most 10,000 and evenly spaced, with how far they are from each other.
struct RealSamples {
    /// How many there are in all; nil of a set that is generated without end.
    let count: Int?
    let sampleShape: [Int]
    let units: SampleUnits
    /// [n] + the sample's shape, as training has them.
    let values: [Float]
    var sampleSize: Int { sampleShape.reduce(1, *) }
    /// How many `values` has.
    var taken: Int { values.count / sampleSize }

    private static let most = 10_000
    /// Numbers, of all samples together; what compares them holds more copies. With twice as many the report of a small run of
    /// 64x64 pictures took 570 MB.
    private static let mostValues = 1 << 23
    /// Bytes of the data's files that are kept in memory while they are read.
    private static let memoryLimit = 1 << 26

    /// - Throws: `DataError` if the data are not there any more, or not what they were.
    init(_ configuration: RunConfiguration) throws {
        let data = try Run.openData(configuration.data, configuration, memoryLimit: Self.memoryLimit)
        guard data.sampleShape == configuration.networks.sampleShape else {
            throw DataError(
                .badInput,
                "\(configuration.data.path): samples of shape \(data.sampleShape), where the run has "
                    + "\(configuration.networks.sampleShape)")
        }
        (count, sampleShape, units) = (data.isEndless ? nil : data.count, data.sampleShape, data.units)
        let wanted = data.isEndless ? Self.ofPlane : max(1, min(data.count, Self.most, Self.mostValues / data.sampleSize))
        let all = data.count
        values = try data.samples(data.isEndless ? Array(0..<wanted) : (0..<wanted).map { $0 * all / wanted })
    }

    private static let ofPlane = 1024

    /// So many of them, evenly picked.
    func samples(_ wanted: Int) -> [Float] {
        let count = min(wanted, taken)
        var picked: [Float] = []
        for place in 0..<count {
            let start = place * taken / count * sampleSize
            picked += values[start..<start + sampleSize]
        }
        return picked
    }
}
