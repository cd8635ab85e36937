import KantoABI

// Random numbers: the steps of kanto_random.h, in its order, one Philox block a lane. Swift does not contract products and
// sums to fused multiply-adds, so that each lane has the bits of the C functions. Words stand in 64-bit lanes, where their
// products fit.

/// What a random fill is planned to be.
private struct RandomPlan {
    var function = 0
    var count = 0
}

/// What the threads of one run share.
private struct RandomRun {
    var function: Int
    var count: Int
    var pieceCount: Int
    var generator: Generator
    var offset: Double
    var scale: Double
    var output: UnsafeMutablePointer<Float>
}

/// Makes a kernel that fills its output with random numbers of a distribution.
func makeRandom(
    _ problem: UnsafePointer<kanto_problem>, _ host: UnsafePointer<kanto_host>, _ slot: KernelSlot, _ message: Message?
) -> kanto_status {
    let function = Int(problem.pointee.function)
    guard kanto_find_function(problem.pointee.op, problem.pointee.function) != nil else {
        return decline(message, "no such distribution in the SIMD backend")
    }
    guard problem.pointee.flags == 0, problem.pointee.activation == 0 else {
        return decline(message, "random numbers take no flags and no activation")
    }
    guard problem.pointee.iteration.rank == 1, problem.pointee.iteration.extent.0 >= 0 else {
        return decline(message, "the output of random numbers has rank 1")
    }
    let plan = RandomPlan(function: function, count: Int(problem.pointee.iteration.extent.0))
    let description: StaticString = function == KANTO_FUNCTION_NORMAL ? "normal numbers" : "uniform numbers"
    return makeKernel(slot, description, plan) { kernel, arguments, message in
        runRandom(madeKernel(at: kernel!, as: RandomPlan.self).pointee.plan, arguments!, message)
    }
}

private func runRandom(
    _ plan: RandomPlan, _ arguments: UnsafePointer<kanto_arguments>, _ message: Message?
) -> kanto_status {
    guard plan.count > 0 else { return kanto_status(KANTO_STATUS_OK) }
    guard let output = kanto_output(arguments, 0)?.assumingMemoryBound(to: Float.self) else {
        return fail(message, "the output of random numbers is NULL")
    }
    guard let scalars = kanto_scalars(arguments, 8) else {
        return fail(message, "scalars of random numbers are missing")
    }
    for index in 2..<8 where !(scalars[index] >= 0 && scalars[index] < 0x1p32) {
        return fail(message, "a scalar of random numbers, s2 to s7, is not 32 bits of the key, the stream or the block")
    }
    let generator = Generator(
        key: joined(scalars[2], scalars[3]), stream: joined(scalars[4], scalars[5]),
        firstBlock: joined(scalars[6], scalars[7]))
    let host = arguments.pointee.host!
    // A fork and join takes as long as about 2¹² numbers.
    var run = RandomRun(
        function: plan.function, count: plan.count,
        pieceCount: plan.count < 1 << 12 ? 1 : Int(host.pointee.thread_count), generator: generator,
        offset: scalars[0], scale: scalars[1], output: output)
    if run.pieceCount > 1 {
        parallelFor(host, count: run.pieceCount, &run) { context, index, _ in
            draw(context!.assumingMemoryBound(to: RandomRun.self).pointee, piece: Int(index))
        }
    } else {
        draw(run, piece: 0)
    }
    return kanto_status(KANTO_STATUS_OK)
}

private func joined(_ low: Double, _ high: Double) -> UInt64 { UInt64(low) | UInt64(high) << 32 }

private func draw(_ run: RandomRun, piece: Int) {
    let part = share(piece, of: run.pieceCount, run.count, granularity: 4 * WideLanes.scalarCount)
    if run.function == KANTO_FUNCTION_NORMAL { draw(Normal.self, run, part) } else { draw(Uniform.self, run, part) }
}

/// Fills a range that starts at a multiple of the numbers of one vector of blocks.
@inline(never) private func draw<D: Distribution>(_: D.Type, _ run: RandomRun, _ part: Range<Int>) {
    var position = part.lowerBound
    while position < part.upperBound {
        let (n0, n1, n2, n3) = D.numbers(run.generator.words(atBlock: UInt64(position / 4)))
        let block = Four(
            e0: run.offset + run.scale * n0, e1: run.offset + run.scale * n1, e2: run.offset + run.scale * n2,
            e3: run.offset + run.scale * n3)
        let target = run.output + position
        let rest = part.upperBound &- position
        if rest >= 4 &* WideLanes.scalarCount {
            for lane in 0..<WideLanes.scalarCount {
                target[4 &* lane] = Float(block.e0[lane])
                target[4 &* lane &+ 1] = Float(block.e1[lane])
                target[4 &* lane &+ 2] = Float(block.e2[lane])
                target[4 &* lane &+ 3] = Float(block.e3[lane])
            }
        } else {
            for lane in 0..<WideLanes.scalarCount where 4 &* lane < rest {
                target[4 &* lane] = Float(block.e0[lane])
                if 4 &* lane &+ 1 < rest { target[4 &* lane &+ 1] = Float(block.e1[lane]) }
                if 4 &* lane &+ 2 < rest { target[4 &* lane &+ 2] = Float(block.e2[lane]) }
                if 4 &* lane &+ 3 < rest { target[4 &* lane &+ 3] = Float(block.e3[lane]) }
            }
        }
        position = position &+ 4 &* WideLanes.scalarCount
    }
}

