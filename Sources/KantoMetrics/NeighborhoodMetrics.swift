import KantoTensor

/// Precision and recall of Kynkäänniemi et al. (2019, equation 2), density and coverage of Naeem et al. (2020, equations 3 and
/// 4). The neighborhood of a sample is the open ball around it that reaches to its k-th nearest of its own set.
///
/// - precision: the share of generated samples that lie in the neighborhood of a real one;
/// - recall: the share of real samples that lie in the neighborhood of a generated one;
/// - density: the mean number of neighborhoods of real samples that a generated one lies in, over k. It may pass 1;
/// - coverage: the share of real samples in whose neighborhood a generated one lies.
///
/// Checked against the Python package `prdc`, which goes with the second paper.
public struct NeighborhoodMetrics: Sendable {
    /// A term a generated sample: 1 or 0.
    public let precisionTerms: [Double]
    /// A term a real sample: 1 or 0.
    public let recallTerms: [Double]
    /// A term a generated sample.
    public let densityTerms: [Double]
    /// A term a real sample: 1 or 0.
    public let coverageTerms: [Double]

    /// - Parameters:
    ///   - real: [n, …].
    ///   - generated: [m, …], as wide.
    ///   - k: 5 in the second paper, 3 in the first.
    /// - Throws: `TensorError` if a set has no more than k samples, or widths differ.
    public init(real: Tensor, generated: Tensor, neighbor k: Int = 5) throws {
        let realRadii = try SquaredDistances.toNeighbor(k, within: real)
        let generatedRadii = try SquaredDistances.toNeighbor(k, within: generated)
        var containing = [Int](repeating: 0, count: generatedRadii.count)
        var (recalled, covered): ([Double], [Double]) = ([], [])
        try SquaredDistances(from: real, to: generated).forEachRow { row, distances in
            let radius = realRadii[row]
            var (isRecalled, isCovered) = (false, false)
            for other in 0..<distances.count {
                if distances[other] < radius {
                    containing[other] += 1
                    isCovered = true
                }
                if distances[other] < generatedRadii[other] { isRecalled = true }
            }
            recalled.append(isRecalled ? 1 : 0)
            covered.append(isCovered ? 1 : 0)
        }
        precisionTerms = containing.map { $0 > 0 ? 1 : 0 }
        densityTerms = containing.map { Double($0) / Double(k) }
        (recallTerms, coverageTerms) = (recalled, covered)
    }

    /// The share of generated samples in real neighborhoods, from 0 to 1.
    public var precision: Double { mean(precisionTerms) }
    /// The share of real samples in generated neighborhoods, from 0 to 1.
    public var recall: Double { mean(recallTerms) }
    /// Real neighborhoods a generated sample lies in, over k.
    public var density: Double { mean(densityTerms) }
    /// The share of real neighborhoods that hold a generated sample, from 0 to 1.
    public var coverage: Double { mean(coverageTerms) }
}
