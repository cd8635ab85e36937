import KantoABI
import KantoConsistency
import KantoKernels
import Testing

/// The suite itself is tested: it must find mistakes, and only mistakes.
@Suite struct MistakeTests {
    static let matmul: Set = [KANTO_OP_MATMUL]
    static let convolutions: Set = [
        KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT, KANTO_OP_CONV2D_WEIGHT_GRADIENT,
    ]

    @Test(
        arguments: [
            (.dropsTheLastProduct, matmul), (.dropsTheLastColumn, matmul), (.dropsTheLastRow, matmul),
            (.accumulatesAlways, matmul), (.accumulatesNever, matmul), (.forgetsTheBias, matmul),
            (.ignoresTheSlope, matmul),
            (.ignoresTransposeB, matmul), (.ignoresTheBatchStride, matmul),
            (.treatsNaNLikeANumber, [KANTO_OP_BINARY]),
            (.swapsThePadding, convolutions), (.ignoresDilation, convolutions), (.swapsTheStrides, convolutions),
            (.forgetsTheDerivative, matmul), (.forgetsTheDerivative, [KANTO_OP_CONV2D_INPUT_GRADIENT]),
            (.accumulatesNever, [KANTO_OP_CONV2D_WEIGHT_GRADIENT]),
            (.flushesDenormals, matmul), (.flushesDenormals, [KANTO_OP_CONV2D_FORWARD]),
            (.flushesDenormals, [KANTO_OP_CONV2D_INPUT_GRADIENT]), (.flushesDenormals, [KANTO_OP_CONV2D_WEIGHT_GRADIENT]),
            (.forgetsTheMeanOfTheVariance, [KANTO_OP_STATISTICS]), (.subtractsMoments, [KANTO_OP_STATISTICS]),
            (.needsItsThreads, matmul), (.needsItsThreads, [KANTO_OP_REDUCE]), (.multipliesByTheSlope, matmul),
            (.multipliesByTheSlope, [KANTO_OP_CONV2D_FORWARD]), (.multipliesByTheDerivative, matmul),
            (.multipliesByTheDerivative, [KANTO_OP_CONV2D_FORWARD]),
            (.multipliesByTheDerivative, [KANTO_OP_CONV2D_INPUT_GRADIENT]), (.takesASharedMatrixForSeveral, matmul),
            (.overlooksASpecialValueAtTheEnd, [KANTO_OP_REDUCE]), (.drawsTheNextBlock, [KANTO_OP_RANDOM]),
            (.stopsOneElementShort, [KANTO_OP_TERNARY]), (.stopsOneElementShort, [KANTO_OP_OPTIMIZE]),
            (.takesTheMaximumMagnitudeForTheMaximum, [KANTO_OP_REDUCE]),
            (.writesBeyondTheEnd, [KANTO_OP_TERNARY]), (.writesBeforeTheStart, [KANTO_OP_TERNARY]),
            (.writesToAnInput, [KANTO_OP_TERNARY]),
            (.readsAlignedOperandsOtherwise, [KANTO_OP_OPTIMIZE]), (.overrunsTheScratch, matmul),
            (.keepsStateOfARun, [KANTO_OP_OPTIMIZE]), (.declines, [KANTO_OP_TERNARY]),
            (.declinesSilently, [KANTO_OP_TERNARY]),
            (.fails, [KANTO_OP_TERNARY]),
            (.leavesAnotherRounding, [KANTO_OP_TERNARY]), (.leavesAnotherRoundingOnAWorker, [KANTO_OP_TERNARY]),
            (.preparesOtherNumbers, matmul), (.preparesBeyondTheEnd, [KANTO_OP_CONV2D_FORWARD]),
        ] as [(Mistake, Set<Int>)])
    func isFound(_ mistake: Mistake, _ ops: Set<Int>) {
        let problems = problemList.filter { ops.contains(Int($0.problem.op)) }
        // One by one: the first that finds it is enough.
        #expect(problems.contains { !verify(brokenBackend(mistake), [$0]).failures.isEmpty })
    }

