import Testing

@testable import KantoKernels

struct NearestNameTests {
    private let settings = ["iterations", "seed", "batch_size", "critic_steps", "learning_rate", "beta1", "beta2", "sample_interval"]

    @Test(arguments: [
        ("trian", ["train", "sample", "bench"], "train"), ("TRAIN", ["train"], "train"), ("smaple", ["sample"], "sample"),
        ("--iter", ["seed", "iterations", "out"], "iterations"), ("dta", ["preset", "data", "seed"], "data"),
        ("learning-rate", ["learning_rate"], "learning_rate"), ("rate", ["learning_rate", "seed"], "learning_rate"),
        ("digit", ["digits"], "digits"), ("beta", ["beta1", "beta2"], "beta1"),
        ("xyzzy", ["train", "sample"], nil), ("", ["a"], nil), ("q", ["a", "b"], nil), ("a", [], nil),
        (String(repeating: "a", count: 100_000), ["a"], nil),
    ] as [(String, [String], String?)])
    func findsWhatWasMeant(_ typed: String, _ known: [String], _ meant: String?) {
        #expect(nearestName(to: typed, among: known) == meant)
    }

    @Test func saysWhatThereIs() {
        #expect(
            unknownName("there is no setting", "sed", plural: "settings", known: ["seed", "data"])
                == "there is no setting 'sed'; did you mean 'seed'? The settings are seed, data")
        #expect(unknownName("there is no setting", "speed of light", plural: "settings", known: ["x"]) == "there is no setting 'speed of light'; the settings are x")
    }
}
