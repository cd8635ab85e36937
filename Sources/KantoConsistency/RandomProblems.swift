import KantoABI
import KantoKernels

/// Problems with random geometries, in float32: sizes around the widths of vectors or small and odd, few of them 0 or up to
/// some hundred; gaps, permutations and broadcasting; strides, padding and dilation that differ in each direction.
///
/// Each problem depends on its own seed alone, `seed` plus its index, so that one is found again without those before it.
/// None has more than about a million products.
/// - Parameter ops: those to choose from.
public func randomProblems(count: Int, seed: UInt64, ops: [Op] = Op.allCases) -> [TestProblem] {
    // The more of an op's kernels depend on its geometry, the more often it comes.
    let choices = ops.flatMap { Array(repeating: $0, count: weight(of: $0)) }
    guard !choices.isEmpty else { return [] }
    return (0..<UInt64(count)).map { index in
        let seed = seed &+ index
        var random = Random(seed: seed)
        let op = random.choice(choices)
        var (problem, scalars) = random.problem(op)
        if op.isProduct, random.isHit(in: 4) { problem = problem.with(.bfloat16) }
        return TestProblem(problem, scalars: scalars, seed: seed)
    }
}

private func weight(of op: Op) -> Int {
    switch op {
    case .matmul, .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient, .reduce: 3
    case .unary, .binary: 2
    case .ternary, .optimize, .statistics, .random: 1
    }
}

private let mostProducts = 1 << 20
private let longestSpan = 1 << 16

extension Random {
    fileprivate mutating func problem(_ op: Op) -> (Problem, scalars: [Double]) {
        switch op {
        case .matmul: return (randomMatmul(), [])
        case .convolution2DForward: return (.convolution(op, .float32, randomGeometry()).ending(with: randomEpilogue()), [])
        case .convolution2DInputGradient:
            let epilogue = isHit(in: 2) ? randomDerivative() : Epilogue(accumulate: isHit(in: 2))
            return (.convolution(op, .float32, randomGeometry()).ending(with: epilogue), [])
        case .convolution2DWeightGradient:
            let epilogue = Epilogue(bias: isHit(in: 2), accumulate: isHit(in: 2))
            return (.convolution(op, .float32, randomGeometry()).ending(with: epilogue), [])
        case .unary, .binary, .ternary: return randomElementwise(op, choice(Function.all(of: op)))
        case .reduce: return (randomReduction(), [])
        case .optimize: return randomUpdate()
        case .statistics: return (randomReduction(.statistics, nil), [])
        case .random: return randomNumbers()
        }
    }

    // MARK: - Products

    private mutating func randomMatmul() -> Problem {
        var batch = 1, m = 0, n = 0, k = 0
        repeat {
            batch = isHit(in: 3) ? size(upTo: 9) : 1
            (m, n, k) = (size(upTo: 300), size(upTo: 300), size(upTo: 1000))
        } while batch * m * n * k > mostProducts || batch * max(m * n, m * k, k * n) > longestSpan
        let transposesA = isHit(in: 2), transposesB = isHit(in: 2)
        var problem = Problem.matmul(
            batch: batch, m: m, n: n, k: k, transposeA: transposesA, transposeB: transposesB
        ).ending(with: randomEpilogue())
        let (rowsA, columnsA) = transposesA ? (k, m) : (m, k)
        let (rowsB, columnsB) = transposesB ? (n, k) : (k, n)
        (problem.raw.matmul.row_stride_a, problem.raw.matmul.batch_stride_a) = matrixStrides(
            batch, rowsA, columnsA, mayBeShared: true)
        (problem.raw.matmul.row_stride_b, problem.raw.matmul.batch_stride_b) = matrixStrides(
            batch, rowsB, columnsB, mayBeShared: true)
        (problem.raw.matmul.row_stride_c, problem.raw.matmul.batch_stride_c) = matrixStrides(batch, m, n, mayBeShared: false)
        return problem
    }

