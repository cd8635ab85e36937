import Foundation
import KantoABI
import Testing

struct MatmulCase: Sendable, CustomTestStringConvertible {
    var m, n, k: Int
    var batch = 1
    /// Added to each row stride.
    var slack = 0
    var sharesA = false
    var sharesB = false
    var finish = Finish.plain

    var testDescription: String { "\(batch)x \(m)x\(k)x\(n) slack \(slack) \(finish)" }

    static let all: [MatmulCase] =
        [
            (0, 5, 3), (5, 0, 3), (5, 3, 0), (1, 1, 1), (1, 64, 7), (5, 3, 2), (6, 4, 5), (7, 8, 9), (6, 15, 4),
            (13, 16, 8), (12, 17, 33), (11, 31, 6), (6, 32, 12), (18, 33, 7), (7, 48, 11), (5, 63, 16), (6, 64, 17), (19, 65, 31),
            (25, 100, 40), (4, 130, 9), (70, 1, 70), (1, 70, 70), (40, 2, 33), (3, 129, 300),
        ].map { MatmulCase(m: $0.0, n: $0.1, k: $0.2) }
        + [
            MatmulCase(m: 7, n: 35, k: 9, slack: 3, finish: .all),
            MatmulCase(m: 12, n: 64, k: 20, finish: .all),
            MatmulCase(m: 12, n: 64, k: 0, finish: .all),
            MatmulCase(m: 13, n: 21, k: 10, finish: Finish(hasBias: true, slope: 0)),
            MatmulCase(m: 13, n: 80, k: 10, finish: Finish(accumulates: true)),
            MatmulCase(m: 13, n: 80, k: 2500, finish: .all),
            MatmulCase(m: 8, n: 20, k: 5, batch: 3, slack: 1),
            MatmulCase(m: 8, n: 20, k: 5, batch: 3, slack: 1, sharesA: true, finish: .all),
            MatmulCase(m: 8, n: 20, k: 5, batch: 3, slack: 2, sharesB: true, finish: .all),
            MatmulCase(m: 9, n: 70, k: 5, batch: 2, sharesA: true, sharesB: true),
            MatmulCase(m: 9, n: 70, k: 5, batch: 0),
            MatmulCase(m: 1, n: 150, k: 40, slack: 2, finish: .all),
            MatmulCase(m: 150, n: 1, k: 139, slack: 1, finish: .all),
            MatmulCase(m: 300, n: 1, k: 600),
            MatmulCase(m: 9, n: 1, k: 70, batch: 2),
            MatmulCase(m: 9, n: 144, k: 10, batch: 3, slack: 1, finish: .all),
        ]
        + Finish.derivatives.flatMap { finish in
            [
                MatmulCase(m: 12, n: 64, k: 20, finish: finish), MatmulCase(m: 13, n: 85, k: 10, slack: 1, finish: finish),
                MatmulCase(m: 13, n: 80, k: 2500, finish: finish), MatmulCase(m: 7, n: 33, k: 0, finish: finish),
                MatmulCase(m: 8, n: 20, k: 5, batch: 3, slack: 2, sharesB: true, finish: finish),
                MatmulCase(m: 9, n: 70, k: 5, batch: 2, sharesA: true, finish: finish),
                MatmulCase(m: 1, n: 150, k: 40, slack: 2, finish: finish),
                MatmulCase(m: 150, n: 1, k: 139, slack: 1, finish: finish),
            ]
        }
}

@Suite("Matmul in float32")
struct MatmulTests {
    @Test("equals the sums of products", arguments: Variant.present, MatmulCase.all)
    func equalsSums(variant: Variant, shape: MatmulCase) throws {
        for transposes in 0..<4 {
            for threads in 1...2 {
                try check(shape, transposesA: transposes & 1 != 0, transposesB: transposes & 2 != 0, threads, variant)
            }
        }
    }

