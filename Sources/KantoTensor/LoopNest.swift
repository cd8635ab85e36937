import KantoABI
import KantoKernels

/// The row-major strides of a shape, in elements. None is 0, not even where an axis is empty: that would repeat elements.
func strides(of shape: [Int]) -> [Int] {
    var result = Array(repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) { result[axis] = result[axis + 1] * max(1, shape[axis + 1]) }
    return result
}

/// The strides with which a shape is read as a larger one: 0 on the axes that are repeated.
func strides(of shape: [Int], in larger: [Int]) -> [Int] {
    let missing = larger.count - shape.count
    let dense = strides(of: shape)
    return larger.indices.map { axis in
        axis < missing || (shape[axis - missing] == 1 && larger[axis] != 1) ? 0 : dense[axis - missing]
    }
}

/// Extents and the strides of several operands, with axes merged where all operands allow it, so that tensors of any rank
/// fit the six axes of a problem and equal work has one kernel.
struct LoopNest {
    private(set) var extents: [Int] = []
    private(set) var strides: [[Int]]

    /// - Parameter strides: those of each operand.
    init(extents: [Int], strides: [[Int]]) throws {
        self.strides = Array(repeating: [], count: strides.count)
        for axis in extents.indices where extents[axis] != 1 {
            let extent = extents[axis]
            if let last = self.extents.indices.last,
                strides.indices.allSatisfy({ self.strides[$0][last] == strides[$0][axis] * extent })
            {
                self.extents[last] *= extent
                for operand in strides.indices { self.strides[operand][last] = strides[operand][axis] }
            } else {
                self.extents.append(extent)
                for operand in strides.indices { self.strides[operand].append(strides[operand][axis]) }
            }
        }
        guard self.extents.count <= Int(KANTO_MAXIMUM_RANK) else {
            throw TensorError(
                "loop nest",
                "extents \(extents) keep \(self.extents.count) axes after merging; kernels have at most \(KANTO_MAXIMUM_RANK)")
        }
    }
}
