import Glibc

/// The deviation of the curves' Gaussian average, as a share of the run.
package let standardSmoothing = 0.01

/// A centered Gaussian average of deviation `sigma`, in values, over three deviations on each side, renormalized at the ends and
/// where values are not finite. What is not finite stays so.
package func smoothed(_ values: [Double], sigma: Double) -> [Double] {
    guard sigma >= 0.3 else { return values }
    let reach = Int((3 * sigma).rounded(.up))
    let kernel = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    return values.indices.map { center in
        guard values[center].isFinite else { return .nan }
        var (sum, weight) = (0.0, 0.0)
        for index in max(0, center - reach)...min(values.count - 1, center + reach) where values[index].isFinite {
            sum += kernel[index - center + reach] * values[index]
            weight += kernel[index - center + reach]
        }
        return sum / weight
    }
}
