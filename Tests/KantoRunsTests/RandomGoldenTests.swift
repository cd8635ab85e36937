import KantoGAN
import KantoNN
import KantoTensor
import TestSupport
import Testing

@testable import KantoRuns

/// The critics of the golden files with other weights: what float64 computes for them is a golden file of its own, which
/// every backend's float32 holds.
struct RandomGoldenTests {
    @Test(arguments: Goldens.names, [1, 3]) func float32HoldsWhatFloat64Computes(_ name: String, _ seed: Int) throws {
        let file = try onBackend("reference") { try redrawn(name, seed: UInt64(seed)).file() }
        for backend in float32Backends {
            let check = try onBackend(backend) { try GoldenCheck(file) }
            for quantity in check.quantities { #expect(quantity.error <= 1e-4, "\(quantity.name) on \(backend)") }
        }
    }

    /// Weights of He's size, biases of 0 and for every third seed equal batches.
    private func redrawn(_ name: String, seed: UInt64) throws -> EditableGolden {
        var golden = try EditableGolden(name)
        var random = Random(seed: seed, stream: 77)
        for key in golden.arrays.keys.sorted() where key.hasPrefix("critic.") && key.hasSuffix(".weight") {
            let shape = golden.arrays[key]!.shape
            guard shape.count > 1 else { continue }
            let fan = Double(shape.dropFirst().reduce(1, *))
            try golden.set(key, to: (random.normal(shape, elementType: .float64) * (2 / fan).squareRoot()).doubles)
        }
        for key in golden.arrays.keys where key.hasPrefix("critic.") && key.hasSuffix(".bias") {
            try golden.set(key, to: Array(repeating: 0, count: golden.arrays[key]!.values.count))
        }
        if seed % 3 == 0 { golden.arrays["fake"] = golden.arrays["real"] }
        try fill(&golden)
        return golden
    }

    /// Computes every result that the file holds.
    private func fill(_ golden: inout EditableGolden) throws {
        let file = try golden.file()
        let critic = try file.makeCritic(.float64)
        let real = try file.samples("real")
        let fake = try file.samples("fake")
        let points = try file.points(real: real, fake: fake, epsilon: file.constant("epsilon"))
        let optimizer = try Adam(critic.parameters, learningRate: file.learningRate, beta1: file.betas.0, beta2: file.betas.1)
        var steps: [CriticGradients] = []
        for _ in 0..<file.steps {
            let step = try CriticGradients(
                critic, real: real, fake: fake, points: points, regularizer: file.regularizer, penaltyWeight: file.penaltyWeight,
                method: .taped)
            try optimizer.update(with: step.gradients)
            steps.append(step)
        }
        let first = steps[0]
        try golden.set("scores.real", to: first.scores.real.doubles)
        try golden.set("scores.fake", to: first.scores.fake.doubles)
        try golden.set("scores.interpolated", to: first.penalty.scores.doubles)
        let slope = first.penalty.inputGradient
        try golden.set("input_gradient", to: (slope.rank == 4 ? slope.permuted([0, 3, 1, 2]) : slope).doubles)
        try golden.set("gradient_norm", to: first.penalty.norms.doubles)
        try golden.set("penalty", to: first.penalty.value.doubles)
        try golden.set("loss", to: [first.loss])
        for (index, (path, parameter)) in critic.namedParameters.enumerated() {
            try golden.set("grad.critic.\(path)", to: layout(first.gradients[index]).doubles)
            try golden.set("adam.critic.\(path)", to: layout(parameter.value).doubles)
        }
    }

    /// A parameter as PyTorch has it.
    private func layout(_ tensor: Tensor) throws -> Tensor {
        switch tensor.rank {
        case 4: try tensor.permuted([3, 2, 0, 1])
        case 3: try tensor.permuted([2, 0, 1])
        case 2: try tensor.permuted([1, 0])
        default: tensor
        }
    }
}
