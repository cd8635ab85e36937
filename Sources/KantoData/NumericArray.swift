/// Numbers with a shape, row-major, as files hold them.
public struct NumericArray: Equatable, Sendable {
    /// The elements, in the type of the file.
    public enum Values: Equatable, Sendable {
        case float32([Float])
        case float64([Double])
        case uint8([UInt8])

        /// How many elements.
        public var count: Int {
            switch self {
            case .float32(let values): values.count
            case .float64(let values): values.count
            case .uint8(let values): values.count
            }
        }

        /// In bytes, per element.
        var elementSize: Int {
            switch self {
            case .float32: 4
            case .float64: 8
            case .uint8: 1
            }
        }

    }

    /// One size a dimension; empty for a single number.
    public let shape: [Int]
    /// Row-major, as many as the shape says.
    public let values: Values

    /// - Throws: `DataError` if there are not as many values as the shape says.
    public init(shape: [Int], values: Values) throws(DataError) {
        guard elementCount(of: shape) == values.count else {
            throw DataError(
                .badInput, "an array of shape \(shape): \(values.count) values were given, expected one for each place")
        }
        self.shape = shape
        self.values = values
    }

    /// An array of float32; a literal is such.
    ///
    /// - Throws: `DataError` if there are not as many values as the shape says.
    public init(shape: [Int], _ values: [Float]) throws(DataError) { try self.init(shape: shape, values: .float32(values)) }

    /// An array of float64.
    ///
    /// - Throws: `DataError` if there are not as many values as the shape says.
    @_disfavoredOverload
    public init(shape: [Int], _ values: [Double]) throws(DataError) { try self.init(shape: shape, values: .float64(values)) }

    /// An array of bytes.
    ///
    /// - Throws: `DataError` if there are not as many values as the shape says.
    @_disfavoredOverload
    public init(shape: [Int], _ values: [UInt8]) throws(DataError) { try self.init(shape: shape, values: .uint8(values)) }

    /// The values as float32; those of float64 are rounded.
    public var floats: [Float] {
        switch values {
        case .float32(let values): values
        case .float64(let values): values.map(Float.init)
        case .uint8(let values): values.map(Float.init)
        }
    }

    /// The values as float64, exactly.
    public var doubles: [Double] {
        switch values {
        case .float32(let values): values.map(Double.init)
        case .float64(let values): values
        case .uint8(let values): values.map(Double.init)
        }
    }
}
