import KantoData
import KantoTensor

/// What lies between whole numbers is filled in, so that the density of pictures is one over the reals: x becomes (x + u) for
/// u from U[0, 1), and what 0...255 filled is filled by 0..<256 (Theis et al. 2016, section 3.1).
struct Dequantization {
    /// Of the values of training: they lie in `lower...` this much above it, and this is what the next whole number adds.
    private let lower, span, step: Double

    /// - Throws: `DataError` if the data are not pictures of whole numbers.
    init(of data: any Dataset, path: String) throws(DataError) {
        guard data.sampleShape.count == 3, let range = data.valueRange, let step = data.units.multipliers.first, step > 0,
            (range.upper - range.lower) / step > 1.5
        else {
            throw DataError(
                .badInput, "\(path): data.dequantize is of pictures of whole numbers, such as bytes; these data are none")
        }
        (lower, span, self.step) = (range.lower, range.upper - range.lower, step)
    }

    func applied(to batch: Tensor, using random: consuming Random) throws -> Tensor {
        let scale = span / (span + step)
        let noise = try random.uniform(batch.shape, in: 0..<(step * scale))
        return try batch * scale + noise + lower * (1 - scale)
    }
}
