import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// Eight modes on a circle.
    static let ring8 = plane(
        named: "ring8", summary: "eight modes on a circle: points of a plane", "8 modes on a circle of radius 1, deviation 0.01")

    /// Twenty-five modes on a grid.
    static let grid25 = plane(
        named: "grid25", summary: "twenty-five modes on a grid: points of a plane",
        "25 modes at {-4, -2, 0, 2, 4}², deviation 0.05")

    /// A spiral.
    static let swissroll = plane(named: "swissroll", summary: "a spiral: points of a plane", "a swiss roll, its height left out")

    /// The toy networks of the original code, which differ in their data alone.
    private static func plane(named name: String, summary: String, _ data: String) -> Preset {
        Preset(
            name: name, summary: summary, dataSummary: "drawn by Kanto as it trains: \(data), divided to unit variance",
            dataAttribution: "nobody's: computed",
            source:
                "Gulrajani et al. 2017, the toy networks of its code (λ 0.1, where the paper has 10; β1 0.5, where Algorithm 1 has 0)"
        ) { run in
            run.data = DataDescription(path: name)
            func perceptron() -> NetworkDescription {
                NetworkDescription(
                    input: [2],
                    Dense.Description(512, initializer: .he), ReLU(), Dense.Description(512, initializer: .he), ReLU(),
                    Dense.Description(512, initializer: .he), ReLU())
            }
            var (generator, critic) = (perceptron(), perceptron())
            generator.layers.append(LayerDescription(Dense.Description(2)))
            critic.layers.append(LayerDescription(Dense.Description(1)))
            run.networks = NetworkPairDescription(generator: generator, critic: critic)
            run.training.regularizer = RegularizerDescription(TwoSidedPenalty(), weight: 0.1)
            run.training.batchSize = 256
            run.training.iterations = 100_000
            run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 1e-4)
            run.sampleInterval = 1000
        }
    }
}
