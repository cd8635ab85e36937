import Testing

@testable import KantoKernels

/// Direct sums and minimal filtering: two algorithms of one backend.
@Suite struct AlgorithmTests {
    private static let wide = Convolution2D(
        batch: 64, height: 16, width: 16, channels: 128, outputChannels: 256, kernel: (3, 3), padding: (1, 1, 1, 1))
    private static let first = Convolution2D(
        batch: 64, height: 32, width: 32, channels: 3, outputChannels: 64, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2))
    private static let ops: [Op] = [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient]

    private func kernel(_ problem: Problem, _ backend: String, threads: Int = 1) throws -> Kernel {
        let registry = Registry(configuration: try Configuration(environment: ["KANTO_NUM_THREADS": "\(threads)", "KANTO_TUNING": "off"]))
        return try registry.kernel(for: problem, selection: registry.selection([backend]), threadCount: threads)
    }

    @Test(arguments: ops) func simdFiltersWhereItPays(_ op: Op) throws {
        for threads in [1, 2, 7] {
            let problem = Problem.convolution(op, .float32, Self.wide)
            #expect(try kernel(problem, "simd", threads: threads).description.contains("2x2 filtered"))
            #expect(try kernel(problem.with(.relaxed), "simd", threads: threads).description.contains("4x4 filtered"))
            let narrow = Problem.convolution(op, .float32, Self.first)
            #expect(try !kernel(narrow, "simd", threads: threads).description.contains("filtered"))
            #expect(try !kernel(narrow.with(.relaxed), "simd", threads: threads).description.contains("filtered"))
        }
    }

    @Test(arguments: ops) func eachCanBeForced(_ op: Op) throws {
        let problem = Problem.convolution(op, .float32, Self.wide)
        let direct = try kernel(problem, "simd-direct"), filtered = try kernel(problem, "simd-filtered")
        #expect(direct.backend.name.hasSuffix("-direct") && !direct.description.contains("filtered"))
        #expect(filtered.backend.name.hasSuffix("-filtered") && filtered.description.contains("2x2 filtered"))
        // What it does not serve falls to simd.
        let other = try kernel(.convolution(op, .float32, Self.first), "simd-filtered")
        #expect(other.backend.variantOf == nil && !other.description.contains("filtered"))
    }

    @Test func bothAreExplained() throws {
        let registry = Registry(configuration: try Configuration(environment: ["KANTO_TUNING": "off"]))
        let simd = try registry.backend(named: "simd").name
        let problem = Problem.convolution(.convolution2DForward, .float32, Self.wide)
        let text = try registry.explain(problem, selection: registry.selection(["simd"]), threadCount: 1).description
        #expect(text.contains("\(simd)-direct") && text.contains("\(simd)-filtered"))
    }

    /// On another processor the same algorithm of another variant is taken.
    @Test func aChoiceNamesTheAlgorithm() throws {
        let registry = Registry(configuration: try Configuration(environment: [:]))
        let problem = Problem.convolution(.convolution2DForward, .float32, Self.wide)
        for name in ["simd", "simd-direct", "simd-filtered"] {
            var choices = KernelChoices()
            choices.note(try registry.backend(named: name), for: problem)
            #expect(choices.text?.hasPrefix(name + "\t") == true)
        }
    }
}
