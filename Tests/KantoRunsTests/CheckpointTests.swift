import KantoData
import KantoNN
import KantoRuns
import KantoTensor
import TestSupport
import Testing

@Suite struct CheckpointTests {
    private func network(seed: UInt64) throws -> Sequential {
        var random = Random(seed: seed)
        return Sequential(
            try Dense(3, 4, using: &random), try BatchNorm(4, statistics: .running()), ReLU(), try Dense(4, 2, using: &random))
    }

    /// Parameters, and what the layers keep up themselves.
    @Test func aNetworkComesBackWhole() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/network.safetensors"
        let trained = try network(seed: 1), restored = try network(seed: 2)
        var random = Random(seed: 3)
        let input = try random.normal([5, 3])
        try withTraining(random: Random(seed: 4)) { for _ in 0..<3 { _ = try trained(input) } }
        #expect(try trained(input).floats != restored(input).floats)
        try Checkpoint.write(["critic": trained], metadata: [:], to: path)
        try Checkpoint.read("critic", into: restored, from: path)
        #expect(try trained(input).floats == restored(input).floats)
        for (a, b) in zip(trained.namedState, restored.namedState) { #expect(a.state.value.floats == b.state.value.floats) }
    }

    @Test func doublesStayDoubles() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/network.safetensors"
        func network(_ value: Double) throws -> Dense {
            Dense(weight: try Tensor([value], shape: [1, 1]), bias: try Tensor([value], shape: [1]))
        }
        let trained = try network(1.0 / 3), restored = try network(0)
        try Checkpoint.write(["critic": trained], metadata: [:], to: path)
        try Checkpoint.read("critic", into: restored, from: path)
        #expect(restored.weight.value.elementType == .float64 && restored.weight.value.doubles == [1.0 / 3])
    }

    /// What a training that failed left is not drawn from without a word.
    @Test(arguments: [Float.nan, .infinity]) func valuesThatAreNoNumbersAreTold(_ value: Float) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/network.safetensors"
        let trained = try network(seed: 1), restored = try network(seed: 2)
        var weights = trained.parameters[0].value.floats
        weights[5] = value
        trained.parameters[0].value = try Tensor(weights, shape: trained.parameters[0].shape)
        try Checkpoint.write(["critic": trained], metadata: [:], to: path)
        let before = restored.parameters.map(\.value.floats)
        let error = #expect(throws: DataError.self) { try Checkpoint.read("critic", into: restored, from: path) }
        #expect(error?.description == "\(path): critic.0.weight holds \(value) at element 5, expected finite numbers only")
        #expect(restored.parameters.map(\.value.floats) == before)
    }

    @Test func aNetworkThatIsNotInTheFileStaysAsItWas() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/network.safetensors"
        let network = try network(seed: 1)
        let before = network.parameters.map(\.value.floats)
        try Checkpoint.write(["critic": network], metadata: [:], to: path)
        #expect(throws: DataError.self) { try Checkpoint.read("generator", into: network, from: path) }
        #expect(network.parameters.map(\.value.floats) == before)
    }

    @Test func aSharedLayerIsInACheckpointOnce() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/network.safetensors"
        var random = Random(seed: 7)
        func network() throws -> Sequential {
            let shared = try Dense(2, 2, using: &random)
            return Sequential(shared, ReLU(), shared)
        }
        let written = try network()
        let read = try network()
        try Checkpoint.write(["critic": written], metadata: [:], to: path)
        #expect(try SafetensorsFile(contentsOf: path).names.sorted() == ["critic.0.bias", "critic.0.weight"])
        try Checkpoint.read("critic", into: read, from: path)
        let x = try random.normal([3, 2])
        #expect(try written(x).floats == read(x).floats)
    }
}
