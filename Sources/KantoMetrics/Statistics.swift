#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// - Precondition: there are some.
package func mean(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) / Double(values.count) }

/// - Precondition: there are some.
package func mean(_ values: [Double]) -> Double { mean(values[...]) }

/// A quantile of sorted numbers, interpolated between two of them: definition 7 of Hyndman and Fan (1996), NumPy's.
///
/// - Precondition: there are some.
package func quantile<Number: BinaryFloatingPoint>(_ share: Double, ofSorted values: [Number]) -> Double {
    let place = share * Double(values.count - 1)
    let index = min(max(0, Int(place)), values.count - 1)
    let next = min(index + 1, values.count - 1)
    return Double(values[index]) + (place - Double(index)) * (Double(values[next]) - Double(values[index]))
}

/// The divergence of Kullback and Leibler from even shares to those of the modes, in nats.
///
/// - Parameter counts: of the samples of each mode.
/// - Precondition: there are samples.
func divergence(fromEvenSharesOf counts: [Int]) -> Double {
    let total = Double(counts.reduce(0, +))
    return counts.reduce(0) { sum, count in
        let share = Double(count) / total
        return count == 0 ? sum : sum + share * log(share * Double(counts.count))
    }
}
