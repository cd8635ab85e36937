import KantoABI
import Testing

@Suite struct RandomTests {
    private static let starts: [(key: UInt64, stream: UInt64, block: UInt64)] = [
        (0, 0, 0), (0x0123_4567_89AB_CDEF, 7, 1 << 40), (.max, .max, .max - 9), (5, 1 << 33, (1 << 32) - 5),
    ]

    private static func scalars(_ start: (key: UInt64, stream: UInt64, block: UInt64), _ offset: Double, _ scale: Double)
        -> [Double]
    {
        [offset, scale] + [start.key, start.stream, start.block].flatMap { [Double($0 & 0xFFFF_FFFF), Double($0 >> 32)] }
    }

    /// The bits of the C functions, whatever the instruction set; the numbers are the same wherever the count ends.
    @Test(arguments: Setup.all, [KANTO_FUNCTION_UNIFORM, KANTO_FUNCTION_NORMAL])
    func sameBitsAsTheDefinition(_ setup: Setup, _ function: Int) {
        for start in Self.starts {
            for (offset, scale) in [(0.0, 1.0), (-1, 2), (0.1, 0.3)] {
                for count in [0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 63, 65, 1003, 20_011] {
                    let output = Guarded(count)
                    let nest = Nest(extents: [count], output: [1], inputs: [])
                    let outcome = setup.run(
                        nest.problem(op: KANTO_OP_RANDOM, function: function), inputs: [], outputs: [output.start],
                        scalars: Self.scalars(start, offset, scale))
                    #expect(outcome == .done)
                    var wrong = 0
                    for index in 0..<count {
                        let words = kanto_philox(start.key, start.stream, start.block &+ UInt64(index / 4))
                        let pair = [(words.word0, words.word1), (words.word2, words.word3)][index % 4 / 2]
                        let number: Double
                        if function == KANTO_FUNCTION_UNIFORM {
                            number = Double((index % 2 == 0 ? pair.0 : pair.1) >> 8) * 0x1p-24
                        } else {
                            let numbers = kanto_normal_pair(pair.0, pair.1)
                            number = index % 2 == 0 ? numbers.first : numbers.second
                        }
                        if output.start[index].bitPattern != Float(offset + scale * number).bitPattern { wrong += 1 }
                    }
                    #expect(wrong == 0, "\(count) numbers from block \(start.block)")
                    #expect(output.marginsAreUntouched)
                }
            }
        }
    }

    @Test(arguments: Setup.all)
    func declinesWhatItDoesNotKnow(_ setup: Setup) {
        let output = Guarded(4)
        let nest = Nest(extents: [4], output: [1], inputs: [])
        let square = Nest(extents: [2, 2], output: [2, 1], inputs: [])
        for problem in [
            nest.problem(op: KANTO_OP_RANDOM, function: 114),
            nest.problem(op: KANTO_OP_RANDOM, function: KANTO_FUNCTION_NORMAL, flags: KANTO_FLAG_ACCUMULATE),
            square.problem(op: KANTO_OP_RANDOM, function: KANTO_FUNCTION_NORMAL),
        ] {
            guard case .declined = setup.run(problem, inputs: [], outputs: [output.start]) else {
                Issue.record("not declined")
                continue
            }
        }
    }

    @Test(arguments: Setup.all, [[], [0, 1, -1, 0, 0, 0, 0, 0], [0, 1, 0, 0.0, 0, 0, 0, 0x1p32], [0, 1, 0, .nan, 0, 0, 0, 0]])
    func failsWithoutTheGeneratorsState(_ setup: Setup, _ scalars: [Double]) {
        let output = Guarded(4)
        let problem = Nest(extents: [4], output: [1], inputs: []).problem(
            op: KANTO_OP_RANDOM, function: KANTO_FUNCTION_UNIFORM)
        guard case .failed = setup.run(problem, inputs: [], outputs: [output.start], scalars: scalars) else {
            Issue.record("the scalars \(scalars) were taken")
            return
        }
    }
}
