import KantoDescriptions

/// What the numbers of training mean in the data's own units. It goes with the weights that were trained on them.
public struct SampleUnits: Describable, Equatable {
    /// A number of training is `value · multiplier + offset`: one multiplier for all numbers of a sample, or one a column.
    public var multipliers = [1.0]
    /// As many as multipliers.
    public var offsets = [0.0]
    /// The names of the columns of a row, where the data have names.
    public var columns: [String]?
    /// What becomes black and full brightness in a picture of samples.
    public var brightness = ValueRange(0, 1)

    public init() {}

    init(_ map: AffineMap, columns: [String]? = nil, brightness: ValueRange? = nil) {
        (multipliers, offsets, self.columns) = (map.multipliers, map.offsets, columns)
        if let brightness { self.brightness = brightness }
    }

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("multipliers", \.multipliers, expected: "numbers that are not 0") { values in
            !values.isEmpty && values.allSatisfy { $0 != 0 && $0.isFinite }
        },
        DescriptionKey("offsets", \.offsets, expected: "finite numbers") { $0.allSatisfy(\.isFinite) },
        DescriptionKey("columns", \.columns), DescriptionKey("brightness", \.brightness),
    ]

    /// - Throws: `DescriptionError` if there is not one offset a multiplier.
    public func validate() throws(DescriptionError) {
        guard offsets.count == multipliers.count else {
            throw DescriptionError(
                "expected \(multipliers.count) numbers, one a multiplier, found \(offsets.count)", at: "offsets")
        }
    }

    /// Samples as training has them, [any number] + the sample's shape, in the data's own units.
    public func restored(_ samples: [Float]) -> [Float] {
        samples.indices.map { index in
            let column = index % multipliers.count
            return Float((Double(samples[index]) - offsets[column]) / multipliers[column])
        }
    }

    /// Samples in the data's own units, as training has them.
    public func applied(_ samples: [Float]) -> [Float] {
        samples.indices.map { index in
            let column = index % multipliers.count
            return Float(Double(samples[index]) * multipliers[column] + offsets[column])
        }
    }
}
