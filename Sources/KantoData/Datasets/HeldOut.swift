import KantoDescriptions
import KantoTensor

/// What is held out from training, to see what the critic knows by heart: `0.1` in a description, a share of the data, or the
/// path of other data of the same kind.
public enum HeldOut: DescriptionConvertible {
    /// Between 0 and 1.
    case share(Double)
    /// A file or a folder, read as the data are.
    case path(String)

    /// - Throws: `DescriptionError`, which says what was expected.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .text(let path) where !path.isEmpty: self = .path(path)
        case .word(let text) where !text.isEmpty && Double(text) == nil: self = .path(text)
        default:
            guard let share = try? Double(value), share > 0, share < 1 else {
                throw DescriptionError("expected a share between 0 and 1, or a path, found \(value)")
            }
            self = .share(share)
        }
    }

    /// What it is, for people, of data at a path.
    package func summary(of path: String) -> String {
        switch self {
        case .share: "\(path), held out"
        case .path(let path): path
        }
    }

    /// The share, or the path.
    public func described(isWhole: Bool) -> DescriptionValue {
        switch self {
        case .share(let share): .number(share)
        case .path(let path): .text(path)
        }
    }
}

extension Dataset {
    /// Some of the samples.
    public func holdingOut(share: Double) -> (training: any Dataset, heldOut: any Dataset) {
        let heldOutCount = max(1, min(count - 1, Int((Double(count) * share).rounded())))
        var random = Random(seed: 0)
        let order = Array(0..<count).shuffled(using: &random)
        let (training, heldOut) = (order[heldOutCount...].sorted(), order[..<heldOutCount].sorted())
        return (DatasetPart(self, indexes: training), DatasetPart(self, indexes: heldOut))
    }
}

/// Some of the samples of a dataset.
private struct DatasetPart: Dataset {
    private let whole: any Dataset
    private let indexes: [Int]
    let labels: [Int]?

    init(_ whole: any Dataset, indexes: [Int]) {
        (self.whole, self.indexes) = (whole, indexes)
        labels = whole.labels.map { labels in indexes.map { labels[$0] } }
    }

    var count: Int { indexes.count }
    var sampleShape: [Int] { whole.sampleShape }
    var classNames: [String]? { whole.classNames }
    var featureNames: [String]? { whole.featureNames }
    var valueRange: ValueRange? { whole.valueRange }
    var notes: [String] { whole.notes }
    var mixture: NormalMixture? { whole.mixture }
    var isEndless: Bool { whole.isEndless }
    var units: SampleUnits { whole.units }

    func read(_ wanted: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try whole.read(wanted.map { indexes[$0] }[...], into: buffer)
    }
}
