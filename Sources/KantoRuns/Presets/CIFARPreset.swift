import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// 32x32 color pictures by a DCGAN.
    static let cifar = Preset(
        name: "cifar",
        summary: "32x32 color pictures: CIFAR-10, by a DCGAN",
        dataSummary: "your own, by --data: the folder of CIFAR-10's or CIFAR-100's binary version, or any color pictures",
        dataAttribution: "CIFAR by A. Krizhevsky; it does not ship with Kanto",
        source: "Gulrajani et al. 2017, gan_cifar.py of its code (β1 0.5, where Algorithm 1 has 0)"
    ) { run in
        run.data = .colorPictures(of: 32)
        run.networks = NetworkPairDescription(
            generator: NetworkDescription(
                input: [128],
                // Normalized number by number, before they are pictures.
                Dense.Description(8192), BatchNorm.Description(), ReLU(), Reshape(4, 4, 512),
                ConvTranspose2D.Description(256, kernel: 5, stride: 2, padding: .same), BatchNorm.Description(), ReLU(),
                ConvTranspose2D.Description(128, kernel: 5, stride: 2, padding: .same), BatchNorm.Description(), ReLU(),
                ConvTranspose2D.Description(3, kernel: 5, stride: 2, padding: .same), Tanh()),
            critic: NetworkDescription(
                input: [32, 32, 3],
                Conv2D.Description(128, kernel: 5, stride: 2, padding: .same), LeakyReLU(),
                Conv2D.Description(256, kernel: 5, stride: 2, padding: .same), LeakyReLU(),
                Conv2D.Description(512, kernel: 5, stride: 2, padding: .same), LeakyReLU(), Flatten(), Dense.Description(1)))
        run.training.iterations = 200_000
        run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0.5, beta2: 0.9), learningRate: 1e-4)
    }
}
