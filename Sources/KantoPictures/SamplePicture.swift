import KantoData
import KantoTensor

/// How samples are drawn, by the shape of one: pictures of 1 or 3 channels in a grid, rows of two numbers as points of a plane.
public enum SamplePicture: Sendable {
    case grid
    case points

    /// - Parameter sampleShape: [height, width, channels], or [n] of a row. Samples of most shapes cannot be drawn: then nil.
    public init?(sampleShape: [Int]) {
        switch sampleShape.count {
        case 1 where sampleShape[0] == 2: self = .points
        case 3 where [1, 3].contains(sampleShape[2]): self = .grid
        default: return nil
        }
    }

    /// - Parameters:
    ///   - samples: as training has them, [count] + the sample's shape.
    ///   - data: for comparison: drawn below points, whose scale they settle; the first row of them stands below a grid.
    ///   - brightness: what becomes black and full brightness in a grid, see `SampleUnits.brightness`.
    ///   - columns: of a grid; nil for about as many as rows.
    public func picture(of samples: Tensor, beside data: Tensor? = nil, brightness: ValueRange, columns: Int? = nil) -> Picture {
        switch self {
        case .grid:
            ImageGrid.picture(
                of: samples.floats, shape: samples.shape, apart: data.map { firstRow(of: $0, columns ?? 8) } ?? [],
                range: Float(brightness.lower)...Float(brightness.upper), columns: columns)
        case .points:
            PointCloud.picture((data.map { [("data", $0.floats)] } ?? []) + [("generated", samples.floats)])
        }
    }
    private func firstRow(of data: Tensor, _ columns: Int) -> [Float] {
        Array(data.floats.prefix(columns * data.shape.dropFirst().reduce(1, *)))
    }
}
