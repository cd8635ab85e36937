import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// 64x64 color pictures by a DCGAN.
    static let dcgan64 = Preset(
        name: "dcgan64",
        summary: "64x64 color pictures by a DCGAN",
        dataSummary: "your own, by --data: a folder of pictures, which are cropped to squares and resized",
        dataAttribution: "yours",
        source:
            "Gulrajani et al. 2017, the DCGAN of gan_64x64.py of its code, with layer normalization in the critic; weights from "
            + "N(0, 0.02²) as in Radford, Metz and Chintala 2016"
    ) { run in
        run.data = .colorPictures(of: 64)
        let initializer = Initializer.normal(deviation: 0.02)
        func up(_ channels: Int) -> ConvTranspose2D.Description {
            ConvTranspose2D.Description(channels, kernel: 5, stride: 2, padding: .same, initializer: initializer)
        }
        func down(_ channels: Int) -> Conv2D.Description {
            Conv2D.Description(channels, kernel: 5, stride: 2, padding: .same, initializer: initializer)
        }
        run.networks = NetworkPairDescription(
            generator: NetworkDescription(
                input: [128],
                Dense.Description(8192, initializer: initializer), Reshape(4, 4, 512), BatchNorm.Description(), ReLU(),
                up(256), BatchNorm.Description(), ReLU(), up(128), BatchNorm.Description(), ReLU(),
                up(64), BatchNorm.Description(), ReLU(), up(3), Tanh()),
            critic: NetworkDescription(
                input: [64, 64, 3],
                down(64), LeakyReLU(), down(128), LayerNorm.Description(), LeakyReLU(),
                down(256), LayerNorm.Description(), LeakyReLU(), down(512), LayerNorm.Description(), LeakyReLU(),
                Flatten(), Dense.Description(1, initializer: initializer)))
        run.training.iterations = 200_000
        run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0, beta2: 0.9), learningRate: 1e-4)
    }
}
