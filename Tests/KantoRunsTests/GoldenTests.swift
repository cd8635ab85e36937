import KantoData
import KantoGAN
import KantoRuns
import TestSupport
import Testing

struct GoldenTests {
    @Test(arguments: Goldens.names) func float64(_ name: String) throws {
        let check = try onBackend("reference") {
            try GoldenCheck(GoldenFile(contentsOf: Goldens.path(name)), elementType: .float64)
        }
        #expect(check.quantities.count >= 13)
        for quantity in check.quantities { #expect(quantity.error <= 1e-10, "\(quantity.name)") }
    }

    @Test(arguments: Goldens.names, float32Backends) func float32(_ name: String, on backend: String) throws {
        let check = try onBackend(backend) { try GoldenCheck(GoldenFile(contentsOf: Goldens.path(name))) }
        for quantity in check.quantities { #expect(quantity.error <= 1e-4, "\(quantity.name)") }
    }

    @Test func aChangedWeightIsSeenInEveryQuantityBehindIt() throws {
        var golden = try EditableGolden("conv_leaky")
        try golden.move("critic.2.weight", by: 1e-6)
        let check = try GoldenCheck(golden.file(), elementType: .float64)
        let behind = [
            "scores.real", "scores.fake", "scores.interpolated", "input_gradient", "gradient_norm", "penalty", "loss",
            "grad.critic.0.weight", "adam.critic.2.weight",
        ]
        for name in behind {
            let quantity = try #require(check.quantities.first { $0.name == name })
            #expect(quantity.error > 1e-10, "\(name)")
        }
    }

    @Test(arguments: ["mlp_relu", "r1"]) func aChangedResultIsSeenInItsOwnQuantityOnly(_ name: String) throws {
        let results = try GoldenCheck(EditableGolden(name).file(), elementType: .float64).quantities.map(\.name)
        for result in results {
            var golden = try EditableGolden(name)
            try golden.move(result, by: 1e-6)
            let over = try GoldenCheck(golden.file(), elementType: .float64).quantities.filter { !($0.error <= 1e-10) }
            #expect(over.map(\.name) == [result])
        }
    }

    /// What is no larger than rounding hides no error of the rest.
    @Test(arguments: ["mlp_relu", "r1"], float32Backends)
    func aChangedResultIsSeenInFloat32(_ name: String, on backend: String) throws {
        let results = try GoldenCheck(EditableGolden(name).file(), elementType: .float64).quantities.map(\.name)
        for result in results {
            var golden = try EditableGolden(name)
            let largest = golden.arrays[result]!.doubles.reduce(0) { max($0, abs($1)) }
            // A last bias that real and generated samples move by as much in opposite directions.
            guard largest > 1e-12 else { continue }
            try golden.move(result, by: 1e-3 * largest)
            let over = try onBackend(backend) { try GoldenCheck(golden.file()).quantities.filter { !($0.error <= 1e-4) } }
            #expect(over.map(\.name) == [result])
        }
    }

    /// The bias before an instance normalization moves nothing: the true value of its gradient is 0.
    @Test(arguments: float32Backends) func aGradientThatIsRoundingIsJudgedByItsTerms(on backend: String) throws {
        var golden = try EditableGolden("conv_instance_norm")
        let bias = try #require(
            golden.arrays.keys.first { key in
                key.hasPrefix("grad.critic.") && key.hasSuffix(".bias") && golden.arrays[key]!.doubles.allSatisfy { abs($0) < 1e-14 }
            })
        let path = String(bias.dropFirst("grad.".count))
        try golden.set(bias, to: Array(repeating: 0, count: golden.arrays[bias]!.values.count))
        try golden.set("adam.\(path)", to: golden.arrays[path]!.doubles)
        let check = try onBackend(backend) { try GoldenCheck(golden.file()) }
        for quantity in check.quantities { #expect(quantity.error <= 1e-4, "\(quantity.name)") }
    }

    /// Between equal batches, without a penalty, the terms of all gradients cancel.
    @Test(arguments: float32Backends) func gradientsThatAreRoundingMoveNothing(on backend: String) throws {
        var golden = try EditableGolden("r1")
        golden.metadata["lambda"] = "0"
        golden.arrays["fake"] = golden.arrays["real"]
        golden.arrays["scores.fake"] = golden.arrays["scores.real"]
        try golden.set("loss", to: [0])
        for key in golden.arrays.keys where key.hasPrefix("grad.critic.") {
            let path = String(key.dropFirst("grad.".count))
            try golden.set(key, to: Array(repeating: 0, count: golden.arrays[key]!.values.count))
            try golden.set("adam.\(path)", to: golden.arrays[path]!.doubles)
        }
        for method in [CriticStepMethod.taped, .automatic] {
            let check = try onBackend(backend) { try GoldenCheck(golden.file(), criticStep: method) }
            for quantity in check.quantities { #expect(quantity.error <= 1e-4, "\(quantity.name)") }
        }
    }

    /// The others take four passes where they can.
    @Test(arguments: Goldens.names) func theTapeHoldsTheGoldensToo(_ name: String) throws {
        let file = try GoldenFile(contentsOf: Goldens.path(name))
        let check = try GoldenCheck(file, elementType: .float64, criticStep: .taped)
        #expect(check.method == .taped && check.largestError <= 1e-10)
    }

    @Test(arguments: ["mlp_relu", "conv_leaky", "one_sided", "r1", "residual"])
    func theGoldensArePassedInFour(_ name: String) throws {
        let check = try GoldenCheck(GoldenFile(contentsOf: Goldens.path(name)), elementType: .float64)
        #expect(check.method == .fourPass && check.largestError <= 1e-10)
    }

    @Test func aNaNIsTheLargestError() throws {
        var golden = try EditableGolden("one_sided")
        try golden.move("gradient_norm", by: .nan)
        #expect(try GoldenCheck(golden.file()).largestError.isNaN)
    }
}

/// One mistake in a golden file, and what its error must say.
struct BrokenGolden: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: String
    let change: @Sendable (inout EditableGolden) throws -> Void

    init(_ name: String, says message: String, _ change: @escaping @Sendable (inout EditableGolden) throws -> Void) {
        (testDescription, self.message, self.change) = (name, message, change)
    }

    static func layers(_ layers: String, says message: String) -> BrokenGolden {
        BrokenGolden(layers.count > 60 ? "\(layers.count) characters of layers" : layers, says: message) {
            $0.metadata["layers"] = layers
        }
    }

    static func text(_ key: String, _ value: String?, says message: String) -> BrokenGolden {
        BrokenGolden("\(key) \(value ?? "absent")", says: message) { $0.metadata[key] = value }
    }

    static let arrays: [BrokenGolden] = [
        BrokenGolden("no epsilon", says: "no array named epsilon") { $0.arrays["epsilon"] = nil },
        BrokenGolden("no real", says: "no array named real") { $0.arrays["real"] = nil },
        BrokenGolden("no gradient", says: "no array named grad.critic.2.bias") { $0.arrays["grad.critic.2.bias"] = nil },
        BrokenGolden("a bias too long", says: "critic.2.bias has shape [33] and type F64, expected [32] and F64 or F32") {
            $0.arrays["critic.2.bias"] = try NumericArray(shape: [33], [Double](repeating: 0, count: 33))
        },
        BrokenGolden("bytes", says: "epsilon has shape [16] and type U8") {
            $0.arrays["epsilon"] = try NumericArray(shape: [16], [UInt8](repeating: 0, count: 16))
        },
        BrokenGolden("bytes as samples", says: "real has shape [16, 2] and type U8") {
            $0.arrays["real"] = try NumericArray(shape: [16, 2], [UInt8](repeating: 0, count: 32))
        },
        BrokenGolden("an unknown array", says: "holds an array critic.1.weight, which") {
            $0.arrays["critic.1.weight"] = try NumericArray(shape: [], [1.0])
        },
        BrokenGolden("samples of rank 3", says: "real has shape [16, 2, 1], expected [n, features] or [n, channels,") {
            $0.arrays["real"] = try NumericArray(shape: [16, 2, 1], [Double](repeating: 0, count: 32))
        },
        BrokenGolden("no samples", says: "real has shape [0, 2]") {
            $0.arrays["real"] = try NumericArray(shape: [0, 2], [Double]())
        },
    ]

    static let layerLists: [BrokenGolden] = [
        .text("layers", nil, says: "metadata: layers is missing, expected a JSON list of layers"),
        .layers("[[", says: "layers is '[[', expected a JSON list"),
        .layers("[]", says: "layers is '[]', expected a JSON list"),
        .layers("[null]", says: "layers.0: expected a list that starts with the layer's name"),
        .layers(String(repeating: "[", count: 100_000), says: "expected a JSON list of layers"),
        .layers(#"["relu"]"#, says: "layers.0: expected a list that starts with the layer's name"),
        .layers(#"[["relu"], [2, 3]]"#, says: "layers.1: expected a list that starts with the layer's name"),
        .layers(#"[["relu"], ["batch_norm"]]"#, says: "layers.1: there is no layer 'batch_norm'; the layers are dense, conv, leaky_relu,"),
        .layers(#"[["dense", 2]]"#, says: #"layers.0: expected ["dense", inputs, outputs]"#),
        .layers(#"[["dense", 2, "1"]]"#, says: #"layers.0.outputs: dense: expected a whole number from 1 to 16777216, found "1""#),
        .layers(#"[["dense", "2", 1]]"#, says: #"layers.0.inputs: dense: expected a whole number, found "2""#),
        .layers(#"[["relu", 1]]"#, says: #"layers.0: expected ["relu"]"#),
        .layers(#"[["dense", 2, 1.5]]"#, says: "layers.0.outputs: dense: expected a whole number from 1 to 16777216, found 1.5"),
        .layers(#"[["dense", 2, 1e30]]"#, says: "layers.0.outputs: dense: expected a whole number from 1 to 16777216, found 1e+30"),
        .layers(#"[["leaky_relu", -0.2]]"#, says: "layers.0.slope: leaky_relu: expected a number of at least 0, found -0.2"),
        .layers(#"[["dense", 3, 1]]"#, says: "layers.0.inputs: dense: expected 2, for samples of shape [2], found 3"),
        .layers(#"[["conv", 2, 1, 3, 1, 1]]"#, says: "layers.0: conv: takes samples of shape [height, width, channels], gets [2]"),
        .layers(#"[["conv", 2]]"#, says: #"layers.0: expected ["conv", inputs, channels, kernel, stride, padding, dilation = 1, groups = 1]"#),
        .layers(
            #"[["dense", 2, 32], ["relu"]]"#,
            says: "layers give samples of shape [32], expected one score a sample: [1]"),
    ]

    static let texts: [BrokenGolden] = [
        .text("regulariser", "dragan", says: "regulariser is 'dragan', expected gp (two-sided), lp (one-sided) or r1"),
        .text("regulariser", nil, says: "regulariser is missing"),
        .text("lambda", "ten", says: "lambda is 'ten', expected a number from 0.0"),
        .text("lambda", "nan", says: "lambda is 'nan', expected a number from 0.0"),
        .text("learning_rate", "-1", says: "learning_rate is '-1', expected a number from 0.0"),
        .text("betas", "[0.0]", says: "betas is '[0.0]', expected two numbers"),
        .text("betas", "[0.0, 1.0]", says: "betas is '[0.0, 1.0]', expected two numbers"),
        .text("steps", "0", says: "steps is '0', expected a number from 1.0 to 1000.0"),
        .text("steps", "2.5", says: "steps is '2.5', expected a whole number"),
        .text("steps", "1000000000", says: "steps is '1000000000'"),
    ]

    static let images: [BrokenGolden] = [
        .layers(
            #"[["dense", 144, 1]]"#,
            says: "layers.0: dense: takes samples of shape [features], gets [12, 12, 1]; put a flatten before it"),
        .layers(#"[["conv", 3, 4, 3, 1, 1]]"#, says: "layers.0.inputs: conv: expected 1, for samples of shape [12, 12, 1], found 3"),
        .layers(
            #"[["conv", 1, 4, 3, 1, 1, 1, 2]]"#, says: "layers.0: conv: 2 groups do not divide both 1 input channels and 4 output channels"),
        .layers(#"[["conv", 1, 8, 13, 1, 0]]"#, says: "layers.0: conv: its kernel reaches over 13 rows and columns"),
        .layers(
            #"[["conv", 1, 8, 3, 1, 60000]]"#,
            says: "layers.0: conv: gives samples of shape [120010, 120010, 8], more than"),
        .layers(
            #"[["conv", 1, 8, 3, 60000, 60000]]"#, says: "layers.0: conv: reads padded samples of shape [120012, 120012, 1], more than"),
        .layers(#"[["conv", 1, 1, 1, 1, 8000], ["avg_pool", 16000], ["flatten"], ["dense", 1, 1]]"#, says: "layers.0: conv: reads padded"),
        // Each layer alone is small, and a few bytes state it.
        .layers("[" + String(repeating: #"["upsample", 10], ["avg_pool", 10], "#, count: 2000) + #"["relu"]]"#, says: "gives samples of shape [120, 120, 1], more than"),
        .layers(#"[["upsample", 65536]]"#, says: "layers.0: upsample: gives samples of shape [786432, 786432, 1], more than"),
        .layers(#"[["avg_pool", 13]]"#, says: "layers.0: avg_pool: its windows of 13 x 13 are larger than samples of shape [12, 12, 1]"),
        .layers(#"[["avg_pool"]]"#, says: #"layers.0: expected ["avg_pool", size]"#),
        .layers(
            #"[["layer_norm", [1, 12, 11]]]"#,
            says: "layers.0.shape: layer_norm: expected [1, 12, 12], for samples of shape [12, 12, 1], found [1, 12, 11]"),
        .layers(#"[["layer_norm", [1, 12]]]"#, says: "layers.0.shape: layer_norm: expected [1, 12, 12], for samples of shape"),
        .layers(#"[["layer_norm", [1, "12", 12]]]"#, says: #"layers.0.shape.1: layer_norm: expected a whole number, found "12""#),
        .layers(#"[["group_norm", 2, 1]]"#, says: "layers.0: group_norm: 2 groups do not divide the channels of samples of shape [12, 12, 1]"),
        .layers(#"[["group_norm", 1, 4]]"#, says: "layers.0.inputs: group_norm: expected 1, for samples of shape [12, 12, 1], found 4"),
        .layers(#"[["instance_norm", 3]]"#, says: "layers.0.inputs: instance_norm: expected 1, for samples of shape [12, 12, 1], found 3"),
        .layers(#"[["residual", [["relu"]]]]"#, says: #"layers.0: expected ["residual", main, shortcut]"#),
        .layers(#"[["residual", [["relu"]], 3]]"#, says: "layers.0.shortcut: residual: expected a list of layers"),
        .layers(#"[["residual", [["relu"], ["gel"]], []]]"#, says: "layers.0.main.1: there is no layer 'gel'; did you mean 'gelu'?"),
        .layers(
            #"[["residual", [["avg_pool", 2]], []]]"#,
            says: "layers.0: residual: main gives samples of shape [6, 6, 1], the shortcut [12, 12, 1]"),
        .layers(
            #"[["residual", [], [["flatten"], ["dense", 3, 1]]]]"#,
            says: "layers.0.shortcut.1.inputs: dense: expected 144, for samples of shape [144], found 3"),
        // No weights are made for what the file does not hold.
        .layers(#"[["flatten"], ["dense", 144, 16000000], ["dense", 16000000, 1]]"#, says: "more than the"),
        .layers(#"[["flatten"], ["dense", 144, 300000], ["dense", 300000, 1]]"#, says: "no array named critic.1.weight"),
    ]
}

struct BrokenGoldenTests {
    @Test(arguments: BrokenGolden.arrays + BrokenGolden.layerLists + BrokenGolden.texts)
    func isNamed(_ broken: BrokenGolden) throws {
        try expectError(broken, in: "mlp_relu")
    }

    @Test(arguments: BrokenGolden.images) func isNamedForImages(_ broken: BrokenGolden) throws {
        try expectError(broken, in: "conv_leaky")
    }

    private func expectError(_ broken: BrokenGolden, in name: String) throws {
        var golden = try EditableGolden(name)
        try broken.change(&golden)
        let error = #expect(throws: DataError.self) { _ = try golden.file() }
        #expect(error?.kind == .badInput)
        #expect(error?.description.contains(broken.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }
}
