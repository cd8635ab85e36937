import Benchmark
import Kanto
import KantoWorkloads

// The critic steps of the comparison workloads, on the backend that KANTO_BACKEND selects.

let benchmarks: @Sendable () -> Void = {
    for workload in Workload.all {
        Benchmark(
            "critic step, \(workload.name)",
            configuration: .init(metrics: [.wallClock, .peakMemoryResident], maxDuration: .seconds(8))
        ) { benchmark in
            try Kernels.run {
                let networks = try workload.networks.makeNetworks(seed: 1)
                var random = Random(seed: 2)
                let real = try random.uniform(workload.batchShape), fake = try random.uniform(workload.batchShape)
                let optimizer = try Adam(networks.critic.parameters)
                func step() throws {
                    let points = try interpolate(real: real, fake: fake, epsilon: random.uniform([workload.batchShape[0]]))
                    let gradients = try CriticGradients(networks.critic, real: real, fake: fake, points: points).gradients
                    try optimizer.update(with: gradients)
                }
                try step()
                benchmark.startMeasurement()
                try step()
                benchmark.stopMeasurement()
            }
        }
    }
}
