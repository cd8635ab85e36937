import Foundation
import KantoABI
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var geometry: kanto_convolution
    var name: String

    /// Padding is top, left, bottom, right; stride and dilation are vertical, horizontal.
    init(
        _ batch: Int, _ height: Int, _ width: Int, _ channels: Int, to outputs: Int, kernel: (Int, Int),
        stride: (Int, Int) = (1, 1), pad: (Int, Int, Int, Int) = (0, 0, 0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1
    ) {
        geometry = kanto_convolution(
            batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
            output_channels: Int64(outputs), kernel_height: Int64(kernel.0), kernel_width: Int64(kernel.1),
            stride_y: Int64(stride.0), stride_x: Int64(stride.1), pad_top: Int64(pad.0), pad_left: Int64(pad.1),
            pad_bottom: Int64(pad.2), pad_right: Int64(pad.3), dilation_y: Int64(dilation.0),
            dilation_x: Int64(dilation.1), groups: Int64(groups))
        name = "n\(batch) \(height)x\(width)x\(channels)->\(outputs) k\(kernel) s\(stride) p\(pad) d\(dilation) g\(groups)"
    }

    var testDescription: String { name }

    static let all: [ConvolutionCase] = [
        // Layers of critics, small.
        ConvolutionCase(3, 14, 14, 1, to: 64, kernel: (5, 5), stride: (2, 2), pad: (2, 2, 2, 2)),
        ConvolutionCase(5, 7, 7, 8, to: 20, kernel: (5, 5), stride: (2, 2), pad: (2, 2, 2, 2)),
        ConvolutionCase(4, 8, 8, 3, to: 17, kernel: (4, 4), stride: (2, 2), pad: (1, 1, 1, 1)),
        ConvolutionCase(2, 9, 6, 16, to: 65, kernel: (3, 3), pad: (1, 1, 1, 1)),
        ConvolutionCase(7, 4, 4, 40, to: 1, kernel: (4, 4)),
        ConvolutionCase(2, 5, 5, 33, to: 6, kernel: (1, 1)),
        // Uneven in everything.
        ConvolutionCase(1, 11, 8, 5, to: 7, kernel: (3, 4), stride: (2, 3), pad: (2, 0, 1, 3)),
        ConvolutionCase(2, 10, 13, 6, to: 9, kernel: (2, 5), stride: (3, 1), pad: (0, 4, 2, 1), dilation: (2, 2)),
        ConvolutionCase(2, 12, 9, 7, to: 5, kernel: (3, 3), stride: (2, 2), pad: (3, 2, 2, 3), dilation: (3, 2)),
        ConvolutionCase(1, 9, 9, 5, to: 5, kernel: (3, 2), stride: (3, 2), dilation: (2, 3)),
        ConvolutionCase(1, 6, 6, 5, to: 8, kernel: (3, 3), stride: (4, 4), pad: (1, 1, 1, 1), dilation: (2, 2)),
        // Groups, down to depthwise.
        ConvolutionCase(2, 6, 7, 12, to: 18, kernel: (3, 3), stride: (2, 1), pad: (1, 1, 1, 1), groups: 3),
        ConvolutionCase(2, 6, 5, 10, to: 10, kernel: (3, 3), pad: (1, 1, 1, 1), groups: 10),
        ConvolutionCase(1, 7, 7, 4, to: 40, kernel: (3, 3), pad: (2, 2, 2, 2), dilation: (2, 2), groups: 2),
        ConvolutionCase(1, 5, 5, 12, to: 130, kernel: (2, 2), groups: 2),
        // Stride larger than the kernel, windows wholly in the padding, a kernel larger than the input.
        ConvolutionCase(2, 9, 9, 6, to: 4, kernel: (2, 1), stride: (3, 4)),
        ConvolutionCase(1, 3, 3, 6, to: 4, kernel: (2, 2), pad: (4, 4, 4, 4)),
        ConvolutionCase(1, 3, 2, 2, to: 4, kernel: (5, 5), pad: (2, 3, 2, 3)),
        ConvolutionCase(1, 1, 1, 5, to: 3, kernel: (1, 1)),
        // Blocks of the weight gradient within a sample.
        ConvolutionCase(2, 30, 31, 2, to: 3, kernel: (3, 3), pad: (1, 1, 1, 1)),
        // Nothing to do.
        ConvolutionCase(0, 5, 5, 5, to: 3, kernel: (3, 3)),
        ConvolutionCase(2, 2, 2, 5, to: 3, kernel: (3, 3)),
        ConvolutionCase(2, 2, 2, 3, to: 3, kernel: (3, 3)),
        ConvolutionCase(1, 4, 4, 0, to: 3, kernel: (3, 3)),
        ConvolutionCase(1, 4, 4, 5, to: 0, kernel: (3, 3)),
        ConvolutionCase(1, 0, 4, 5, to: 5, kernel: (3, 3), pad: (2, 2, 2, 2)),
    ]
}

