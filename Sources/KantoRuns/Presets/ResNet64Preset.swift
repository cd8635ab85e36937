import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// 64x64 color pictures by residual networks.
    static let resnet64 = Preset(
        name: "resnet64",
        summary: "64x64 color pictures by residual networks",
        dataSummary: "your own, by --data: a folder of pictures, which are cropped to squares and resized",
        dataAttribution: "yours",
        source: "Gulrajani et al. 2017, the \"good\" networks of gan_64x64.py of its code"
    ) { run in
        run.data = .colorPictures(of: 64)
        func block(
            _ from: Int, _ to: Int, _ resampling: ResidualBlock.Resampling, _ normalization: any LayerKind
        ) -> LayerDescription {
            ResidualBlock(
                channels: (from, to), resampling: resampling, normalization: normalization, hasFirstBias: false,
                widensFirst: resampling == .up
            ).layer
        }
        func up(_ from: Int, _ to: Int) -> LayerDescription { block(from, to, .up, BatchNorm.Description()) }
        func down(_ from: Int, _ to: Int) -> LayerDescription { block(from, to, .down, LayerNorm.Description()) }
        run.networks.generator = NetworkDescription(
            input: [128],
            layers: layerDescriptions(Dense.Description(8192), Reshape(4, 4, 512))
                + [up(512, 512), up(512, 256), up(256, 128), up(128, 64)]
                + layerDescriptions(
                    BatchNorm.Description(), ReLU(), Conv2D.Description(3, kernel: 3, padding: .same, initializer: .glorot),
                    Tanh()))
        run.networks.critic = NetworkDescription(
            input: [64, 64, 3],
            layers: layerDescriptions(Conv2D.Description(64, kernel: 3, padding: .same, initializer: .glorot))
                + [down(64, 128), down(128, 256), down(256, 512), down(512, 512)]
                + layerDescriptions(Flatten(), Dense.Description(1)))
        run.training.iterations = 200_000
        run.training.optimizer = OptimizerDescription(Adam.Description(beta1: 0, beta2: 0.9), learningRate: 1e-4)
    }
}
