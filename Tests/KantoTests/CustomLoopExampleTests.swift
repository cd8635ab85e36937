import FoundationEssentials
import Kanto
import Testing

/// A training loop of one's own, as the README shows it.
struct CustomLoopExampleTests {
    @Test func trains() throws {
        // example: begin
        let samples = try Kernels.run {
            let digits = try ImageSet.digits()
            let data = try Tensor(digits.pixels, shape: [digits.count, 8, 8, 1])
            var batches = try BatchSampler(data, batchSize: 32, seed: 1)
            var random = Random(seed: 1)
            let critic = Sequential(
                try Conv2D(1, 32, kernel: 4, stride: 2, padding: 1, using: &random), LeakyReLU(0.2), Flatten(),
                try Dense(512, 1, using: &random))
            let generator = Sequential(
                try Dense(16, 128, using: &random), ReLU(), try Dense(128, 64, using: &random), Sigmoid(), Reshape(8, 8, 1))
            let criticOptimizer = try Adam(critic.parameters, learningRate: 5e-4)
            let generatorOptimizer = try Adam(generator.parameters, learningRate: 5e-4)

            for _ in 0..<200 {
                for _ in 0..<5 {
                    let real = try batches.next()
                    let fake = try withoutGradient { try generator(random.normal([32, 16])) }
                    let points = try interpolate(real: real, fake: fake, epsilon: random.uniform([32]))
                    let penalty = try gradientPenalty(critic, at: points)
                    // Both batches in one pass: the kernels see twice the rows.
                    let scores = try critic(.concatenated([fake, real]))
                    let difference = try scores.sliced(0..<32).mean() - scores.sliced(32..<64).mean()
                    try criticOptimizer.minimize(difference + 10 * penalty.value)
                }
                try generatorOptimizer.minimize(-critic(generator(random.normal([32, 16]))).mean())
            }
            return try generator(random.normal([64, 16]))
        }
        // example: end

        #expect(samples.shape == [64, 8, 8, 1])
        // Each pixel's mean over the samples comes close to that over the data; at the start it is 0.5 everywhere.
        let digits = try ImageSet.digits()
        let expected = try Tensor(digits.pixels, shape: [digits.count, 8, 8, 1]).mean(axes: [0])
        func distance(_ image: Tensor) throws -> Double { try (image - expected).absolute().mean().item() }
        let start = try distance(Tensor(repeating: 0.5, shape: [8, 8, 1]))
        let trained = try distance(samples.mean(axes: [0]))
        #expect(trained < 0.5 * start, "\(trained), \(start) at the start")
    }

    @Test func theReadmeShowsIt() throws {
        let source = try lines(#filePath)
        let begin = try #require(source.firstIndex { $0.hasSuffix("// example: begin") })
        let end = try #require(source.firstIndex { $0.hasSuffix("// example: end") })
        let indentation = source[begin].prefix { $0 == " " }.count
        let example = ["import Kanto", ""] + source[(begin + 1)..<end].map { String($0.dropFirst(indentation)) }

        let readme = try lines(String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/../../README.md")
        let block = try #require(readme.firstIndex(of: "```swift"))
        #expect(readme[(block + 1)...].prefix { $0 != "```" } == example[...])
    }

    private func lines(_ path: String) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
