import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// Eight modes on a circle.
    static let ring8 = plane("ring8", summary: "eight modes on a circle: points of a plane", ringData) {
        $0.training.regularizer = RegularizerDescription(OneSidedPenalty(), weight: 0.1)
        $0.training.iterations = 12_000
    }

    /// Twenty-five modes on a grid.
    static let grid25 = plane("grid25", summary: "twenty-five modes on a grid: points of a plane", gridData) {
        $0.training.iterations = 24_000
    }

    /// A spiral.
    static let swissroll = plane("swissroll", summary: "a spiral: points of a plane", rollData) {
        $0.training.iterations = 12_000
    }

    static let ring8Original = originalPlane("ring8", ringData)
    static let grid25Original = originalPlane("grid25", gridData)
    static let swissrollOriginal = originalPlane("swissroll", rollData)

    private static let ringData = "8 modes on a circle of radius 1, deviation 0.01"
    private static let gridData = "25 modes at {-4, -2, 0, 2, 4}², deviation 0.05"
    private static let rollData = "a swiss roll, its height left out"

    /// Networks a quarter as wide as the original's, and numbers with which they get to all modes in a minute or a few: fewer critic
    /// steps gain more than they lose, a rate that falls to 0 from 30 times the original's, and an average over the last iterations,
    /// without which the modes come out beside their places (a tenth of the samples, with one seed of three).
    private static func plane(
        _ name: String, summary: String, _ data: String, _ configure: (inout RunConfiguration) -> Void
    ) -> Preset {
        preset(
            name, data: name, summary: summary, data,
            source:
                "Gulrajani et al. 2017, the toy networks of its code, 128 wide instead of 512, 2 critic steps instead of 5, Adam's rate from "
                + "3e-3 linearly to 0 instead of 1e-4, weights averaged by 0.999"
        ) { run in
            run.networks = networks(width: 128)
            run.training.criticSteps = 2
            run.training.optimizer = OptimizerDescription(
                Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 3e-3, schedule: LinearSchedule())
            run.training.averageDecay = 0.999
            configure(&run)
        }
    }

    private static func originalPlane(_ data: String, _ text: String) -> Preset {
        preset(
            data + "-original", data: data, summary: "\(data) by the numbers of its source", text,
            source:
                "Gulrajani et al. 2017, the toy networks of its code (λ 0.1, where the paper has 10; β1 0.5, where Algorithm 1 has 0)"
        ) { run in
            run.networks = networks(width: 512)
            run.training.iterations = 100_000
            run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 1e-4)
        }
    }

    /// What all have in common.
    private static func preset(
        _ name: String, data: String, summary: String, _ text: String, source: String,
        _ configure: (inout RunConfiguration) -> Void
    ) -> Preset {
        Preset(
            name: name, summary: summary, dataSummary: "drawn by Kanto as it trains: \(text), divided to unit variance",
            dataAttribution: "nobody's: computed", source: source
        ) { run in
            run.data = DataDescription(path: data)
            run.training.regularizer = RegularizerDescription(TwoSidedPenalty(), weight: 0.1)
            run.training.batchSize = 256
            run.sampleInterval = 1000
            configure(&run)
        }
    }

    private static func networks(width: Int) -> NetworkPairDescription {
        func perceptron(outputs: Int) -> NetworkDescription {
            var network = NetworkDescription(
                input: [2],
                Dense.Description(width, initializer: .he), ReLU(), Dense.Description(width, initializer: .he), ReLU(),
                Dense.Description(width, initializer: .he), ReLU())
            network.layers.append(LayerDescription(Dense.Description(outputs)))
            return network
        }
        return NetworkPairDescription(generator: perceptron(outputs: 2), critic: perceptron(outputs: 1))
    }
}