/// The words of a block, or the numbers that are made of them.
private struct Four<Element> {
    var e0, e1, e2, e3: Element
}

/// Philox4x32-10.
private struct Generator {
    var key: UInt64
    var stream: UInt64
    var firstBlock: UInt64

    /// The words of consecutive blocks, one block a lane.
    @inline(__always) func words(atBlock number: UInt64) -> Four<WideLanesOfBits> {
        var block = WideLanesOfBits(repeating: firstBlock &+ number)
        for lane in 0..<WideLanes.scalarCount { block[lane] = block[lane] &+ UInt64(lane) }
        var c0 = block
        var c1 = block &>> 32
        var c2 = WideLanesOfBits(repeating: stream)
        var c3 = WideLanesOfBits(repeating: stream >> 32)
        var k0 = UInt32(truncatingIfNeeded: key)
        var k1 = UInt32(truncatingIfNeeded: key >> 32)
        var round = 0
        while round < 10 {
            // Words are cut to 32 bits where they are multiplied: then the product is one instruction, of the low halves.
            let first = low(c0) &* 0xD251_1F53
            let second = low(c2) &* 0xCD9E_8D57
            c0 = (second &>> 32) ^ c1 ^ WideLanesOfBits(repeating: UInt64(k0))
            c1 = second
            c2 = (first &>> 32) ^ c3 ^ WideLanesOfBits(repeating: UInt64(k1))
            c3 = first
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
            round = round &+ 1
        }
        return Four(e0: low(c0), e1: low(c1), e2: low(c2), e3: low(c3))
    }
}

@inline(__always) private func low(_ words: WideLanesOfBits) -> WideLanesOfBits { words & 0xFFFF_FFFF }
@inline(__always) private func bits(_ a: WideLanes) -> WideLanesOfBits { unsafeBitCast(a, to: WideLanesOfBits.self) }
@inline(__always) private func doubles(_ a: WideLanesOfBits) -> WideLanes { unsafeBitCast(a, to: WideLanes.self) }

/// Whole numbers below 2⁵² in floating point: in the low bits of 2⁵², since a conversion is compiled to a scalar loop.
@inline(__always) private func converted(_ a: WideLanesOfBits) -> WideLanes {
    doubles(a | (0x1p52 as Double).bitPattern) - 0x1p52
}

private protocol Distribution {
    static func numbers(_ words: Four<WideLanesOfBits>) -> (WideLanes, WideLanes, WideLanes, WideLanes)
}

private enum Uniform: Distribution {
    @inline(__always)
    static func numbers(_ words: Four<WideLanesOfBits>) -> (WideLanes, WideLanes, WideLanes, WideLanes) {
        (number(words.e0), number(words.e1), number(words.e2), number(words.e3))
    }
    @inline(__always) private static func number(_ word: WideLanesOfBits) -> WideLanes { converted(word &>> 8) * 0x1p-24 }
}

private enum Normal: Distribution {
    @inline(__always)
    static func numbers(_ words: Four<WideLanesOfBits>) -> (WideLanes, WideLanes, WideLanes, WideLanes) {
        let first = pair(words.e0, words.e1)
        let second = pair(words.e2, words.e3)
        return (first.0, first.1, second.0, second.1)
    }

    /// kanto_normal_pair.
    @inline(__always) private static func pair(_ w: WideLanesOfBits, _ v: WideLanesOfBits) -> (WideLanes, WideLanes) {
        let squareRootOfHalf: UInt64 = 0x3FE6_A09E_667F_3BCD
        let x = (converted(w) + 0.5) * 0x1p-32
        let shifted = bits(x) &+ (0x3FF0_0000_0000_0000 - squareRootOfHalf)
        let exponent = converted(shifted &>> 52) - 1023
        let m = doubles((shifted & 0x000F_FFFF_FFFF_FFFF) &+ squareRootOfHalf)
        let s = (m - 1) / (m + 1)
        let z = s * s
        var series = WideLanes(repeating: 1.0 / 21.0)
        var n = 19
        while n >= 1 {
            series = series * z + 1 / Double(n)
            n = n &- 2
        }
        let half = s * series
        let logarithm = exponent * 0x1.62e42fefa39efp-1 + (half + half)
        let radius = (-2 * logarithm).squareRoot()

        let quadrant = low(v &+ 0x2000_0000) &>> 30
        // Signed, so by way of a number that is 2³¹ larger.
        let turn = converted(low(v &- (quadrant &<< 30) &+ 0x8000_0000)) - 0x1p31
        let a = turn * 0x1.921fb54442d18p-30
        let y = a * a
        var sine = WideLanes(repeating: 1)
        var cosine = WideLanes(repeating: 1)
        n = 16
        while n >= 2 {
            sine = 1 - sine * y * (1 / Double(n &* (n &+ 1)))
            cosine = 1 - cosine * y * (1 / Double(n &* (n &- 1)))
            n = n &- 2
        }
        sine = sine * a
        let isOdd = (quadrant & 1) .!= 0
        let c = cosine.replacing(with: sine, where: isOdd)
        let d = sine.replacing(with: cosine, where: isOdd)
        // Of the cosine in quadrants 1 and 2, of the sine in 2 and 3.
        let signOfCosine = ((quadrant &+ 1) & 2) &<< 62
        let signOfSine = (quadrant & 2) &<< 62
        return (radius * doubles(bits(c) ^ signOfCosine), radius * doubles(bits(d) ^ signOfSine))
    }
}
