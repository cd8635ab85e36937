import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// Three digits as the channels of one picture: a thousand combinations.
    static let stackedMNIST = Preset(
        name: "stacked-mnist",
        summary: "three 28x28 digits as the channels of one picture: 1,000 combinations, which kanto evaluate counts",
        dataSummary: "your own, by --data: MNIST as it is published, with its labels, or any gray 28x28 pictures in classes",
        dataAttribution: "MNIST by Y. LeCun, C. Cortes and C. J. C. Burges; it does not ship with Kanto",
        source: "data of Metz et al. 2017, section 3.3.1; networks of mnist, with three channels"
    ) { run in
        run.data = .pictures(of: 28, channels: 1, scaledTo: ValueRange(0, 1))
        run.data.stacked = 3
        run.networks = .digits(channels: 3)
        run.training.batchSize = 64
        run.training.iterations = 20_000
        run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 2e-4)
    }
}
