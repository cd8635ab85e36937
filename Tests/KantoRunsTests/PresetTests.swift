import KantoDescriptions
import KantoGAN
import KantoNN
import KantoRuns
import KantoTensor
import Testing

@Suite struct PresetTests {
    /// The numbers of the original code.
    @Test(arguments: [
        ("ring8-original", 527_874, 527_361), ("grid25-original", 527_874, 527_361), ("swissroll-original", 527_874, 527_361),
        ("mnist", 1_554_177, 1_030_145), ("stacked-mnist", 1_557_379, 1_033_345), ("cifar", 5_179_907, 4_114_689), ("cifar-resnet", 1_204_483, 1_053_825),
        ("resnet64", 8_540_483, 7_491_841), ("dcgan64", 5_364_739, 4_316_545), ("digits", 149_057, 132_801),
    ])
    func haveAsManyParametersAsTheOriginal(_ name: String, _ generator: Int, _ critic: Int) throws {
        let networks = try Preset(named: name).configuration.networks
        func count(_ network: NetworkDescription) throws -> Int {
            try network.parameterShapes().reduce(0) { $0 + $1.shape.reduce(1, *) }
        }
        #expect(try count(networks.generator) == generator)
        #expect(try count(networks.critic) == critic)
    }

    /// Each is a whole run, whose data are of the networks' shape.
    @Test(arguments: Preset.all.map(\.name)) func isWhole(_ name: String) throws {
        let configuration = try Preset(named: name).configuration
        try configuration.networks.validate()
        #expect(try RunConfiguration(configuration.descriptionValue) == configuration)
        let size = configuration.data.size, shape = configuration.networks.sampleShape
        if let size { #expect([size.height, size.width] == Array(shape.prefix(2))) }
        // What the generator ends with is where the data lie.
        let last = configuration.networks.generator.layers.last?.name
        let range = configuration.data.scaledTo
        switch last {
        case "tanh": #expect((range.lower, range.upper) == (-1, 1))
        case "sigmoid": #expect((range.lower, range.upper) == (0, 1))
        default: #expect(shape == [2])
        }
    }
}

@Suite struct ArchitectureTests {
    static let kinds = ArchitectureKinds.kinds.map { $0.name }

    private func networks(_ name: String, _ shape: [Int], width: Int) throws -> NetworkPairDescription {
        let architecture = try ArchitectureDescription(
            .object(["name": .text(name), "width": .integer(Int128(width)), "latent": .integer(7)]))
        return try (architecture.kind as! any Architecture).networks(for: shape, latentSize: 7, endingWith: Tanh())
    }

    /// Pictures of any size from 4 up, square or not, of any number of channels.
    @Test(arguments: kinds) func makePicturesOfAnySize(_ name: String) throws {
        for height in 4...40 {
            for width in [height, 4, 5, 29, 64] {
                let pair = try networks(name, [height, width, height % 4 + 1], width: 2)
                try pair.validate()
                #expect(pair.latentSize == 7 && pair.sampleShape == [height, width, height % 4 + 1])
            }
        }
        for shape in [[28, 28, 1], [7, 9, 2], [4, 4, 3]] {
            let pair = try networks(name, shape, width: 2).makeNetworks(seed: 1)
            var random = Random(seed: 1)
            let samples = try pair.generator(random.normal([3, 7]))
            #expect(samples.shape == [3] + shape)
            #expect(try pair.critic(samples).shape == [3, 1])
        }
    }

    @Test func rowsAreMadeByPerceptronsAlone() throws {
        try networks("mlp", [5], width: 3).validate()
        for (name, shape) in [("conv", [5]), ("resnet", [5]), ("conv", [3, 9, 1]), ("resnet", [64, 3, 1])] {
            let error = #expect(throws: DescriptionError.self) { _ = try networks(name, shape, width: 3) }
            #expect(error?.description.contains("at least 4 rows and columns") == true)
        }
    }

    @Test func standInPlaceOfNetworks() throws {
        func message(_ json: String, _ words: [(path: String, value: DescriptionValue)] = []) -> String {
            do throws(DescriptionError) {
                let run = try RunConfiguration(completing: DescriptionValue(json: Array(json.utf8)), setting: words)
                return run.architecture.map { "architecture \($0.name)" } ?? "networks"
            } catch { return error.description }
        }
        #expect(message(#"{"preset": "digits"}"#) == "networks")
        #expect(message(#"{"preset": "digits", "architecture": "conv"}"#) == "architecture conv")
        #expect(message(#"{"preset": "digits"}"#, [("architecture.name", .text("mlp"))]) == "architecture mlp")
        #expect(message(#"{"architecture": {"name": "resnet", "width": 16}}"#) == "architecture resnet")
        #expect(message("{}") == "'networks' is missing, or an 'architecture' in their place")
        #expect(message(#"{"architecture": "unet"}"#) == "architecture: there is no architecture 'unet'; the architectures are mlp, conv, resnet")
        let both = #"{"architecture": "mlp", "networks": {"generator": {"input": [1], "layers": [{"layer": "dense", "outputs": 1}]}, "#
            + #""critic": {"input": [1], "layers": [{"layer": "dense", "outputs": 1}]}}}"#
        #expect(message(both) == "architecture: stands beside 'networks'; expected one of the two")
    }
}
