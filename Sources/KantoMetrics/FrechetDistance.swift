import KantoTensor

/// The Fréchet distance of two sets of features, each taken as a normal distribution (Dowson and Landau 1982; Heusel et al. 2017,
/// equation 6): ‖μ − ν‖² + tr(Σ + Γ − 2 (Σ Γ)^½).
///
/// Here the features are those of a small classifier, so that the number cannot be compared with published ones of Inception's:
/// compare it with that between two sets of real samples. It falls with the number of samples.
public struct FrechetDistance {
    /// [count, width].
    private let real, generated: [Double]
    private let width: Int
    /// The distance.
    public let value: Double

    /// How often it is computed anew for the interval.
    private static let drawCount = 100

    /// - Parameters:
    ///   - real: features, [n, width].
    ///   - generated: [m, width].
    /// - Throws: `TensorError` if widths differ or a set has fewer than two samples.
    public init(real: Tensor, generated: Tensor) throws {
        guard real.rank == 2, generated.rank == 2, real.shape[1] == generated.shape[1], real.shape[0] > 1, generated.shape[0] > 1
        else { throw TensorError("Fréchet distance", "features of shapes \(real.shape) and \(generated.shape)") }
        (self.real, self.generated, width) = (real.doubles, generated.doubles, real.shape[1])
        value = Self.distance(
            Moments(self.real, width, rows: Array(0..<real.shape[0])),
            Moments(self.generated, width, rows: Array(0..<generated.shape[0])))
    }

    /// With an interval.
    public func estimate(_ bootstrap: Bootstrap) -> Estimate {
        bootstrap.estimate(
            of: value, [real.count / width, generated.count / width], draws: Self.drawCount, within: 0 ... .infinity
        ) {
            Self.distance(Moments(real, width, rows: $0[0]), Moments(generated, width, rows: $0[1]))
        }
    }

    private static func distance(_ a: Moments, _ b: Moments) -> Double {
        let n = a.mean.count
        // With Σ = L Lᵀ, Σ Γ has the eigenvalues of Lᵀ Γ L, which is symmetric.
        let root = a.choleskyFactor()
        let product = symmetricEigenvalues(of: congruent(b.covariance, root, n), size: n)
        var result = -2 * product.reduce(0) { $0 + max(0, $1).squareRoot() }
        for i in 0..<n {
            result += (a.mean[i] - b.mean[i]) * (a.mean[i] - b.mean[i]) + a.covariance[i * n + i] + b.covariance[i * n + i]
        }
        return max(0, result)
    }

    /// Lᵀ A L.
    private static func congruent(_ a: [Double], _ l: [Double], _ n: Int) -> [Double] {
        var left = [Double](repeating: 0, count: n * n)
        var result = left
        // L is 0 above its diagonal.
        for k in 0..<n {
            for row in 0...k {
                let factor = l[k * n + row]
                for column in 0..<n { left[row * n + column] += factor * a[k * n + column] }
            }
        }
        for row in 0..<n {
            for k in 0..<n {
                let factor = left[row * n + k]
                for column in 0...k { result[row * n + column] += factor * l[k * n + column] }
            }
        }
        return result
    }
}

/// The mean and the covariance of some rows, over n − 1 as NumPy's `cov`.
private struct Moments {
    var mean: [Double]
    var covariance: [Double]

    init(_ values: [Double], _ width: Int, rows: [Int]) {
        mean = [Double](repeating: 0, count: width)
        covariance = [Double](repeating: 0, count: width * width)
        for row in rows {
            for column in 0..<width { mean[column] += values[row * width + column] }
        }
        for column in 0..<width { mean[column] /= Double(rows.count) }
        var centered = [Double](repeating: 0, count: width)
        for row in rows {
            for column in 0..<width { centered[column] = values[row * width + column] - mean[column] }
            for i in 0..<width {
                let factor = centered[i]
                if factor == 0 { continue }
                for j in i..<width { covariance[i * width + j] += factor * centered[j] }
            }
        }
        for i in 0..<width {
            for j in i..<width {
                covariance[i * width + j] /= Double(rows.count - 1)
                covariance[j * width + i] = covariance[i * width + j]
            }
        }
    }

    /// The lower triangular L of which the covariance is L Lᵀ. A feature that tells nothing beyond those before has a column of
    /// zeros.
    func choleskyFactor() -> [Double] {
        let n = mean.count
        var l = [Double](repeating: 0, count: n * n)
        for column in 0..<n {
            for row in column..<n {
                var rest = covariance[row * n + column]
                for k in 0..<column { rest -= l[row * n + k] * l[column * n + k] }
                if row == column {
                    guard rest > covariance[row * n + row] * 1e-12 else { break }
                    l[row * n + row] = rest.squareRoot()
                } else {
                    l[row * n + column] = rest / l[column * n + column]
                }
            }
        }
        return l
    }
}
