import KantoCommunication
import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// What tensors and layers make of several ranks, on ranks that all hold the same.
struct TensorTests {
    @Test(arguments: [2, 3]) func aSumIsItsOwnAdjointToAnyOrder(ranks: Int) throws {
        let communicator = Mirror(rankCount: ranks).communicator
        try withBackend("reference") {
            var random = Random(seed: 1)
            let point = try [random.normal([3, 5], elementType: .float64)]
            func body(_ x: [Tensor]) throws -> Tensor { try (x[0].square() * x[0]).allReduced(by: communicator).tanh() * x[0] }
            #expect(try gradientCheck(at: point, body) < 1e-7)
            #expect(try secondGradientCheck(at: point, body) < 1e-6)
            #expect(try thirdGradientCheck(at: point, body) < 1e-5)
            #expect(try point[0].allReduced(by: communicator).doubles == point[0].doubles.map { $0 * Double(ranks) })
        }
    }

    /// Each rank has the same rows: the batch is those rows several times.
    @Test(arguments: [BatchNorm.Statistics.batch, .running(momentum: 0.3)])
    func batchNormalizationIsThatOfTheWholeBatch(statistics: BatchNorm.Statistics) throws {
        let communicator = Mirror(rankCount: 3).communicator
        try Kernels.run {
            var random = Random(seed: 2)
            let rows = try random.normal([4, 3, 3, 5]) * 2 + 7
            let weights = try random.normal([4, 3, 3, 5])
            let (whole, part) = (try BatchNorm(5, statistics: statistics), try BatchNorm(5, statistics: statistics))
            try withTraining(random: random) {
                let all = try Tensor.concatenated([rows, rows, rows]).tracked()
                let expected = try whole(all)
                let loss = try (expected * Tensor.concatenated([weights, weights, weights])).square().sum()
                let wanted = try gradients(of: loss, withRespectTo: [all, whole.weight.value], isDifferentiable: false)

                let own = rows.tracked()
                let found = try withRanks(of: communicator) { try part(own) }
                let slopes = try gradients(
                    of: (found * weights).square().sum(), withRespectTo: [own, part.weight.value], isDifferentiable: false)
                func compare(_ found: Tensor, _ expected: Tensor, _ what: String) {
                    let scale = expected.floats.map(abs).max()!
                    let apart = zip(found.floats, expected.floats).map { abs($0 - $1) }.max()!
                    #expect(apart <= 2e-6 * scale, "\(what): \(apart) of \(scale)")
                }
                compare(found, try expected.sliced(0..<4), "output")
                compare(slopes[0], try wanted[0].sliced(0..<4), "input gradient")
                compare(try slopes[1].allReduced(by: communicator), wanted[1], "weight gradient")
                compare(part.runningMean.value, whole.runningMean.value, "running mean")
                compare(part.runningVariance.value, whole.runningVariance.value, "running variance")
            }
        }
    }

    @Test func aSingleElementAStatisticIsRefused() throws {
        let one = Mirror(rankCount: 1).communicator
        let error = #expect(throws: TensorError.self) {
            try withRanks(of: one) { try BatchNorm(2)(Tensor([1, 2], shape: [1, 2])) }
        }
        #expect(error?.description.contains("one element a statistic on all ranks") == true)
    }
}

struct RowShareTests {
    @Test func sharesAreConsecutiveAndEven() {
        for (total, ranks) in [(64, 1), (64, 2), (64, 3), (7, 7), (10, 4)] {
            let shares = (0..<ranks).map { RowShare(of: total, rank: $0, rankCount: ranks) }
            #expect(shares.flatMap { Array($0.own) } == Array(0..<total))
            #expect(shares.map(\.own.count).max()! - shares.map(\.own.count).min()! <= 1)
            #expect(shares.allSatisfy { $0.total == total })
        }
    }

    /// Together the ranks draw what one process draws, of one batch and of two, one behind the other; and all go on at the same
    /// place.
    @Test(arguments: [1, 2, 3, 5]) func ranksDrawTheirRowsOfTheSameNumbers(ranks: Int) throws {
        try Kernels.run {
            let total = 11
            var whole = Random(seed: 9, stream: 4)
            let normals = try whole.normal([total, 3]), uniforms = try whole.uniform([2 * total, 5], in: 1..<3)
            let doubles = try whole.normal([total], elementType: .float64), last = whole.uniform()
            var (normalRows, doubleRows): ([Float], [Double]) = ([], [])
            for rank in 0..<ranks {
                var random = Random(seed: 9, stream: 4)
                let share = RowShare(of: total, rank: rank, rankCount: ranks)
                random.share = share
                let count = share.own.count
                normalRows += try random.normal([count, 3]).floats
                let both = try random.uniform([2 * count, 5], in: 1..<3)
                let later = share.own.lowerBound + total..<share.own.upperBound + total
                #expect(try both.floats == uniforms.sliced(share.own).floats + uniforms.sliced(later).floats)
                doubleRows += try random.normal([count], elementType: .float64).doubles
                #expect(random.uniform() == last)
                if count > 1 {
                    let error = #expect(throws: TensorError.self) { try random.normal([count + 1, 2]) }
                    #expect(error?.description.contains("expected a multiple") == true)
                }
            }
            #expect(normalRows == normals.floats)
            #expect(doubleRows == doubles.doubles)
        }
    }
}
