// Elementary functions on vectors, in float32 arithmetic only. Bounds are in units in the last place of the exact result,
// over all floats, denormal ones too. They hold without FMA: the reduction of an argument subtracts products that are
// exact (Cody and Waite 1980). No conversion to integers is used: Swift compiles it to a scalar loop. The polynomials are
// those of Moshier's Cephes library, single precision, where nothing else is said.

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

/// A power of e as 2ⁿ eʳ with |r| ≤ ln 2 / 2. Two to the n is in two factors, since n leaves the range of exponents at both
/// ends; only the product with the second may round.
private struct Power {
    /// eʳ - 1.
    var lessOne: Lanes
    private var exponent1: LanesOfBits
    private var exponent2: LanesOfBits

    @inline(__always) var factor1: Lanes { floats(exponent1 &<< 23) }
    @inline(__always) var factor2: Lanes { floats(exponent2 &<< 23) }
    @inline(__always) var inverseOfFactor2: Lanes { floats((254 &- exponent2) &<< 23) }

    @inline(__always) init(_ a: Lanes) {
        // Beyond these the result is infinity or 0 for any argument. NaN fails both comparisons and stays.
        var x = a.replacing(with: 89, where: a .> 89)
        x = x.replacing(with: -105, where: x .< -105)

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
        lessOne = multiplyAdd(sum, r * r, r)

        let biased = bits(shifted) &- roundingConstant.bitPattern &+ 254
        exponent1 = biased &>> 1
        exponent2 = biased &- exponent1
    }
}

/// eᵃ, within 2 ULP.
@inline(__always) func exp(_ a: Lanes) -> Lanes {
    let power = Power(a)
    return (power.lessOne + 1) * power.factor1 * power.factor2
}

/// eᵃ - 1, within 2 ULP.
@inline(__always) func expMinusOne(_ a: Lanes) -> Lanes {
    let power = Power(a)
    // 2ⁿ (eʳ - 1) + (2ⁿ - 1), of which the first alone is left near 0.
    let result = multiplyAdd(power.factor1, power.lessOne, power.factor1 - power.inverseOfFactor2) * power.factor2
    return result.replacing(with: a, where: a .== 0)
}

/// A positive number as 2ⁿ (1 + f) with 1 + f in √½ ..< √2.
private struct Scaled {
    /// n + 256.
    var biasedExponent: LanesOfBits
    var f: Lanes

    @inline(__always) init(_ x: Lanes) {
        // By subtracting the bits of √½; 2³¹ keeps the difference positive.
        let squareRootOfHalf: UInt32 = 0x3F35_04F3
        let difference = bits(x) &- squareRootOfHalf &+ 0x8000_0000
        f = floats((difference & 0x007F_FFFF) &+ squareRootOfHalf) - 1
        biasedExponent = difference &>> 23
    }

    /// The logarithm, of a number that was multiplied by a power of two of which `scale` is the exponent.
    @inline(__always) func logarithm(scale: Lanes) -> Lanes {
        // The integer n + 256 in the low bits of 2²³.
        let shiftedN = floats(biasedExponent | Float(8_388_608).bitPattern)
        let n = shiftedN - (8_388_608 + 256 + scale)
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
        return multiplyAdd(n, Lanes(repeating: ln2High), f + sum)
    }
}

/// The natural logarithm, within 2 ULP; -infinity at ±0, NaN below.
@inline(__always) func log(_ a: Lanes) -> Lanes {
    let isDenormal = a .< Float.leastNormalMagnitude
    let scaled = Scaled(a.replacing(with: a * 8_388_608, where: isDenormal))
    var result = scaled.logarithm(scale: Lanes().replacing(with: 23, where: isDenormal))
    result = result.replacing(with: a, where: .!(a .< Float.infinity))
    result = result.replacing(with: Float.nan, where: a .< 0)
    return result.replacing(with: -Float.infinity, where: a .== 0)
}

/// log(1 + a), within 2 ULP; -infinity at -1, NaN below.
@inline(__always) func logOnePlus(_ a: Lanes) -> Lanes {
    let sum = 1 + a
    var scaled = Scaled(sum)
    // What the sum lost (Knuth's two-sum), divided by 2ⁿ, goes back into f; near 0, where n is 0, f becomes a itself. From
    // 2³⁰ up it does not show, and the divisor would leave the range of exponents.
    let added = sum - 1
    let lost = (1 - (sum - added)) + (a - added)
    let inverse = floats((127 &+ 256 &- scaled.biasedExponent) &<< 23)
    scaled.f += lost * inverse.replacing(with: 0, where: a .> 1_073_741_824)
    var result = scaled.logarithm(scale: Lanes())
    result = result.replacing(with: a, where: (.!(a .< Float.infinity)) .| (a .== 0))
    result = result.replacing(with: Float.nan, where: a .< -1)
    return result.replacing(with: -Float.infinity, where: a .== -1)
}

/// log(1 + eᵃ), within 2 ULP, for very negative ones too, where it is eᵃ.
@inline(__always) func softplus(_ a: Lanes) -> Lanes {
    let power = exp(floats(bits(a) | 0x8000_0000))
    return a.replacing(with: 0, where: a .< 0) + logOnePlus(power)
}

/// The error function, within 2 ULP. Both polynomials are minimax fits of their own.
@inline(__always) func errorFunction(_ a: Lanes) -> Lanes {
    // Near 0, erf(x) = x + x P(x²).
    let x = magnitude(a)
    let square = x * x
    var sum = multiplyAdd(Lanes(repeating: 7.80690316e-5), square, Lanes(repeating: -7.99785310e-4))
    sum = horner(sum, square, 5.1871622e-3)
    sum = horner(sum, square, -2.68533472e-2)
    sum = horner(sum, square, 1.12835787e-1)
    sum = horner(sum, square, -3.7612626e-1)
    sum = horner(sum, square, 1.28379166e-1)
    let nearZero = multiplyAdd(sum, x, x)

    // Elsewhere 1 - e^Q(x), whose error the subtraction makes smaller; from 4 on it is 1.
    let t = x.replacing(with: 4, where: x .> 4)
    sum = multiplyAdd(Lanes(repeating: 1.86386751e-4), t, Lanes(repeating: -2.94771837e-3))
    sum = horner(sum, t, 2.18382515e-2)
    sum = horner(sum, t, -1.03107043e-1)
    sum = horner(sum, t, -6.38144612e-1)
    sum = horner(sum, t, -1.12708926)
    sum = horner(sum, t, -3.41518549e-4)
    let result = (1 - exp(sum)).replacing(with: nearZero, where: x .< 1)
    return floats(bits(result) | (bits(a) & 0x8000_0000))
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
