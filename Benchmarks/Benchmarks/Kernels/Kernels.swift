import Benchmark
import KantoKernels
import KantoWorkloads

// The kernels of `kanto bench`'s presets, on the backend that KANTO_BACKEND selects: a baseline to compare a change with.
// Ratios between backends are the affair of `kanto bench`, which measures them in turn.

let benchmarks: @Sendable () -> Void = {
    for preset in BenchmarkPreset.all where preset.name != "convolutions" {
        for problem in preset.problems {
            Benchmark(
                "\(preset.name): \(problem)",
                configuration: .init(metrics: [.wallClock, .throughput], maxDuration: .milliseconds(500))
            ) { benchmark in
                try Kernels.run {
                    let runner = try KernelRunner(problem)
                    try runner.run()
                    benchmark.startMeasurement()
                    try runner.run()
                    benchmark.stopMeasurement()
                }
            }
        }
    }
}
