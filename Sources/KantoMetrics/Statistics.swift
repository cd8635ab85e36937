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
