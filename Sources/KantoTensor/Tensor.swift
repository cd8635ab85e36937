import KantoKernels

/// An array of numbers of one type and any shape, in row-major order: a value, immutable once made.
///
/// A tensor that was computed from a tracked one remembers how, so that `gradients(of:withRespectTo:)` can walk back.
/// Activations are [batch, height, width, channels], convolution weights [height, width, in, out], dense weights [in, out].
public struct Tensor: Sendable {
    /// One size a dimension; empty for a single number.
    public let shape: [Int]
    /// float32 or float64.
    public let elementType: ElementType
    var buffer: Buffer
    /// Where this tensor's elements start in the buffer, in elements.
    let offset: Int
    let node: Node?

    init(shape: [Int], elementType: ElementType, buffer: Buffer, offset: Int = 0, node: Node? = nil) {
        self.shape = shape
        self.elementType = elementType
        self.buffer = buffer
        self.offset = offset
        self.node = node
    }

    /// A tensor with undefined content.
    ///
    /// - Throws: `TensorError` if an extent is negative or there would be more than 2^48 elements; `KernelError.memory` if the
    ///   system has no memory for it.
    package init(uninitialized shape: [Int], _ elementType: ElementType) throws {
        let count = try elementCount(shape, for: "tensor")
        self.init(shape: shape, elementType: elementType, buffer: try Buffer(byteCount: count * elementType.size))
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The number of axes.
    public var rank: Int { shape.count }

    /// The first element, for kernels. Who writes here has made the tensor, and nobody else has seen it.
    package var pointer: UnsafeMutableRawPointer { buffer.pointer + offset * elementType.size }
}

// MARK: - Making tensors

extension Tensor {
    /// A float32 tensor of the given elements, in row-major order; a literal is such.
    ///
    ///     let points = try Tensor([0, 0.5, 1, 1.5], shape: [2, 2])
    ///
    /// - Throws: `TensorError` if the number of elements is not that of the shape; `KernelError.memory` if the system has no
    ///   memory for them.
    public init(_ elements: [Float], shape: [Int]) throws {
        try self.init(copying: elements, shape: shape, .float32)
    }

    /// A float64 tensor of the given elements, in row-major order. A literal says so: `[1, 2] as [Double]`.
    ///
    /// - Throws: `TensorError` if the number of elements is not that of the shape; `KernelError.memory` if the system has no
    ///   memory for them.
    @_disfavoredOverload
    public init(_ elements: [Double], shape: [Int]) throws {
        try self.init(copying: elements, shape: shape, .float64)
    }

    private init<Element>(copying elements: [Element], shape: [Int], _ elementType: ElementType) throws {
        let count = try elementCount(shape, for: "tensor")
        guard count == elements.count else {
            throw TensorError("tensor", "a shape of \(shape) needs \(count) elements, \(elements.count) were given")
        }
        try self.init(uninitialized: shape, elementType)
        let target = pointer
        elements.withUnsafeBytes { if $0.count > 0 { target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
    }

    /// A tensor of one value.
    ///
    /// - Throws: `TensorError` if an extent is negative or there would be more than 2^48 elements; `KernelError.memory` if the
    ///   system has no memory for them.
    public init(repeating value: Double, shape: [Int], elementType: ElementType = .float32) throws {
        try self.init(uninitialized: shape, elementType)
        try fill(self, with: value)
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: [Int], elementType: ElementType = .float32) throws -> Tensor {
        try Tensor(repeating: 0, shape: shape, elementType: elementType)
    }

    /// A tensor of rank 0.
    public static func scalar(_ value: Double, elementType: ElementType = .float32) throws -> Tensor {
        try Tensor(repeating: value, shape: [], elementType: elementType)
    }
}

// MARK: - Reading tensors

extension Tensor {
    /// The elements in row-major order, rounded to single precision if need be.
    public var floats: [Float] {
        switch elementType {
        case .float32: elements(of: Float.self)
        case .float64: elements(of: Double.self).map(Float.init)
        }
    }

    /// The elements in row-major order, in double precision.
    public var doubles: [Double] {
        switch elementType {
        case .float32: elements(of: Float.self).map(Double.init)
        case .float64: elements(of: Double.self)
        }
    }

    /// The one element of a tensor that has one.
    ///
    /// - Throws: `TensorError` if it has none or more.
    public func item() throws -> Double {
        guard count == 1 else { throw TensorError("item", "the tensor of shape \(shape) has \(count) elements, expected one") }
        return elementType == .float32 ? Double(pointer.load(as: Float.self)) : pointer.load(as: Double.self)
    }

    private func elements<Element>(of type: Element.Type) -> [Element] {
        Array(unsafeUninitializedCapacity: count) { target, initialized in
            if count > 0 {
                UnsafeMutableRawPointer(target.baseAddress!).copyMemory(
                    from: pointer, byteCount: count * MemoryLayout<Element>.size)
            }
            initialized = count
        }
    }
}

extension Tensor {
    /// Whether gradients can be asked of this tensor or of what it was computed from.
    public var isTracked: Bool { node != nil }

    /// The same elements as a variable that gradients can be asked of. What it was computed from is forgotten.
    public func tracked() -> Tensor { attached(to: Node(.variable, inputs: [], output: nil)) }

    /// The same elements as a constant.
    public func detached() -> Tensor { attached(to: nil) }

    func attached(to node: Node?) -> Tensor {
        Tensor(shape: shape, elementType: elementType, buffer: buffer, offset: offset, node: node)
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String {
        let shown = doubles.prefix(8).map { String($0) }.joined(separator: ", ")
        return "Tensor(\(shape), \(elementType), [\(shown)\(count > 8 ? ", …" : "")])"
    }
}

/// The number of elements of a shape that a caller states.
///
/// - Throws: `TensorError` if an extent is negative or there are more than 2^48 elements, the kernels' limit, those along empty
///   axes aside.
@discardableResult
func elementCount(_ shape: [Int], for operation: String) throws -> Int {
    // An empty axis does not hide the others: strides are products of them.
    var (count, isEmpty) = (1, false)
    for extent in shape {
        let (product, overflows) = count.multipliedReportingOverflow(by: max(1, extent))
        guard extent >= 0, !overflows, product <= 1 << 48 else {
            throw TensorError(operation, "a shape of \(shape), expected extents from 0 up and at most 2^48 elements")
        }
        if extent == 0 { isEmpty = true }
        count = product
    }
    return isEmpty ? 0 : count
}

/// A wrong use of an op: which, and what was expected. One line for people.
public struct TensorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The op, as messages call it.
    public let operation: String
    /// What was wrong and what was expected.
    public let reason: String

    /// - Parameters:
    ///   - operation: the op, as messages call it.
    ///   - reason: what was wrong and what was expected.
    public init(_ operation: String, _ reason: String) {
        self.operation = operation
        self.reason = reason
    }

    public var description: String { "\(operation): \(reason)" }
}
