import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// 28x28 digits, or anything of that size.
    static let mnist = Preset(
        name: "mnist",
        summary: "28x28 gray pictures: MNIST, Fashion-MNIST",
        dataSummary:
            "your own, by --data: the folder or file of MNIST, Fashion-MNIST or EMNIST as it is published, or any gray 28x28 pictures",
        dataAttribution: "MNIST by Y. LeCun, C. Cortes and C. J. C. Burges; it does not ship with Kanto",
        source: "Gulrajani et al. 2017, gan_mnist.py of its code (β1 0.5, where Algorithm 1 has 0; no normalization)"
    ) { run in
        run.data = .pictures(of: 28, channels: 1, scaledTo: ValueRange(0, 1))
        run.networks = .digits(channels: 1)
        run.training.batchSize = 50
        run.training.iterations = 200_000
        run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 1e-4)
    }
}

extension NetworkPairDescription {
    /// The networks of gan_mnist.py, for pictures of any number of channels.
    static func digits(channels: Int) -> NetworkPairDescription {
        NetworkPairDescription(
            generator: NetworkDescription(
                input: [128],
                Dense.Description(4096), ReLU(), Reshape(4, 4, 256),
                // 4x4 becomes 8x8, of which the last row and column are left out.
                ConvTranspose2D.Description(
                    128, kernel: 5, stride: 2, padding: .sides(.init(top: 1, left: 1, bottom: 3, right: 3))),
                ReLU(), ConvTranspose2D.Description(64, kernel: 5, stride: 2, padding: .same), ReLU(),
                ConvTranspose2D.Description(channels, kernel: 5, stride: 2, padding: .same), Sigmoid()),
            critic: NetworkDescription(
                input: [28, 28, channels],
                Conv2D.Description(64, kernel: 5, stride: 2, padding: .same), LeakyReLU(),
                Conv2D.Description(128, kernel: 5, stride: 2, padding: .same), LeakyReLU(),
                Conv2D.Description(256, kernel: 5, stride: 2, padding: .same), LeakyReLU(), Flatten(), Dense.Description(1)))
    }
}
