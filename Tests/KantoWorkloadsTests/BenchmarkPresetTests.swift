import KantoKernels
import KantoNN
import KantoWorkloads
import Testing

@Suite struct BenchmarkPresetTests {
    /// Figures of different versions are compared by these lines.
    @Test func theConvolutionsOfTheComparisonStayTheSame() throws {
        let geometries = [
            "n150 h28 w28 c1 k5x5 s2 p2 o64", "n150 h14 w14 c64 k5x5 s2 p2 o128", "n150 h7 w7 c128 k5x5 s2 p2 o256",
            "n192 h32 w32 c3 k5x5 s2 p2 o128", "n192 h16 w16 c128 k5x5 s2 p2 o256", "n192 h8 w8 c256 k5x5 s2 p2 o512",
            "n192 h64 w64 c3 k5x5 s2 p2 o64", "n192 h32 w32 c128 k3x3 s1 p1 o128",
        ]
        let expected = geometries.flatMap { geometry in
            ["forward", "input_gradient", "weight_gradient"].map { "conv2d_\($0) f32 \(geometry)" }
        }
        let preset = try #require(BenchmarkPreset.all.first { $0.name == "convolutions" })
        #expect(preset.problems.map(\.description) == expected)
    }

    @Test func eachPresetHasItsProblems() {
        let counts = Dictionary(uniqueKeysWithValues: BenchmarkPreset.all.map { ($0.name, $0.problems.count) })
        #expect(counts == ["gemm": 6, "mnist": 9, "cifar": 9, "dcgan64": 12, "resnet": 9, "convolutions": 24, "elementwise": 17])
    }
}

@Suite struct WorkloadTests {
    @Test(arguments: Workload.all) func itsNetworksFitEachOther(_ workload: Workload) throws {
        try workload.networks.validate()
        #expect(workload.batchShape == [workload.batchSize] + workload.networks.sampleShape)
    }
}
