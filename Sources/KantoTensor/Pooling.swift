import KantoKernels

// Sums over windows of an image that neither overlap nor leave gaps, and their adjoint, which repeats an element over its
// window. Both are one kernel run: a window is two more axes of the loop nest.

/// Square windows, and a factor for what is summed or spread.
package struct Pooling: Hashable, Sendable {
    var size: Int
    var scale: Double

    package init(size: Int, scale: Double) {
        self.size = size
        self.scale = scale
    }
}

extension Tensor {
    /// The mean of each window of `size` x `size` of this [n, h, w, c]; rows and columns that fill no window are left out.
    ///
    /// - Returns: [n, h / size, w / size, c].
    /// - Throws: `TensorError` if this is no image or smaller than a window.
    public func averagePooled(_ size: Int) throws -> Tensor {
        try requireImage(size, for: "average pooling")
        guard shape[1] >= size, shape[2] >= size else {
            throw TensorError("average pooling", "windows of \(size) x \(size), the input is \(shape[1]) x \(shape[2])")
        }
        return try windowSum(Pooling(size: size, scale: 1 / Double(size * size)))
    }

    /// Each element of this [n, h, w, c] repeated over `factor` x `factor`: the nearest neighbor.
    ///
    /// - Returns: [n, h · factor, w · factor, c].
    /// - Throws: `TensorError` if this is no image.
    public func upsampled(_ factor: Int) throws -> Tensor {
        try requireImage(factor, for: "upsampling")
        // Before the products, which would overflow.
        try elementCount([shape[0], shape[1], factor, shape[2], factor, shape[3]], for: "upsampling")
        return try windowSpread(Pooling(size: factor, scale: 1), height: shape[1] * factor, width: shape[2] * factor)
    }

    package func windowSum(_ pooling: Pooling) throws -> Tensor {
        let size = pooling.size
        let output = try Tensor(uninitialized: [shape[0], shape[1] / size, shape[2] / size, shape[3]], elementType)
        let nest = try windows(image: shape, size)
        let problem = Problem.iteration(
            .reduce, .sum, elementType, extents: nest.extents, output: nest.strides[1], inputs: [nest.strides[0]])
        try Kernels.kernel(for: problem).run(pointer, into: output.pointer)
        if pooling.scale != 1 { try scale(output, by: pooling.scale) }
        return recorded(.windowSum(pooling), [self], output)
    }

    package func windowSpread(_ pooling: Pooling, height: Int, width: Int) throws -> Tensor {
        let image = [shape[0], height, width, shape[3]]
        let output = try Tensor(uninitialized: image, elementType)
        if height % pooling.size != 0 || width % pooling.size != 0 { try fill(output, with: 0) }
        let nest = try windows(image: image, pooling.size)
        let problem = Problem.iteration(
            .unary, .affine, elementType, extents: nest.extents, output: nest.strides[0], inputs: [nest.strides[1]])
        try Kernels.kernel(for: problem).run(pointer, into: output.pointer, scalars: [pooling.scale, 0])
        return recorded(.windowSpread(pooling), [self], output)
    }

    private func requireImage(_ size: Int, for operation: String) throws {
        guard rank == 4, (1...1 << 24).contains(size) else {
            throw TensorError(
                operation, "an input of shape \(shape) and a size of \(size), expected [n, h, w, c] and a size from 1 to 2^24")
        }
    }
}

/// The loops over images and their windows, with the strides of the image, then those of one element a window.
private func windows(image: [Int], _ size: Int) throws -> LoopNest {
    let (rows, columns, channels) = (image[1] / size, image[2] / size, image[3])
    let row = image[2] * channels
    return try LoopNest(
        extents: [image[0], rows, size, columns, size, channels],
        strides: [
            [image[1] * row, size * row, row, size * channels, channels, 1],
            [rows * columns * channels, columns * channels, 0, channels, 0, 1],
        ])
}
