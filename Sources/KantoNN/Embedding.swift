import KantoTensor

/// A row of a table for each of some whole numbers, such as class labels: [n] to [n, size].
public struct Embedding: Layer {
    /// [count, size].
    public let weight: Parameter

    /// - Parameter weight: [rows, width].
    public init(weight: Tensor) { self.weight = Parameter(weight) }

    /// A table of `count` rows.
    ///
    /// - Throws: `TensorError` if a number is not positive.
    public init(count: Int, size: Int, initializer: Initializer = .normal(deviation: 1), using random: inout Random) throws {
        try requirePositive(["count": count, "size": size], for: "embedding")
        self.init(weight: try initializer.weights([count, size], incoming: 1, outgoing: Double(size), using: &random))
    }

    /// - Parameter rows: each from 0 up to, not including, the count.
    public func callAsFunction(_ rows: [Int]) throws -> Tensor { try weight.value.gathered(rows) }

    /// - Parameter input: [n], whole numbers; a constant.
    /// - Throws: `TensorError` if it is of another rank, or an element is no row of the table.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        guard input.rank == 1 else { throw TensorError("embedding", "an input of shape \(input.shape), expected [n]") }
        return try self(
            input.doubles.map { number in
                guard let row = Int(exactly: number) else { throw TensorError("embedding", "\(number) is no row number") }
                return row
            })
    }

    public var namedParameters: [(path: String, parameter: Parameter)] { [("weight", weight)] }
}
