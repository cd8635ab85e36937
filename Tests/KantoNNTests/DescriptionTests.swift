import KantoDescriptions
import KantoKernels
import KantoTensor
import Testing

@testable import KantoNN

@Suite struct DescriptionTests {
    private func object(_ members: [String: DescriptionValue]) -> DescriptionValue { .object(members) }

    private func message(_ body: () throws(DescriptionError) -> Void) -> String {
        do { try body() } catch { return error.description }
        return "nothing was thrown"
    }

    private let network = NetworkDescription(
        input: [28, 28, 1],
        Conv2D.Description(8, kernel: 5, stride: 2, padding: .same), LeakyReLU(), LayerNorm.Description(),
        Residual.Description(
            main: [LayerDescription(Conv2D.Description(8, kernel: 3, padding: .sides(1))), LayerDescription(SmoothELU())]),
        AveragePool(), Flatten(), SpectralNorm.Description(LayerDescription(Dense.Description(4))), Dense.Description(1))

    @Test func aNetworkComesBackFromItsDescription() throws {
        #expect(try NetworkDescription(network.descriptionValue) == network)
        #expect(
            network.descriptionValue.json.contains(#"{"layer": "conv", "channels": 8, "kernel": 5, "padding": "same", "stride": 2}"#))
    }

    /// Each kind, with values unlike its defaults, survives the way to a value and back, and to JSON.
    @Test func everyKindComesBack() throws {
        #expect(Set(LayerKinds.kinds.map { $0.name }).count == LayerKinds.kinds.count)
        let samples: [any LayerKind] = [
            Dense.Description(3, initializer: .normal(deviation: 0.02)), Conv2D.Description(4, kernel: 3, dilation: 2, groups: 2),
            ConvTranspose2D.Description(4, kernel: 3, stride: 2, padding: .sides(1), outputPadding: 1), LeakyReLU(0.3),
            ELU(alpha: 2), Flatten(isChannelsFirst: true), Reshape(2, 3, 1), Upsample(3), AveragePool(3),
            LayerNorm.Description(affine: .element), GroupNorm.Description(groups: 2), BatchNorm.Description(momentum: 0.2),
            PixelNorm(epsilon: 1e-4), try Dropout(0.25),
            InPrecision.Description(.bfloat16, [LayerDescription(Dense.Description(3)), LayerDescription(ReLU())]),
        ]
        for sample in samples {
            let layer = LayerDescription(sample)
            #expect(try LayerDescription(layer.descriptionValue) == layer)
            #expect(layer.descriptionValue != LayerDescription(type(of: sample).init()).descriptionValue)
        }
    }

    /// What a description says of shapes is what the made layers do.
    @Test func shapesAreThoseOfTheLayers() throws {
        var random = Random(seed: 1)
        let made = try network.makeNetwork(using: &random)
        var value = try random.normal([2] + network.input)
        for (layer, row) in zip(made.layers, try network.summary()) {
            value = try layer(value)
            #expect(Array(value.shape.dropFirst()) == row.output, "\(row.layer)")
        }
        #expect(try network.outputShape() == [1])
        let up = NetworkDescription(
            input: [7, 5, 2], ConvTranspose2D.Description(3, kernel: 5, stride: 2, padding: .same),
            ConvTranspose2D.Description(3, kernel: 4, stride: 3, padding: .sides(1), outputPadding: 2),
            Conv2D.Description(4, kernel: 4, stride: 3, padding: .same, dilation: 2), Upsample(), GlobalAveragePool())
        #expect(try up.summary().map(\.output)[0] == [14, 10, 3])
        let image = try random.normal([1, 7, 5, 2])
        #expect(try Array(up.makeNetwork(using: &random)(image).shape.dropFirst()) == up.outputShape())
    }

    /// What a description says of parameters and of the work is what the made layers have and do.
    @Test func parametersAndProblemsAreThoseOfTheLayers() throws {
        var random = Random(seed: 1)
        let other = NetworkDescription(
            input: [6, 5, 4], ConvTranspose2D.Description(6, kernel: 3, stride: 2, padding: .sides(1), outputPadding: 1, groups: 2),
            PReLU.Description(), BatchNorm.Description(), GroupNorm.Description(groups: 3), InstanceNorm.Description(),
            LayerNorm.Description(affine: .element), Conv2D.Description(4, kernel: 3, stride: 2, padding: .same, dilation: 2, groups: 2),
            // An output padding of a whole stride.
            ConvTranspose2D.Description(2, kernel: 3, stride: 1, padding: .sides(2), outputPadding: 1, dilation: 2),
            Residual.Description(
                main: [LayerDescription(AveragePool()), LayerDescription(SpectralNorm.Description(LayerDescription(Conv2D.Description(3, kernel: 1))))],
                shortcut: [LayerDescription(Conv2D.Description(3, kernel: 2, stride: 2))]),
            Flatten(), Dense.Description(5))
        for network in [network, other] {
            let made = try network.makeNetwork(using: &random)
            let stated = try network.parameterShapes()
            #expect(stated.map(\.path) == made.namedParameters.map(\.path))
            #expect(stated.map(\.shape) == made.namedParameters.map(\.parameter.shape))

            // One problem for each weight of a product or convolution, with that weight, on a batch of 3.
            let weights = stated.map(\.shape).filter { $0.count == 2 || $0.count == 4 }
            let problems = try network.forwardProblems(batchSize: 3)
            #expect(try problems.map { try $0.operands()[1].shape } == weights)
            #expect(try problems.allSatisfy { try $0.operands()[0].shape[0] == 3 })
        }
        let up = try other.forwardProblems(batchSize: 3).filter { $0.op == .convolution2DInputGradient }.map { try $0.operands() }
        #expect(up.map { $0[0].shape } == [[3, 6, 5, 4], [3, 6, 5, 4]])
        #expect(up[0].last?.shape == [3] + (try other.summary()[0].output))
    }

    /// TensorFlow's "SAME": 5x5 of stride 2 on an even size has 1 row before and 2 after.
    @Test func samePaddingIsAsymmetric() throws {
        var random = Random(seed: 1)
        let layer = try Conv2D.Description(1, kernel: 5, stride: 2, padding: .same).makeLayer(for: [8, 8, 1], using: &random)
        let padding = try #require(layer as? Conv2D).window.padding
        #expect(padding == Window.Padding(top: 1, left: 1, bottom: 2, right: 2))
    }

    @Test func mistakesAreTold() {
        func layers(_ layers: DescriptionValue...) -> String {
            message { () throws(DescriptionError) in
                _ = try NetworkDescription(object(["input": .list([.integer(8), .integer(8), .integer(1)]), "layers": .list(layers)]))
            }
        }
        #expect(layers(.text("leaky_rleu")).hasPrefix("layers.0: there is no layer 'leaky_rleu'; did you mean 'leaky_relu'?"))
        #expect(layers(object(["channels": .integer(4)])) == "layers.0: 'layer' is missing, the layer's name")
        #expect(layers(object(["layer": .text("conv"), "channels": .integer(4)])) == "layers.0: conv: 'kernel' is missing")
        #expect(
            layers(object(["layer": .text("conv"), "chanels": .integer(4), "kernel": .integer(3)]))
                .hasPrefix("layers.0: conv: there is no key 'chanels'; did you mean 'channels'? The keys are channels, kernel, stride"))
        #expect(
            layers(object(["layer": .text("conv"), "channels": .number(1.5), "kernel": .integer(3)]))
                == "layers.0.channels: conv: expected a whole number from 1 to 65536, found 1.5")
        #expect(
            layers(object(["layer": .text("dense"), "outputs": .integer(1)]))
                == "layers.0: dense: takes samples of shape [features], gets [8, 8, 1]; put a flatten before it")
        #expect(
            layers(object(["layer": .text("residual"), "main": .list([.text("flatten")])]))
                == "layers.0: residual: main gives samples of shape [64], the shortcut [8, 8, 1]")
        #expect(
            layers(object(["layer": .text("upsample"), "factor": .integer(65536)])).hasPrefix("layers.0: upsample: gives samples of shape"))
        #expect(
            layers(object(["layer": .text("conv"), "channels": .integer(1), "kernel": .integer(65536), "dilation": .integer(65536)]))
                .contains("its kernel reaches over"))
    }

    @Test func namesNearAndFar() {
        let names = ["data", "seed", "iterations", "critic_steps"]
        #expect(nearestNameOfTests("dta", names) == "data")
        #expect(nearestNameOfTests("iter", names) == "iterations")
        #expect(nearestNameOfTests("itertaions", names) == "iterations")
        #expect(nearestNameOfTests("momentum", names) == nil)
    }

    private func nearestNameOfTests(_ name: String, _ names: [String]) -> String? {
        let text = unknown("key", name, among: names)
        return text.contains("did you mean") ? text.split(separator: "'").dropFirst(3).first.map { String($0) } : nil
    }

    @Test func pathsReachEverything() throws {
        var value = object(["regularizer": object(["name": .text("two-sided"), "target": .integer(2), "weight": .integer(5)])])
        try value.set("regularizer.weight", to: .word("7"))
        #expect(value == object(["regularizer": object(["name": .text("two-sided"), "target": .integer(2), "weight": .word("7")])]))
        // Another kind starts from its own defaults.
        try value.set("regularizer.name", to: .word("dragan"))
        #expect(value == object(["regularizer": object(["name": .word("dragan")])]))
        try value.set("optimizer.schedule.over", to: .word("10"))
        #expect(message { () throws(DescriptionError) in try value.set("regularizer..weight", to: .null) }.contains("with dots between"))
        var text = object(["loss": .text("wasserstein")])
        try text.set("loss.drift", to: .number(1e-3))
        #expect(text == object(["loss": object(["name": .text("wasserstein"), "drift": .number(1e-3)])]))
    }

    @Test func optimizersAndSchedulesComeBack() throws {
        let described = object([
            "name": .text("sgd"), "momentum": .number(0.5), "learning_rate": .integer(1),
            "schedule": object(["name": .text("linear"), "to": .number(0.5)]),
        ])
        let optimizer = try OptimizerDescription(described)
        #expect(optimizer.descriptionValue == described)
        var random = Random(seed: 1)
        let made = try optimizer.makeOptimizer(Dense(1, 1, using: &random).parameters, stepCount: 4)
        #expect(made.learningRate == 1 && made.schedule.factor(at: 2) == 0.75 && made is SGD)
        #expect(try OptimizerDescription(.word("rmsprop")).learningRate == 5e-5)
        // Everything is written where everything is asked for, and read again as the same.
        let whole = optimizer.described(isWhole: true)
        #expect(whole.json.contains("weight_decay"))
        #expect(try OptimizerDescription(whole) == optimizer)
    }
}
