/// The eigenvalues of a symmetric matrix, in no order: Householder's reflections make it tridiagonal, the QL algorithm with
/// implicit shifts makes that diagonal (Golub and Van Loan 2013, sections 8.3.1 and 8.3.3; Dubrulle, Martin and Wilkinson 1968).
///
/// - Parameter matrix: [size, size].
/// - Returns: `size` numbers.
func symmetricEigenvalues(of matrix: [Double], size: Int) -> [Double] {
    precondition(matrix.count == size * size)
    var (diagonal, beside) = tridiagonalized(matrix, size)
    for first in 0..<size {
        // Each shift nearly always takes one off; 60 are never used up but by NaN.
        for _ in 0..<60 {
            // From here to the next 0 beside the diagonal is a matrix of its own.
            var last = first
            while last < size - 1,
                abs(beside[last]) > .ulpOfOne * (abs(diagonal[last]) + abs(diagonal[last + 1]))
            { last += 1 }
            if last == first { break }
            sweep(&diagonal, &beside, from: first, to: last)
        }
    }
    return diagonal
}

/// The diagonal and what stands beside it, with a 0 at the end.
private func tridiagonalized(_ matrix: [Double], _ n: Int) -> (diagonal: [Double], beside: [Double]) {
    var a = matrix
    var (v, w) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    var beside = [Double](repeating: 0, count: n)
    for k in 0..<max(0, n - 1) {
        // The reflection of row k, behind its diagonal, onto the first of its numbers.
        var squares = 0.0
        for i in k + 1..<n { squares += a[k * n + i] * a[k * n + i] }
        let length = a[k * n + k + 1] > 0 ? -squares.squareRoot() : squares.squareRoot()
        beside[k] = length
        for i in k + 1..<n { v[i] = a[k * n + i] }
        v[k + 1] -= length
        let square = squares - length * a[k * n + k + 1]
        guard square > 0 else { continue }
        // From both sides: A − v wᵀ − w vᵀ.
        var product = 0.0
        for i in k + 1..<n {
            var sum = 0.0
            for j in k + 1..<n { sum += a[i * n + j] * v[j] }
            w[i] = sum / square
            product += w[i] * v[i]
        }
        for i in k + 1..<n { w[i] -= product / (2 * square) * v[i] }
        for i in k + 1..<n {
            for j in k + 1..<n { a[i * n + j] -= v[i] * w[j] + w[i] * v[j] }
        }
    }
    return ((0..<n).map { a[$0 * n + $0] }, beside)
}

/// One step of the QL algorithm on part of a tridiagonal matrix, with Wilkinson's shift.
private func sweep(_ diagonal: inout [Double], _ beside: inout [Double], from first: Int, to last: Int) {
    let half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first])
    let root = (half * half + 1).squareRoot()
    var bulge = diagonal[last] - diagonal[first] + beside[first] / (half + (half < 0 ? -root : root))
    var (sine, cosine, shift) = (1.0, 1.0, 0.0)
    for i in (first..<last).reversed() {
        let (f, b) = (sine * beside[i], cosine * beside[i])
        let r = (f * f + bulge * bulge).squareRoot()
        beside[i + 1] = r
        if r == 0 {
            // The matrix has come apart here.
            diagonal[i + 1] -= shift
            beside[last] = 0
            return
        }
        (sine, cosine) = (f / r, bulge / r)
        let g = diagonal[i + 1] - shift
        let step = (diagonal[i] - g) * sine + 2 * cosine * b
        shift = sine * step
        diagonal[i + 1] = g + shift
        bulge = cosine * step - b
    }
    diagonal[first] -= shift
    beside[first] = bulge
    beside[last] = 0
}
