/// Σ a·b over contiguous elements, in eight interleaved sums, so that additions need not wait for each other.
func dot<T: Number>(_ count: Int, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>) -> Double {
    var sums = SIMD8<Double>.zero
    var index = 0
    while index + 8 <= count {
        for lane in 0..<8 { sums[lane] += a[index + lane].wide * b[index + lane].wide }
        index += 8
    }
    var total = sums.sum()
    while index < count {
        total += a[index].wide * b[index].wide
        index += 1
    }
    return total
}

/// sums += value · b
@inline(__always)
func addScaled<T: Number>(
    _ count: Int, _ value: Double, _ b: UnsafePointer<T>, stride: Int, to sums: UnsafeMutablePointer<Double>
) {
    if stride == 1 {
        for index in 0..<count { sums[index] += value * b[index].wide }
    } else {
        for index in 0..<count { sums[index] += value * b[index * stride].wide }
    }
}