    /// NaN that is lost in one activation alone, applied or as a derivative, in one op alone.
    @Test(arguments: [
        KANTO_ACTIVATION_NONE, KANTO_ACTIVATION_RELU, KANTO_ACTIVATION_LEAKY_RELU, KANTO_ACTIVATION_TANH, KANTO_ACTIVATION_SIGMOID,
    ])
    func aLostNaNIsFound(activation: Int) {
        let derivative = UInt32(KANTO_FLAG_DERIVATIVE)
        for op in [KANTO_OP_MATMUL, KANTO_OP_CONV2D_FORWARD, KANTO_OP_CONV2D_INPUT_GRADIENT] {
            for flag in [0, derivative] {
                let problems = problemList.filter {
                    $0.problem.op == op && $0.problem.activation == activation && $0.problem.flags & derivative == flag
                        && $0.problem.precision == 0
                }
                let isThere = activation == KANTO_ACTIVATION_NONE ? flag == 0 : flag != 0 || op != KANTO_OP_CONV2D_INPUT_GRADIENT
                #expect(problems.isEmpty != isThere)
                guard isThere else { continue }
                let found = verify(brokenBackend(.turnsNaNIntoZero), problems, types: [.float32]).failures
                #expect(!found.isEmpty && found.allSatisfy { $0.tier == .special }, "op \(op), flags \(flag)")
            }
        }
        let elementwise = problemList.filter {
            [KANTO_FUNCTION_LEAKY_RELU, KANTO_FUNCTION_LEAKY_RELU_GRADIENT].contains(Int($0.problem.function))
        }
        #expect(!verify(brokenBackend(.turnsNaNIntoZero), elementwise).failures.isEmpty)
    }

    /// In the run alone: the environment is left as it was found.
    @Test func flushedDenormalsAreFoundAmongDenormals() {
        let problems = [TestProblem(.matmul(m: 13, n: 37, k: 21))]
        #expect(verify(brokenBackend(.flushesDenormals), problems).failures.map(\.tier) == [.denormal])
    }

    /// In the special values alone: a number times zero is zero.
    @Test(arguments: [Mistake.multipliesByTheSlope, .multipliesByTheDerivative])
    func infinityTimesZeroIsFoundAmongSpecialValues(_ mistake: Mistake) {
        let problems = problemList.filter {
            $0.problem.op == KANTO_OP_MATMUL && [KANTO_ACTIVATION_RELU, KANTO_ACTIVATION_LEAKY_RELU].contains(Int($0.problem.activation))
        }
        let failures = verify(brokenBackend(mistake), problems).failures
        #expect(!failures.isEmpty && failures.allSatisfy { $0.tier == .special })
    }

    @Test func aDifferenceOfMomentsIsFoundFarFromZero() {
        let problems = problemList.filter { $0.problem.op == KANTO_OP_STATISTICS }
        #expect(!verify(brokenBackend(.subtractsMoments), problems, tiers: [.distant]).failures.isEmpty)
    }

    @Test func noMistakeIsFoundWhereThereIsNone() {
        let problems = problemList.filter { [KANTO_OP_TERNARY, KANTO_OP_OPTIMIZE].contains(Int($0.problem.op)) }
        let verification = verify(brokenBackend(.none), problems)
        #expect(verification.failures.map(\.description) == [])
        #expect(verification.servedCount == problems.count)
    }

    @Test func preparedInputsAreNoMistake() throws {
        let problems = Array(problemList.filter { $0.problem.op == KANTO_OP_MATMUL }.prefix(40))
        let backend = brokenBackend(.preparesAnInput)
        #expect(try MadeKernel(problems[0].problem, on: backend, host: ThreadHost(threadCount: 1)).takesPreparedInputs)
        #expect(verify(backend, problems).failures.map(\.description) == [])
    }

    /// A function that the table has and the list lacks would be tested by nobody.
    @Test func everyFunctionIsAmongTheProblems() {
        let tested = Set(problemList.map(\.problem.function))
        #expect(Function.allCases.filter { !tested.contains($0.rawValue) } == [])
    }

    @Test func whatMayBeDeclinedIsNoMistake() {
        let problems = problemList.filter { $0.problem.op == KANTO_OP_TERNARY }
        let verification = verify(brokenBackend(.declines), problems) { $0.op == KANTO_OP_TERNARY }
        #expect(verification.failures.map(\.description) == [])
        #expect(verification.declined.count == problems.count)
    }

    /// The bound of an element of a long sum is wider than one product; the norm's is not.
    @Test func aLostProductOfALongSumIsFoundAmongNormalNumbers() {
        let problems = [TestProblem(.matmul(m: 64, n: 64, k: 4096))]
        #expect(!verify(brokenBackend(.dropsTheLastProduct), problems, tiers: [.normal]).failures.isEmpty)
    }

    @Test func bfloat16IsFoundAmongIntegers() {
        let problems = [TestProblem(.matmul(m: 32, n: 32, k: 32))]
        #expect(!verify(brokenBackend(.roundsToBfloat16), problems, tiers: [.exact]).failures.isEmpty)
    }
}