    private func check(
        _ shape: MatmulCase, transposesA: Bool, transposesB: Bool, _ threads: Int, _ variant: Variant
    ) throws {
        let (m, n, k) = (shape.m, shape.n, shape.k)
        let columnsA = (transposesA ? m : k) + shape.slack
        let columnsB = (transposesB ? k : n) + 2 * shape.slack
        let columnsC = n + 3 * shape.slack
        let sizeA = (transposesA ? k : m) * columnsA
        let sizeB = (transposesB ? n : k) * columnsB
        let a = wholeNumbers(sizeA * shape.batch, seed: 1)
        let b = wholeNumbers(sizeB * shape.batch, seed: 2)
        let bias = wholeNumbers(n, seed: 3)
        let old = wholeNumbers(m * columnsC * shape.batch, seed: 4)
        let saved = savedOutputs(m * columnsC * shape.batch, seed: 5)

        var problem = kanto_problem()
        problem.op = UInt32(KANTO_OP_MATMUL)
        if transposesA { problem.flags |= UInt32(KANTO_FLAG_TRANSPOSE_A) }
        if transposesB { problem.flags |= UInt32(KANTO_FLAG_TRANSPOSE_B) }
        shape.finish.write(to: &problem)
        problem.matmul = kanto_matmul(
            batch: Int64(shape.batch), m: Int64(m), n: Int64(n), k: Int64(k), row_stride_a: Int64(columnsA),
            row_stride_b: Int64(columnsB), row_stride_c: Int64(columnsC),
            batch_stride_a: shape.sharesA ? 0 : Int64(sizeA), batch_stride_b: shape.sharesB ? 0 : Int64(sizeB),
            batch_stride_c: Int64(m * columnsC))
        let result = try Host(threadCount: threads, level2CacheBytes: 1 << 18).run(
            problem, on: variant, [a, b, shape.finish.derivative == nil ? bias : saved], output: old)

        for batch in 0..<shape.batch {
            let startA = shape.sharesA ? 0 : batch * sizeA
            let startB = shape.sharesB ? 0 : batch * sizeB
            for i in 0..<m {
                for j in 0..<n {
                    var sum = 0.0
                    for p in 0..<k {
                        let left = a[startA + (transposesA ? p * columnsA + i : i * columnsA + p)]
                        let right = b[startB + (transposesB ? j * columnsB + p : p * columnsB + j)]
                        sum += Double(left) * Double(right)
                    }
                    let index = (batch * m + i) * columnsC + j
                    let expected = shape.finish.apply(sum, bias: bias[j], old: old[index], saved: saved[index])
                    if result[index] != expected {
                        let place = "transposes \(transposesA) \(transposesB), [\(batch), \(i), \(j)]"
                        Issue.record("\(place) is \(result[index]), not \(expected)")
                        return
                    }
                }
                // What stands between the rows is not the product's.
                for gap in n..<columnsC {
                    let index = (batch * m + i) * columnsC + gap
                    #expect(shape.finish.accumulates ? result[index] == old[index] : result[index].isNaN)
                }
            }
        }
    }

    @Test("an epilogue keeps NaN and turns minus infinity into zero", arguments: Variant.present)
    func specialValues(variant: Variant) throws {
        var problem = kanto_problem()
        problem.op = UInt32(KANTO_OP_MATMUL)
        problem.activation = UInt32(KANTO_ACTIVATION_RELU)
        problem.matmul.batch = 1
        (problem.matmul.m, problem.matmul.n, problem.matmul.k) = (1, 67, 1)
        (problem.matmul.row_stride_a, problem.matmul.row_stride_b, problem.matmul.row_stride_c) = (1, 67, 67)
        let b = (0..<67).map { [Float.nan, -.infinity, .infinity, -2, 3][$0 % 5] }
        let result = try Host().run(problem, on: variant, [[1], b], output: b)
        for i in 0..<67 {
            let expected = [Float.nan, 0, .infinity, 0, 3][i % 5]
            #expect(result[i] == expected || (result[i].isNaN && expected.isNaN), "\(i)")
        }
    }