    /// The row and the batch stride of a batch of matrices, the rows of which may take turns as attention heads do.
    private mutating func matrixStrides(
        _ batch: Int, _ rows: Int, _ columns: Int, mayBeShared: Bool
    ) -> (row: Int64, batch: Int64) {
        let row = columns + (isHit(in: 3) ? 1 + below(5) : 0)
        guard batch > 1 else { return (Int64(row), 0) }
        if mayBeShared && isHit(in: 5) { return (Int64(row), 0) }
        if isHit(in: 5) { return (Int64(batch * max(1, row)), Int64(max(1, row))) }
        return (Int64(row), Int64(max(1, rows * row) + (isHit(in: 3) ? 1 + below(9) : 0)))
    }

    private mutating func randomEpilogue() -> Epilogue {
        guard isHit(in: 2) else { return Epilogue() }
        if isHit(in: 4) { return randomDerivative() }
        let slope = randomSlope()
        return Epilogue(
            bias: isHit(in: 2), activation: choice([.none, .relu, .leakyReLU(slope: slope), .tanh, .sigmoid]),
            accumulate: isHit(in: 2))
    }

    private mutating func randomDerivative() -> Epilogue {
        let slope = randomSlope().magnitude
        return Epilogue(derivative: choice([.relu, .leakyReLU(slope: slope), .tanh, .sigmoid]), accumulate: isHit(in: 2))
    }

    private mutating func randomSlope() -> Double { choice([0, 0.01, 0.2, 0.25, 0.5, 1, -0.5]) }

    private mutating func randomGeometry() -> Convolution2D {
        while true {
            let kernel = (1 + below(5), 1 + below(5))
            let dilation = isHit(in: 3) ? (1 + below(3), 1 + below(3)) : (1, 1)
            let stride = isHit(in: 2) ? (1 + below(3), 1 + below(3)) : (1, 1)
            let reach = (dilation.0 * (kernel.0 - 1) + 1, dilation.1 * (kernel.1 - 1) + 1)
            let padding =
                isHit(in: 3) ? (0, 0, 0, 0) : (below(reach.0 + 1), below(reach.1 + 1), below(reach.0 + 1), below(reach.1 + 1))
            let groups = isHit(in: 4) ? 1 + below(6) : 1
            let isDepthwise = groups > 1 && isHit(in: 2)
            let channels = isDepthwise ? 1 : size(upTo: 130)
            let outputs = isDepthwise ? 1 + below(2) : size(upTo: 130)
            let geometry = Convolution2D(
                batch: size(upTo: 40), height: size(upTo: 33), width: size(upTo: 33), channels: groups * channels,
                outputChannels: groups * outputs, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
                groups: groups)
            let raw = geometry.raw
            // A gradient is walked over either side.
            let positions =
                (raw.height + raw.pad_top + raw.pad_bottom)
                * (raw.width + raw.pad_left + raw.pad_right)
            let taps = raw.kernel_height * raw.kernel_width
            let products = raw.batch * positions * taps * raw.channels * Int64(outputs)
            let strides = raw.stride_y * raw.stride_x
            let spans = [
                raw.batch * positions * raw.channels, raw.batch * positions * raw.output_channels,
                taps * Int64(channels) * raw.output_channels,
            ]
            if products / strides <= mostProducts, spans.allSatisfy({ $0 <= longestSpan }) { return geometry }
        }
    }

    // MARK: - Loop nests

    private mutating func randomElementwise(_ op: Op, _ function: Function) -> (Problem, scalars: [Double]) {
        let info = function.info
        let extents = randomExtents()
        let output = randomStrides(extents)
        let inputs = (0..<info.input_count).map { _ in
            isHit(in: 2) ? output : randomStrides(extents, broadcasts: isHit(in: 2))
        }
        let problem = Problem.iteration(
            op, function, extents: extents, output: output, inputs: inputs,
            parameter: info.has(KANTO_TRAIT_PARAMETER) ? randomSlope() : 0)
        return (problem, (0..<info.scalar_count).map { _ in choice([-2, -1, -0.5, 0, 0.25, 1, 3]) })
    }

