import KantoTensor

/// The sliced Wasserstein distance of two sets of pictures, level by level of a Laplacian pyramid (Karras et al. 2018, section
/// 5, and its published code): 128 patches of 7x7 a picture and level, each channel brought to mean 0 and deviation 1 over the
/// set, projected on 512 random directions; the mean over these of W1 of the projections, times 1000.
///
/// A level tells how alike the pictures are in what that resolution adds. Between sets of real pictures it is not 0; compare it
/// with theirs. Its interval is of whole pictures drawn anew, by the potentials of the projections.
public struct SlicedWasserstein: Sendable {
    /// The distance at one resolution.
    public struct Level: Sendable {
        /// In pixels.
        public let height, width: Int
        /// Of each picture.
        fileprivate let potentials, otherPotentials: [Double]

        /// Times 1000, as it is published.
        public var value: Double { 1000 * (mean(potentials) - mean(otherPotentials)) }

        /// With an interval.
        public func estimate(_ bootstrap: Bootstrap) -> Estimate {
            bootstrap.estimate([potentials, otherPotentials], within: 0 ... .infinity) { 1000 * ($0[0] - $0[1]) }
        }
    }
    /// From the highest resolution to the lowest.
    public let levels: [Level]

    private static let patchSide = 7
    private static let patchCount = 128
    private static let directionCount = 512
    /// Directions that are projected on at a time.
    private static let directionsAtOnce = 32

    /// Whether pictures of a shape are large enough for patches.
    ///
    /// - Parameter shape: [height, width, channels].
    public static func suits(_ shape: [Int]) -> Bool { shape.count == 3 && min(shape[0], shape[1]) >= patchSide }

    /// - Parameters:
    ///   - a: [n, height, width, channels].
    ///   - b: [m, height, width, channels].
    /// - Throws: `TensorError` if shapes differ or pictures are smaller than a patch.
    public init(between a: Tensor, and b: Tensor, seed: UInt64) throws {
        guard a.rank == 4, a.shape[1...] == b.shape[1...], Self.suits(Array(a.shape[1...])), a.shape[0] > 0, b.shape[0] > 0 else {
            throw TensorError(
                "sliced Wasserstein", "pictures of shapes \(a.shape) and \(b.shape), expected equal ones of 7x7 or more")
        }
        let levelCount = LaplacianPyramid.levelCount(height: a.shape[1], width: a.shape[2])
        var patches = Self.patches(of: a, levelCount, Random(seed: seed, stream: 1))
        var others = Self.patches(of: b, levelCount, Random(seed: seed, stream: 2))
        var directions = Random(seed: seed, stream: 3)
        var levels: [Level] = []
        for level in 0..<levelCount {
            Self.normalize(&patches[level].values, channels: a.shape[3])
            Self.normalize(&others[level].values, channels: a.shape[3])
            let width = patches[level].values.count / (a.shape[0] * Self.patchCount)
            let (potentials, otherPotentials) = try Self.transport(
                Tensor(patches[level].values, shape: [a.shape[0] * Self.patchCount, width]),
                Tensor(others[level].values, shape: [b.shape[0] * Self.patchCount, width]), &directions)
            levels.append(
                Level(
                    height: patches[level].height, width: patches[level].width, potentials: potentials,
                    otherPotentials: otherPotentials))
            (patches[level].values, others[level].values) = ([], [])
        }
        self.levels = levels
    }

    /// [pictures · patches, 7 · 7 · channels] of each level; one picture's pyramid is in memory at a time.
    private static func patches(of pictures: Tensor, _ levelCount: Int, _ random: Random) -> [(
        height: Int, width: Int, values: [Float]
    )] {
        var random = random
        let shape = pictures.shape
        var result = [(height: Int, width: Int, values: [Float])](repeating: (0, 0, []), count: levelCount)
        let (all, size) = (pictures.floats, shape[1] * shape[2] * shape[3])
        let row = patchSide * shape[3]
        for picture in 0..<shape[0] {
            let pyramid = LaplacianPyramid(
                .init(
                    height: shape[1], width: shape[2], channels: shape[3],
                    values: Array(all[picture * size..<(picture + 1) * size])))
            for (index, level) in pyramid.levels.enumerated() {
                (result[index].height, result[index].width) = (level.height, level.width)
                for _ in 0..<patchCount {
                    let top = Int.random(in: 0...level.height - patchSide, using: &random)
                    let left = Int.random(in: 0...level.width - patchSide, using: &random)
                    for y in top..<top + patchSide {
                        let start = (y * level.width + left) * level.channels
                        result[index].values += level.values[start..<start + row]
                    }
                }
            }
        }
        return result
    }

    /// Each channel to mean 0 and deviation 1; one that does not vary to 0.
    private static func normalize(_ values: inout [Float], channels: Int) {
        for channel in 0..<channels {
            var (sum, squares) = (0.0, 0.0)
            let places = stride(from: channel, to: values.count, by: channels)
            for place in places { sum += Double(values[place]) }
            let center = sum / Double(values.count / channels)
            for place in places {
                let difference = Double(values[place]) - center
                squares += difference * difference
            }
            let deviation = (squares / Double(values.count / channels)).squareRoot()
            for place in places { values[place] = deviation > 0 ? Float((Double(values[place]) - center) / deviation) : 0 }
        }
    }

    /// The potentials of each picture, the mean over its patches and all directions.
    private static func transport(
        _ patches: Tensor, _ others: Tensor, _ random: inout Random
    ) throws -> ([Double], [Double]) {
        var potentials = [Double](repeating: 0, count: patches.shape[0] / patchCount)
        var otherPotentials = [Double](repeating: 0, count: others.shape[0] / patchCount)
        var sorting = RadixSort()
        let share = 1 / Double(patchCount * directionCount)
        for _ in 0..<directionCount / directionsAtOnce {
            let directions = try randomDirections(directionsAtOnce, width: patches.shape[1], using: &random)
            let projected = try directions.matmul(patches, transposeOther: true)
            let otherProjected = try directions.matmul(others, transposeOther: true)
            for direction in 0..<directionsAtOnce {
                let values = try projected.sliced(direction..<direction + 1).floats
                let otherValues = try otherProjected.sliced(direction..<direction + 1).floats
                let transport = SortedTransport(
                    values, otherValues, ordered: sorting.order(values), sorting.order(otherValues))
                for (patch, potential) in transport.potentials.enumerated() {
                    potentials[patch / patchCount] += potential * share
                }
                for (patch, potential) in transport.otherPotentials.enumerated() {
                    otherPotentials[patch / patchCount] += potential * share
                }
            }
        }
        return (potentials, otherPotentials)
    }
}

/// Vectors of length 1, even over all directions: [count, width].
package func randomDirections(_ count: Int, width: Int, using random: inout Random) throws -> Tensor {
    let drawn = try random.normal([count, width])
    return try drawn / drawn.sampleNorm().reshaped([count, 1])
}
