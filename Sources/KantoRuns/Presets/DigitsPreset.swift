import KantoGAN
import KantoNN

extension Preset {
    /// 8x8 digits by a DCGAN of two layers.
    public static let digits = Preset(
        name: "digits",
        summary: "8x8 handwritten digits; the data ship with Kanto",
        dataSummary: "1,797 digits of 8x8, values 0 to 1: the test set of \"Optical Recognition of Handwritten Digits\"",
        dataAttribution: "by E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, "
            + "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), as IDX files, otherwise unchanged",
        source: "Gulrajani et al. 2017, Algorithm 1, with a DCGAN of two layers"
    ) { run in
        run.networks = NetworkPairDescription(
            generator: NetworkDescription(
                input: [32],
                Dense.Description(512), ReLU(), Reshape(2, 2, 128),
                ConvTranspose2D.Description(64, kernel: 4, stride: 2, padding: .sides(1)), ReLU(),
                ConvTranspose2D.Description(1, kernel: 4, stride: 2, padding: .sides(1)), Sigmoid()),
            critic: NetworkDescription(
                input: [8, 8, 1],
                Conv2D.Description(64, kernel: 4, stride: 2, padding: .sides(1)), LeakyReLU(),
                Conv2D.Description(128, kernel: 4, stride: 2, padding: .sides(1)), LeakyReLU(),
                Flatten(), Dense.Description(1)))
        run.training.optimizer = OptimizerDescription(Adam.Description(), learningRate: 2e-4)
    }
}