    private mutating func randomReduction() -> Problem {
        let function = choice(Function.all(of: .reduce))
        let accumulates = function.info.has(KANTO_TRAIT_SUM) && isHit(in: 2)
        return randomReduction(.reduce, function, accumulate: accumulates)
    }

    private mutating func randomReduction(_ op: Op, _ function: Function?, accumulate: Bool = false) -> Problem {
        let extents = randomExtents()
        let axes = Set(extents.indices.filter { _ in isHit(in: 2) })
        let inputs = (0..<Problem.inputCount(op, function)).map { _ in randomStrides(extents, broadcasts: isHit(in: 6)) }
        let kept = extents.indices.map { axes.contains($0) ? 1 : extents[$0] }
        var output = isHit(in: 3) ? randomStrides(kept) : Problem.contiguousStrides(kept)
        for axis in axes { output[axis] = 0 }
        return .iteration(op, function, extents: extents, output: output, inputs: inputs, accumulate: accumulate)
    }

    private mutating func randomExtents() -> [Int] {
        while true {
            let rank = below(Int(KANTO_MAXIMUM_RANK) + 1)
            let longest = [1, 9000, 300, 70, 20, 10, 7][rank]
            let extents = (0..<rank).map { _ in size(upTo: longest) }
            if extents.reduce(1, { $0 * max(1, $1) }) <= longestSpan / 4 { return extents }
        }
    }

    /// Strides under which no two elements meet, save along broadcast axes: axes in any order, gaps between them.
    private mutating func randomStrides(_ extents: [Int], broadcasts: Bool = false) -> [Int] {
        let axes = isHit(in: 3) ? extents.indices.shuffled(using: &self) : Array(extents.indices)
        var strides = extents
        var next = isHit(in: 6) ? 2 + below(2) : 1
        for axis in axes.reversed() {
            if broadcasts && isHit(in: 3) {
                strides[axis] = 0
            } else {
                strides[axis] = next
                next = next * max(1, extents[axis]) + (isHit(in: 8) ? 1 + below(3) : 0)
            }
        }
        return strides
    }

    private mutating func randomNumbers() -> (Problem, scalars: [Double]) {
        let words = (0..<6).map { _ in isHit(in: 4) ? 0 : Double(next() >> 32) }
        return (
            .random(choice(Function.all(of: .random)), count: size(upTo: 9000)),
            [choice([-1, 0, 0.3]), choice([1, 0.02, 2.5])] + words
        )
    }

    /// A step of an optimizer; of Adam, with the factors of one training.
    private mutating func randomUpdate() -> (Problem, scalars: [Double]) {
        let rate = choice([1e-2, 1e-3, 1e-4]), decay = choice([0, 0.01])
        switch below(4) {
        case 0: return (.optimize(.momentum, count: size(upTo: 9000)), [rate, choice([0, 0.9]), decay])
        case 1: return (.optimize(.rmsProp, count: size(upTo: 9000)), [rate, choice([0.9, 0.99]), 1e-8, decay])
        default: break
        }
        let (first, second) = (choice([0, 0.5, 0.9]), choice([0.9, 0.99, 0.999]))
        var corrections = (first: 1.0, second: 1.0)
        for _ in 0...below(100) { corrections = (corrections.first * first, corrections.second * second) }
        return (
            .optimize(.adam, count: size(upTo: 9000)),
            [
                rate, first, second, 1e-8, 1 - corrections.first, 1 - corrections.second, decay,
            ]
        )
    }

    // MARK: - Numbers

    /// Mostly small and odd, often around the width of a vector, sometimes anything up to the limit, rarely 0.
    private mutating func size(upTo limit: Int) -> Int {
        switch below(64) {
        case 0: 0
        case 1..<12: 1 + below(limit)
        case 12..<24: min(limit, 8 * (1 + below(8)) + below(3) - 1)
        default: min(limit, 1 + 2 * below(9))
        }
    }

    fileprivate mutating func choice<T>(_ values: [T]) -> T { values[below(values.count)] }

    /// One time in `count`.
    fileprivate mutating func isHit(in count: Int) -> Bool { below(count) == 0 }

    private mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}