    @Test("a derivative of zero is zero of infinity too", arguments: Variant.present)
    func derivativeOfInfinity(variant: Variant) throws {
        for (m, n) in [(1, 67), (12, 67), (67, 1)] {
            var problem = kanto_problem()
            problem.op = UInt32(KANTO_OP_MATMUL)
            Finish(slope: 0, derivative: KANTO_ACTIVATION_RELU).write(to: &problem)
            problem.matmul.batch = 1
            (problem.matmul.m, problem.matmul.n, problem.matmul.k) = (Int64(m), Int64(n), 2)
            (problem.matmul.row_stride_a, problem.matmul.row_stride_b) = (2, Int64(n))
            problem.matmul.row_stride_c = Int64(n)
            let saved = (0..<m * n).map { [Float(-1), 0, .nan, 2][$0 % 4] }
            let result = try Host().run(
                problem, on: variant,
                [[Float](repeating: 1, count: 2 * m), [Float](repeating: .infinity, count: 2 * n), saved], output: saved)
            for i in result.indices {
                let expected = [Float(0), 0, .nan, .infinity][i % 4]
                #expect(result[i] == expected || (result[i].isNaN && expected.isNaN))
            }
        }
    }

    @Test("derivatives that cannot be told from the output are declined", arguments: Variant.present)
    func declinesDerivatives(variant: Variant) {
        for op in [KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT] {
            var problem = kanto_problem()
            problem.op = UInt32(op)
            problem.convolution = ConvolutionCase(1, 4, 4, 5, to: 3, kernel: (3, 3)).geometry
            problem.flags = UInt32(KANTO_FLAG_DERIVATIVE)
            let isDeclined = { (change: (inout kanto_problem) -> Void) in
                var changed = problem
                change(&changed)
                #expect(throws: Host.Refusal.self) { try Host().run(changed, on: variant, [], output: []) }
            }
            isDeclined { $0.activation = UInt32(KANTO_ACTIVATION_NONE) }
            isDeclined { $0.activation = 99 }
            isDeclined {
                $0.activation = UInt32(KANTO_ACTIVATION_LEAKY_RELU)
                $0.parameter = -0.1
            }
            isDeclined {
                $0.activation = UInt32(KANTO_ACTIVATION_RELU)
                $0.flags |= UInt32(KANTO_FLAG_BIAS)
            }
        }
    }

    @Test(
        "tanh and sigmoid end a product", arguments: Variant.present,
        [KANTO_ACTIVATION_TANH, KANTO_ACTIVATION_SIGMOID])
    func curves(variant: Variant, activation: Int) throws {
        for (m, n) in [(7, 67), (12, 64), (1, 40), (40, 1)] {
            var problem = kanto_problem()
            problem.op = UInt32(KANTO_OP_MATMUL)
            problem.activation = UInt32(activation)
            problem.matmul.batch = 1
            (problem.matmul.m, problem.matmul.n, problem.matmul.k) = (Int64(m), Int64(n), 2)
            (problem.matmul.row_stride_a, problem.matmul.row_stride_b) = (2, Int64(n))
            problem.matmul.row_stride_c = Int64(n)
            let a = wholeNumbers(m * 2, seed: 1)
            let b = wholeNumbers(n * 2, seed: 2).map { $0 / 8 }
            let result = try Host().run(problem, on: variant, [a, b], output: [Float](repeating: 0, count: m * n))
            for i in 0..<m {
                for j in 0..<n {
                    let sum = Double(a[2 * i] * b[j] + a[2 * i + 1] * b[n + j])
                    let expected = activation == KANTO_ACTIVATION_TANH ? tanh(sum) : 1 / (1 + exp(-sum))
                    #expect(abs(Double(result[i * n + j]) - expected) <= 4e-7)
                }
            }
        }
    }

    @Test("what is unknown is declined with a reason", arguments: Variant.present)
    func declines(variant: Variant) {
        var problem = kanto_problem()
        problem.op = UInt32(KANTO_OP_MATMUL)
        problem.flags = 1 << 20
        #expect(throws: Host.Refusal.self) { try Host().run(problem, on: variant, [], output: []) }
        problem.flags = 0
        problem.activation = 99
        #expect(throws: Host.Refusal.self) { try Host().run(problem, on: variant, [], output: []) }
    }
}
