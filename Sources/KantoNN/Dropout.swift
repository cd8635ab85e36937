import KantoDescriptions
import KantoTensor

/// Sets a share of the elements to 0 in training (see `withTraining`), and divides the others by what is left so that the mean
/// stays (Srivastava et al. 2014). Elsewhere it is the identity. Shapes stay.
///
/// The mask is drawn once a pass: a critic's gradient with respect to its input, and the gradient of the penalty on that, see
/// the same network as its scores.
public struct Dropout: DescribedLayer {
    /// The share of zeros, from 0 up to, not including, 1.
    public internal(set) var rate = 0.5

    public init() {}

    /// - Throws: `TensorError` if the rate is out of its range.
    public init(_ rate: Double) throws {
        guard (0..<1).contains(rate) else {
            throw TensorError("dropout", "a rate of \(rate), expected a number from 0 up to, not including, 1")
        }
        self.rate = rate
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard rate > 0, let pass = TrainingPass.current else { return input }
        let isDropped = try Tensor.scalar(rate, elementType: input.elementType).isGreater(than: pass.uniform(like: input))
        let scale = 1 / (1 - rate)
        return try input * isDropped.affine(scale: -scale, offset: scale)
    }
}

extension Dropout {
    public static let name = "dropout"
    public static let keys = [
        DescriptionKey("rate", \Dropout.rate, expected: "a number from 0 up to, not including, 1") { (0..<1).contains($0) }
    ]
    public func summary(for input: [Int]) -> String { "\(rate)" }
}
