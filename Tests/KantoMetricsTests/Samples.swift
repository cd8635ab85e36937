import KantoTensor

/// The samples of Reference/metrics.py, number for number.
enum Samples {
    /// Sums of four uniform numbers of 16 bits, less 2: exact in float32.
    static func numbers(_ seed: UInt32, _ shape: Int...) throws -> Tensor {
        var state = seed
        let values = (0..<shape.reduce(1, *)).map { _ in
            var sum: UInt32 = 0
            for _ in 0..<4 {
                state = 1_664_525 &* state &+ 1_013_904_223
                sum += state >> 16
            }
            return Float(sum) / 65536 - 2
        }
        return try Tensor(values, shape: shape)
    }

    static func wide() throws -> Tensor { try numbers(1, 200, 12) }
    static func others() throws -> Tensor { try numbers(2, 150, 12) * 0.75 + 0.25 }
    static func points() throws -> Tensor { try numbers(3, 120, 2) }
    static func moved() throws -> Tensor { try numbers(4, 120, 2) * 0.5 }
    static func features() throws -> Tensor { try summed(numbers(5, 300, 16), fromLeft: true) }
    static func drawnFeatures() throws -> Tensor { try numbers(6, 250, 16) * 2 }
    static func table() throws -> Tensor { try summed(numbers(7, 90, 5), fromLeft: false) }
    static func rows() throws -> Tensor { try numbers(8, 70, 5) }
    static func costs() throws -> [Double] { try numbers(9, 60, 60).doubles }
    static func pictures() throws -> Tensor { try smooth(numbers(10, 24, 33, 40, 2)) }
    static func noise() throws -> Tensor { try numbers(11, 24, 33, 40, 2) }

    /// Each column becomes the sum of those up to it, or from it on.
    private static func summed(_ table: Tensor, fromLeft: Bool) throws -> Tensor {
        let width = table.shape[1]
        let ones = (0..<width * width).map { place -> Float in
            let (row, column) = (place / width, place % width)
            return (fromLeft ? row <= column : row >= column) ? 1 : 0
        }
        return try table.matmul(Tensor(ones, shape: [width, width]))
    }

    /// Pictures whose neighbors are alike.
    private static func smooth(_ pictures: Tensor) throws -> Tensor {
        func rolled(_ axis: Int, _ steps: Int) throws -> Tensor {
            let extent = pictures.shape[axis]
            return try Tensor.concatenated(
                [pictures.sliced(extent - steps..<extent, axis: axis), pictures.sliced(0..<extent - steps, axis: axis)],
                axis: axis)
        }
        return try (pictures + rolled(1, 1) + rolled(2, 1) + rolled(2, 2)) / 4
    }
}
