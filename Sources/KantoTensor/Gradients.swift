import KantoKernels

// Every gradient rule of Kanto, on one page. A rule is written in differentiable ops, so its result can be differentiated
// again, to any order. What is zero by structure (a leaky ReLU's second derivative, say) is absent, not a tensor of zeros.

extension Operation {
    /// The adjoints of a node's inputs, from the adjoint `g` of its output.
    ///
    /// - Parameter needs: whether the adjoint of an input is wanted; the others may be left out.
    func adjoints(of node: Node, _ g: Tensor, needs: (Int) -> Bool) throws -> [Tensor?] {
        let inputs = node.inputs
        var a: Tensor { inputs[0] }
        var b: Tensor { inputs[1] }
        var c: Tensor { inputs[2] }
        var y: Tensor { node.output }
        var zero: Tensor { get throws { try .scalar(0, elementType: g.elementType) } }
        func wanted(_ index: Int, _ adjoint: () throws -> Tensor) rethrows -> Tensor? { needs(index) ? try adjoint() : nil }
        func binary(_ first: () throws -> Tensor, _ second: () throws -> Tensor) throws -> [Tensor?] {
            [try wanted(0) { try first().sum(to: a.shape) }, try wanted(1) { try second().sum(to: b.shape) }]
        }
        func number(of axes: [Int]) -> Double { Double(axes.reduce(1) { $0 * a.shape[$1] }) }
        /// `g` to the second input where the condition holds, to the first elsewhere.
        func split(_ condition: Tensor) throws -> [Tensor?] {
            try binary(
                { try .select(zero, where: condition, otherwise: g) }, { try .select(g, where: condition, otherwise: zero) })
        }

        switch self {
        case .variable: return []

        case .matmul(let transposeA, let transposeB, let activation):
            let g = activation == .none ? g : try g.through(activation, output: y)
            return [
                try wanted(0) {
                    try transposeA
                        ? b.matmul(g, transposeSelf: transposeB, transposeOther: true)
                        : g.matmul(b, transposeOther: !transposeB)
                },
                try wanted(1) {
                    try transposeB
                        ? g.matmul(a, transposeSelf: true, transposeOther: transposeA)
                        : a.matmul(g, transposeSelf: !transposeA)
                },
                try wanted(2) { try g.sum(axes: [0]) },
            ]
        case .convolution(let geometry, let activation):
            let g = activation == .none ? g : try g.through(activation, output: y)
            return [
                try wanted(0) { try g.convolutionInputGradient(b, geometry) },
                try wanted(1) { try a.convolutionWeightGradient(g, geometry) },
                try wanted(2) { try g.sum(axes: [0, 1, 2]) },
            ]
        case .convolutionInputGradient(let geometry):
            return [
                try wanted(0) { try g.convolved(with: b, geometry) },
                try wanted(1) { try g.convolutionWeightGradient(a, geometry) },
            ]
        case .convolutionWeightGradient(let geometry):
            return [
                try wanted(0) { try b.convolutionInputGradient(g, geometry) },
                try wanted(1) { try a.convolved(with: g, geometry) },
            ]

        case .add: return try binary({ g }, { g })
        case .subtract: return try binary({ g }, { try -g })
        case .multiply:
            return [try wanted(0) { try .product(g, b, to: a.shape) }, try wanted(1) { try .product(g, a, to: b.shape) }]
        case .multiplyAdd:
            return [
                try wanted(0) { try .product(g, b, to: a.shape) }, try wanted(1) { try .product(g, a, to: b.shape) },
                try wanted(2) { try g.sum(to: c.shape) },
            ]
        case .normalize:
            return [
                try wanted(0) { try .product(g, c, to: a.shape) }, try wanted(1) { try -.product(g, c, to: b.shape) },
                try wanted(2) { try .product(g, a - b, to: c.shape) },
            ]
        case .select:
            return [
                nil, try wanted(1) { try .select(g, where: a, otherwise: zero).sum(to: b.shape) },
                try wanted(2) { try .select(zero, where: a, otherwise: g).sum(to: c.shape) },
            ]
        case .maximum: return try split(b.isGreater(than: a))
        case .minimum: return try split(a.isGreater(than: b))
        case .divide: return try binary({ try g / b }, { try -(g * y / b) })
        case .divideOrZero: return try binary({ try g.dividedOrZero(by: b) }, { try -((g * y).dividedOrZero(by: b)) })
        case .affine(let scale): return [try g * scale]
        case .square: return [try g * a * 2]
        case .sqrt: return [try (g * 0.5).dividedOrZero(by: y)]
        case .reciprocal: return [try -(g * y.square())]
        case .exp: return [try g * y]
        // Not y + 1, of which rounding leaves nothing where the power is small.
        case .expMinusOne: return [try g * a.exp()]
        case .log: return [try g / a]
        case .logOnePlus: return [try g / (a + 1)]
        // Not 1 − y² or y − y², for the same reason: of an output near 1 nothing is left.
        case .tanh: return [try g * ((a * 2).sigmoid() * (a * -2).sigmoid() * 4)]
        case .sigmoid: return [try g * (y * (-a).sigmoid())]
        case .softplus: return [try g * a.sigmoid()]
        case .erf: return [try g * (-a.square()).exp() * (2 / Double.pi.squareRoot())]
        case .absolute: return [try g * a.sign()]
        case .leakyReLU(let slope): return [try g.throughLeakyReLU(output: y, slope: slope)]
        case .leakyReLUGradient(let slope): return [try g.throughLeakyReLU(output: b, slope: slope), nil]

        case .sum: return [try g.broadcast(to: a.shape)]
        case .broadcast: return [try g.sum(to: a.shape)]
        case .reshape: return [try g.reshaped(a.shape)]
        case .permute(let order): return [try g.permuted(order.indices.map { order.firstIndex(of: $0)! })]
        case .slice(let axis, let start):
            return [try g.padded(axis: axis, before: start, after: a.shape[axis] - start - g.shape[axis])]
        case .pad(let axis, let before, _): return [try g.sliced(before..<before + a.shape[axis], axis: axis)]
        case .concatenate(let axis):
            var start = 0
            return try inputs.indices.map { index in
                defer { start += inputs[index].shape[axis] }
                return try wanted(index) { try g.sliced(start..<start + inputs[index].shape[axis], axis: axis) }
            }
        case .gather(let rows): return [try g.scatterAdded(to: rows, count: a.shape[0])]
        case .scatterAdd(let rows): return [try g.gathered(rows)]
        case .windowSum(let pooling): return [try g.windowSpread(pooling, height: a.shape[1], width: a.shape[2])]
        case .windowSpread(let pooling): return [try g.windowSum(pooling)]

        case .allReduce(let communicator): return [try g.allReduced(by: communicator)]

        case .sampleNorm:
            let count = a.shape[0]
            return [try g.reshaped([count, 1]) * a.dividedOrZero(by: y.reshaped([count, 1]))]
        case .variance(let axes):
            return [try (a - a.mean(axes: axes, keepsAxes: true)) * (g * (2 / number(of: axes)))]
        case .normalization(let axes, let inverseDeviation):
            return [try g.throughNormalization(y, a.inverseDeviation(inverseDeviation, normalized: y, axes: axes), axes: axes)]
        case .normalizationAdjoint(let axes, let products):
            let (ab, gb) = (recorded(.multiply, [a, b], products), try Tensor.product(g, b, to: c.shape))
            let scale = try c * (-1 / number(of: axes))
            return [
                try wanted(0) { try g.throughNormalization(b, c, axes: axes, products: gb) },
                try wanted(1) { try g.multiplied(by: ab * scale, adding: a * (gb * scale)) },
                try wanted(2) { try .product(g, y, to: c.shape) / c },
            ]
        case .inverseDeviation(let axes): return [try b * (g * y.square() * (-1 / number(of: axes))), nil]
        }
    }
}

extension Tensor {
    /// This adjoint passed back through an activation whose output is given, as an epilogue's is: its input was never stored.
    fileprivate func through(_ activation: Activation, output y: Tensor) throws -> Tensor {
        switch activation {
        case .none: self
        case .relu: try throughLeakyReLU(output: y, slope: 0)
        case .leakyReLU(let slope): try throughLeakyReLU(output: y, slope: slope)
        case .tanh: try self * (1 - y.square())
        case .sigmoid: try self * (y - y.square())
        }
    }
}