@Suite("Convolution in float32")
struct ConvolutionTests {
    static let finishes = [Finish.plain, .all, Finish(hasBias: true, slope: 0)]

    @Test("forward equals the sums of products", arguments: Variant.present, ConvolutionCase.all)
    func forward(variant: Variant, shape: ConvolutionCase) throws {
        let g = shape.geometry
        let x = wholeNumbers(g.inputCount, seed: 1)
        let w = wholeNumbers(g.weightCount, seed: 2)
        let bias = wholeNumbers(Int(g.output_channels), seed: 3)
        let old = wholeNumbers(g.outputCount, seed: 4)
        var sums = [Double](repeating: 0, count: g.outputCount)
        g.forEachProduct { sums[$2] += Double(x[$0]) * Double(w[$1]) }
        let saved = savedOutputs(g.outputCount, seed: 11)
        for finish in Self.finishes + Finish.derivatives {
            let expected = sums.indices.map {
                finish.apply(sums[$0], bias: bias[$0 % Int(g.output_channels)], old: old[$0], saved: saved[$0])
            }
            let third = finish.derivative == nil ? bias : saved
            try check(KANTO_OP_CONV2D_FORWARD, g, finish, variant, [x, w, third], old, expected)
        }
    }

    @Test("input gradient is the adjoint in x", arguments: Variant.present, ConvolutionCase.all)
    func inputGradient(variant: Variant, shape: ConvolutionCase) throws {
        let g = shape.geometry
        let dy = wholeNumbers(g.outputCount, seed: 5)
        let w = wholeNumbers(g.weightCount, seed: 6)
        let old = wholeNumbers(g.inputCount, seed: 7)
        var sums = [Double](repeating: 0, count: g.inputCount)
        g.forEachProduct { sums[$0] += Double(dy[$2]) * Double(w[$1]) }
        let saved = savedOutputs(g.inputCount, seed: 12)
        for finish in [Finish.plain, Finish(accumulates: true)] + Finish.derivatives {
            let expected = sums.indices.map { finish.apply(sums[$0], bias: 0, old: old[$0], saved: saved[$0]) }
            let inputs = finish.derivative == nil ? [dy, w] : [dy, w, saved]
            try check(KANTO_OP_CONV2D_INPUT_GRADIENT, g, finish, variant, inputs, old, expected)
        }
    }

    @Test("weight gradient is the adjoint in w", arguments: Variant.present, ConvolutionCase.all)
    func weightGradient(variant: Variant, shape: ConvolutionCase) throws {
        let g = shape.geometry
        let x = wholeNumbers(g.inputCount, seed: 8)
        let dy = wholeNumbers(g.outputCount, seed: 9)
        let old = wholeNumbers(g.weightCount, seed: 10)
        var sums = [Double](repeating: 0, count: g.weightCount)
        g.forEachProduct { sums[$1] += Double(x[$0]) * Double(dy[$2]) }
        for finish in [Finish.plain, Finish(accumulates: true)] {
            let expected = sums.indices.map { finish.apply(sums[$0], bias: 0, old: old[$0], saved: 0) }
            try check(KANTO_OP_CONV2D_WEIGHT_GRADIENT, g, finish, variant, [x, dy], old, expected)
        }
    }

