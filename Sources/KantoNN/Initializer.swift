import KantoDescriptions
import KantoTensor

/// How the weights of a layer are drawn. All but the normal distribution are uniform in ±√3 σ, which has the deviation σ, as
/// in the original WGAN-GP code (Gulrajani et al. 2017).
///
/// A fan is the number of products behind one output (incoming) or of outputs that one input reaches (outgoing).
public enum Initializer: Sendable, Hashable {
    /// σ² = 2 / (incoming + outgoing) (Glorot and Bengio 2010): that code's dense layers.
    case glorot
    /// σ² = 2 / incoming (He et al. 2015): the hidden layers of that code's toy networks.
    case he
    /// σ² = 4 / (incoming + outgoing), He et al. over the mean of both fans: that code's convolutions.
    case heOfMeanFan
    /// N(0, σ²): of DCGAN with σ = 0.02 (Radford, Metz and Chintala 2016).
    case normal(deviation: Double)

    /// Weights of a shape.
    public func weights(_ shape: [Int], incoming: Double, outgoing: Double, using random: inout Random) throws -> Tensor {
        func uniform(variance: Double) throws -> Tensor {
            let limit = (3 * variance).squareRoot()
            return try random.uniform(shape, in: -limit..<limit)
        }
        return switch self {
        case .glorot: try uniform(variance: 2 / (incoming + outgoing))
        case .he: try uniform(variance: 2 / incoming)
        case .heOfMeanFan: try uniform(variance: 4 / (incoming + outgoing))
        case .normal(let deviation): try random.normal(shape) * deviation
        }
    }
}

/// - Throws: `TensorError` if one of a layer's numbers is not positive.
func requirePositive(_ numbers: KeyValuePairs<String, Int>, for operation: String) throws {
    guard numbers.allSatisfy({ $0.value > 0 }) else {
        throw TensorError(
            operation, numbers.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + "; expected positive numbers")
    }
}

/// `"glorot"`, `"he"`, `"he_of_mean_fan"`, or `{"normal": deviation}`.
extension Initializer: DescriptionConvertible {
    private static let named: KeyValuePairs<String, Initializer> = ["glorot": .glorot, "he": .he, "he_of_mean_fan": .heOfMeanFan]

    /// Reads a name, or an object with its numbers.
    ///
    /// - Throws: `DescriptionError`, with the nearest name.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        if case .object(let members) = value, members.count == 1, let deviation = members["normal"] {
            self = .normal(
                deviation: try DescriptionError.within("normal") { () throws(DescriptionError) in try Double(deviation) })
            return
        }
        let name = try String(value)
        guard let found = Self.named.first(where: { $0.key == name }) else {
            throw DescriptionError(unknown("initializer", name, among: Self.named.map(\.key)))
        }
        self = found.value
    }

    /// As it is read.
    public func described(isWhole: Bool) -> DescriptionValue {
        if case .normal(let deviation) = self { return .object(["normal": deviation.descriptionValue]) }
        return .text(Self.named.first { $0.value == self }!.key)
    }
}
