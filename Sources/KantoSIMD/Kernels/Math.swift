// Elementary functions on vectors, in float32 arithmetic only. Bounds are in units in the last place of the exact result,
// over all floats, denormal ones too. They hold without FMA: the reduction of an argument subtracts products that are
// exact (Cody and Waite 1980). No conversion to integers is used: Swift compiles it to a scalar loop. The polynomials are
// those of Moshier's Cephes library, single precision.

/// 1.5 · 2²³: added to a float of magnitude below 2²², it rounds it to an integer, which then stands in the low bits.
@inline(__always) private var roundingConstant: Float { 12_582_912 }

/// ln 2 in two parts, of which the first has 9 bits, so that its product with any exponent is exact.
@inline(__always) private var ln2High: Float { 0.693359375 }
@inline(__always) private var ln2Low: Float { -2.12194440e-4 }

@inline(__always) func bits(_ a: Lanes) -> LanesOfBits { unsafeBitCast(a, to: LanesOfBits.self) }
@inline(__always) func floats(_ a: LanesOfBits) -> Lanes { unsafeBitCast(a, to: Lanes.self) }

/// |a|.
@inline(__always) func magnitude(_ a: Lanes) -> Lanes { floats(bits(a) & 0x7FFF_FFFF) }

/// One step of Horner's scheme: sum · x + coefficient.
@inline(__always) private func horner(_ sum: Lanes, _ x: Lanes, _ coefficient: Float) -> Lanes {
    multiplyAdd(sum, x, Lanes(repeating: coefficient))
}

/// eᵃ, within 2 ULP.
@inline(__always) func exp(_ a: Lanes) -> Lanes {
    // Beyond these the result is infinity or 0 for any argument. NaN fails both comparisons and stays.
    var x = a.replacing(with: 89, where: a .> 89)
    x = x.replacing(with: -105, where: x .< -105)

    // x = n ln 2 + r with |r| ≤ ln 2 / 2.
    let shifted = multiplyAdd(x, Lanes(repeating: 1.44269504), Lanes(repeating: roundingConstant))
    let n = shifted - roundingConstant
    var r = multiplyAdd(n, Lanes(repeating: -ln2High), x)
    r = multiplyAdd(n, Lanes(repeating: -ln2Low), r)

    // sum ≈ (eʳ - 1 - r) / r².
    var sum = multiplyAdd(Lanes(repeating: 1.9875691500e-4), r, Lanes(repeating: 1.3981999507e-3))
    sum = horner(sum, r, 8.3334519073e-3)
    sum = horner(sum, r, 4.1665795894e-2)
    sum = horner(sum, r, 1.6666665459e-1)
    sum = horner(sum, r, 5.0000001201e-1)
    let power = multiplyAdd(sum, r * r, r) + 1

    // 2ⁿ in two factors, since n leaves the range of exponents at both ends; only the last product may round.
    let biased = bits(shifted) &- roundingConstant.bitPattern &+ 254
    let half = biased &>> 1
    return power * floats(half &<< 23) * floats((biased &- half) &<< 23)
}

/// The natural logarithm, within 2 ULP; -infinity at ±0, NaN below.
@inline(__always) func log(_ a: Lanes) -> Lanes {
    let isDenormal = a .< Float.leastNormalMagnitude
    let x = a.replacing(with: a * 8_388_608, where: isDenormal)

    // x = 2ⁿ (1 + f) with 1 + f in √½ ..< √2, by subtracting the bits of √½; 2³¹ keeps the difference positive.
    let squareRootOfHalf: UInt32 = 0x3F35_04F3
    let difference = bits(x) &- squareRootOfHalf &+ 0x8000_0000
    let f = floats((difference & 0x007F_FFFF) &+ squareRootOfHalf) - 1
    // The integer n + 256 in the low bits of 2²³.
    let shiftedN = floats((difference &>> 23) | Float(8_388_608).bitPattern)
    let bias = Lanes(repeating: 8_388_608 + 256).replacing(with: 8_388_608 + 256 + 23, where: isDenormal)
    let n = shiftedN - bias

    let square = f * f
    var sum = multiplyAdd(Lanes(repeating: 7.0376836292e-2), f, Lanes(repeating: -1.1514610310e-1))
    sum = horner(sum, f, 1.1676998740e-1)
    sum = horner(sum, f, -1.2420140846e-1)
    sum = horner(sum, f, 1.4249322787e-1)
    sum = horner(sum, f, -1.6668057665e-1)
    sum = horner(sum, f, 2.0000714765e-1)
    sum = horner(sum, f, -2.4999993993e-1)
    sum = horner(sum, f, 3.3333331174e-1)
    sum = sum * square * f
    sum = multiplyAdd(n, Lanes(repeating: ln2Low), sum)
    sum = multiplyAdd(square, Lanes(repeating: -0.5), sum)
    var result = multiplyAdd(n, Lanes(repeating: ln2High), f + sum)

    result = result.replacing(with: a, where: .!(a .< Float.infinity))
    result = result.replacing(with: Float.nan, where: a .< 0)
    return result.replacing(with: -Float.infinity, where: a .== 0)
}

/// The hyperbolic tangent, within 2 ULP.
@inline(__always) func tanh(_ a: Lanes) -> Lanes {
    let x = magnitude(a)
    // Near 0 an odd polynomial; elsewhere 1 - 2 / (e²ˣ + 1), whose error the subtraction makes smaller.
    let square = x * x
    var sum = multiplyAdd(Lanes(repeating: -5.70498872745e-3), square, Lanes(repeating: 2.06390887954e-2))
    sum = horner(sum, square, -5.37397155531e-2)
    sum = horner(sum, square, 1.33314422036e-1)
    sum = horner(sum, square, -3.33332819422e-1)
    let nearZero = multiplyAdd(sum * square, x, x)
    let elsewhere = 1 - 2 / (exp(x + x) + 1)
    let result = elsewhere.replacing(with: nearZero, where: x .< 0.625)
    return floats(bits(result) | (bits(a) & 0x8000_0000))
}

/// 1 / (1 + e⁻ᵃ), within 3 ULP.
@inline(__always) func sigmoid(_ a: Lanes) -> Lanes {
    // The power of a negative number, so that it does not overflow where the result is small but not 0.
    let power = exp(floats(bits(a) | 0x8000_0000))
    let numerator = Lanes(repeating: 1).replacing(with: power, where: a .< 0)
    return numerator / (power + 1)
}

/// The correctly rounded square root.
@inline(__always) func squareRoot(_ a: Lanes) -> Lanes { a.squareRoot() }