    @Test("weight gradient sums the bias' gradient too", arguments: Variant.present, ConvolutionCase.all)
    func biasGradient(variant: Variant, shape: ConvolutionCase) throws {
        let g = shape.geometry
        let channels = Int(g.output_channels)
        let x = wholeNumbers(g.inputCount, seed: 8)
        let dy = wholeNumbers(g.outputCount, seed: 9)
        let old = [wholeNumbers(g.weightCount, seed: 10), wholeNumbers(channels, seed: 11)]
        for accumulates in [false, true] {
            var sums = old.map { accumulates ? $0 : $0.map { _ in 0 } }
            g.forEachProduct { sums[0][$1] += x[$0] * dy[$2] }
            for index in dy.indices { sums[1][index % channels] += dy[index] }
            var problem = kanto_problem()
            problem.op = UInt32(KANTO_OP_CONV2D_WEIGHT_GRADIENT)
            problem.convolution = g
            Finish(accumulates: accumulates, hasBias: true).write(to: &problem)
            for threads in 1...2 {
                let results = try Host(threadCount: threads).run(problem, on: variant, [x, dy], outputs: old)
                #expect(results == sums, "\(threads) threads")
            }
        }
    }

    @Test("the bias' gradient of opposite parts is zero", arguments: Variant.present)
    func biasGradientCancels(variant: Variant) throws {
        let g = ConvolutionCase(64, 20, 20, 1, to: 40, kernel: (1, 1)).geometry
        let half = g.outputCount / 2
        let dy = (0..<g.outputCount).map { Float(sin(Double($0 % half))) * ($0 < half ? 1 : -1) }
        var problem = kanto_problem()
        problem.op = UInt32(KANTO_OP_CONV2D_WEIGHT_GRADIENT)
        problem.flags = UInt32(KANTO_FLAG_BIAS)
        problem.convolution = g
        let x = [Float](repeating: 1, count: g.inputCount)
        for threads in 1...2 {
            let results = try Host(threadCount: threads).run(
                problem, on: variant, [x, dy], outputs: [[Float](repeating: 0, count: 40), [Float](repeating: 0, count: 40)])
            #expect(results[1].allSatisfy { $0 == 0 })
        }
    }

    @Test("padding contributes nothing, even against infinite weights", arguments: Variant.present)
    func infiniteWeights(variant: Variant) throws {
        let g = ConvolutionCase(2, 4, 4, 5, to: 3, kernel: (3, 3), pad: (1, 1, 1, 1)).geometry
        // The kernel's upper row meets the first output row in the padding only.
        let w = (0..<g.weightCount).map { $0 < g.weightCount / 3 ? Float.infinity : 1 }
        let x = [Float](repeating: 1, count: g.inputCount)
        var problem = kanto_problem()
        problem.op = UInt32(KANTO_OP_CONV2D_FORWARD)
        problem.convolution = g
        let y = try Host().run(problem, on: variant, [x, w], output: [Float](repeating: 0, count: g.outputCount))
        for i in y.indices { #expect(y[i].isFinite == (i / 12 % 4 == 0), "\(i): \(y[i])") }
    }

    private func check(
        _ op: Int, _ geometry: kanto_convolution, _ finish: Finish, _ variant: Variant, _ inputs: [[Float]],
        _ old: [Float], _ expected: [Float]
    ) throws {
        var problem = kanto_problem()
        problem.op = UInt32(op)
        problem.convolution = geometry
        finish.write(to: &problem)
        for threads in 1...3 {
            let result = try Host(threadCount: threads).run(problem, on: variant, inputs, output: old)
            if let wrong = result.indices.first(where: { result[$0] != expected[$0] }) {
                Issue.record("\(threads) threads, \(finish): [\(wrong)] is \(result[wrong]), not \(expected[wrong])")
            }
        }
    }
}
