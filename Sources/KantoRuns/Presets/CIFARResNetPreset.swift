import KantoData
import KantoGAN
import KantoNN

extension Preset {
    /// 32x32 color pictures by residual networks.
    static let cifarResNet = Preset(
        name: "cifar-resnet",
        summary: "32x32 color pictures: CIFAR-10, by residual networks",
        dataSummary: "your own, by --data: the folder of CIFAR-10's or CIFAR-100's binary version, or any color pictures",
        dataAttribution: "CIFAR by A. Krizhevsky; it does not ship with Kanto",
        source:
            "Gulrajani et al. 2017, gan_cifar_resnet.py of its code without labels"
    ) { run in
        run.data = .colorPictures(of: 32)
        run.data.dequantize = true
        run.training.generatorBatchSize = 128
        func up() -> LayerDescription {
            ResidualBlock(channels: (128, 128), resampling: .up, normalization: BatchNorm.Description()).layer
        }
        run.networks.generator = NetworkDescription(
            input: [128],
            layers: layerDescriptions(Dense.Description(2048), Reshape(4, 4, 128)) + [up(), up(), up()]
                + layerDescriptions(
                    BatchNorm.Description(), ReLU(), Conv2D.Description(3, kernel: 3, padding: .same, initializer: .glorot),
                    Tanh()))
        // The first block has nothing before its first convolution, and pools before its shortcut.
        let first = Residual.Description(
            main: layerDescriptions(
                Conv2D.Description(128, kernel: 3, padding: .same), ReLU(), Conv2D.Description(128, kernel: 3, padding: .same),
                AveragePool()),
            shortcut: layerDescriptions(AveragePool(), Conv2D.Description(128, kernel: 1, initializer: .glorot)))
        let plain = ResidualBlock(channels: (128, 128)).layer
        run.networks.critic = NetworkDescription(
            input: [32, 32, 3],
            layers: layerDescriptions(first) + [ResidualBlock(channels: (128, 128), resampling: .down).layer, plain, plain]
                + layerDescriptions(ReLU(), GlobalAveragePool(), Dense.Description(1)))
        run.training.iterations = 100_000
        run.training.optimizer = OptimizerDescription(
            Adam.Description(beta1: 0, beta2: 0.9), learningRate: 2e-4, schedule: LinearSchedule())
    }
}
