import KantoGAN
import KantoKernels
import KantoNN
import KantoTensor

/// What Kanto computes for the critic and batches of a golden file, held against what the file says.
public struct GoldenCheck: Sendable {
    /// One array of the file and how far Kanto's is from it.
    public struct Quantity: Sendable, Equatable {
        /// As in the file.
        public let name: String
        /// The largest difference, relative to the array's largest magnitude, and of a gradient to no less than 1/128 of the
        /// largest sum of terms that cancel in it; NaN if one of the two holds a NaN.
        public let error: Double
        /// Elements that are not compared, see `quantities`.
        public var skippedCount = 0
    }

    /// In the order of the computation: scores, input gradient, penalty, loss, parameter gradients, parameters after Adam.
    /// Of the last, elements whose gradient was no larger than the rounding of its terms at some step are not compared.
    public let quantities: [Quantity]

    /// How the critic's gradients were computed: taped or four-pass.
    public let method: CriticStepMethod

    /// The largest of all errors; NaN is the largest.
    public var largestError: Double {
        quantities.reduce(0) { $1.error.isNaN || $0.isNaN ? .nan : max($0, $1.error) }
    }

    /// Rebuilds the critic and takes its training steps in an element type, on the backend in force.
    ///
    /// - Throws: `TensorError`, `KernelError`.
    public init(_ file: GoldenFile, elementType: ElementType = .float32, criticStep: CriticStepMethod = .automatic) throws {
        (method, quantities) = try Kernels.run { try Self.compare(file, elementType, criticStep) }
    }

    /// PyTorch's default.
    private static let epsilonOfAdam = 1e-8
    /// By how many units of rounding of its terms a gradient may be off.
    private static let roundings = 32.0
    /// From how many times a gradient on its terms are the measure of its error: that of a sum of 2¹⁴ terms of random sign.
    private static let largestCancellation = 128.0

    private static func compare(
        _ file: GoldenFile, _ type: ElementType, _ criticStep: CriticStepMethod
    ) throws -> (CriticStepMethod, [Quantity]) {
        let critic = try file.makeCritic(type)
        let method = try criticStep.resolved(for: critic)
        let real = try file.samples("real").converted(to: type)
        let fake = try file.samples("fake").converted(to: type)
        let points = try file.points(real: real, fake: fake, epsilon: file.constant("epsilon").converted(to: type))
        let optimizer = try Adam(
            critic.parameters, learningRate: file.learningRate, beta1: file.betas.0, beta2: file.betas.1, epsilon: epsilonOfAdam)
        let paths = critic.namedParameters.map(\.path)
        let gradients = try paths.map { try file.parameter("grad.critic.\($0)").doubles }
        // A gradient is a sum, and rounding leaves in it what it took from the terms: from those of opposite sign in a bias that
        // real and generated samples move by +1/n and -1/n nothing else is left.
        let terms = try CriticGradients.terms(
            critic, real: real, fake: fake, points: points, regularizer: file.regularizer, penaltyWeight: file.penaltyWeight
        ).map(\.doubles)
        // Adam divides a gradient by its own magnitude: where that is rounding, the direction of the step is chance, the file's
        // or the one here.
        let roundoff = try roundoff(type)
        let noise = terms.map { $0.map { roundings * roundoff * $0 } }
        var isChance = zip(gradients, noise).map { zip($0, $1).map { $0 != 0 && abs($0) <= $1 } }
        // Where it is 0 here, and rounding in a later step of the file, Adam's ε bounds what that moves.
        let drift = terms.map {
            $0.map { Double(file.steps) * file.learningRate * roundings * Double.ulpOfOne * $0 / epsilonOfAdam }
        }

        func step() throws -> CriticGradients {
            let step = try CriticGradients(
                critic, real: real, fake: fake, points: points, regularizer: file.regularizer,
                penaltyWeight: file.penaltyWeight, method: method)
            try optimizer.update(with: step.gradients)
            for (index, gradient) in step.gradients.enumerated() {
                for (element, value) in gradient.doubles.enumerated() where value != 0 && abs(value) <= noise[index][element] {
                    isChance[index][element] = true
                }
            }
            return step
        }
        let first = try step()
        for _ in 1..<file.steps { _ = try step() }

        let single: [(name: String, found: [Double], expected: Tensor)] = [
            ("scores.real", first.scores.real.doubles, try file.constant("scores.real")),
            ("scores.fake", first.scores.fake.doubles, try file.constant("scores.fake")),
            ("scores.interpolated", first.penalty.scores.doubles, try file.constant("scores.interpolated")),
            ("input_gradient", first.penalty.inputGradient.doubles, try file.samples("input_gradient")),
            ("gradient_norm", first.penalty.norms.doubles, try file.constant("gradient_norm")),
            ("penalty", first.penalty.value.doubles, try file.constant("penalty")),
            ("loss", [first.loss], try file.constant("loss")),
        ]
        var quantities = single.map { Quantity(name: $0, error: difference($1, $2.doubles)) }
        for (index, path) in paths.enumerated() {
            let error = difference(
                first.gradients[index].doubles, gradients[index], floor: magnitude(terms[index]) / largestCancellation)
            quantities.append(Quantity(name: "grad.critic.\(path)", error: error))
        }
        for (index, path) in paths.enumerated() {
            let expected = try file.parameter("adam.critic.\(path)").doubles
            var found = critic.parameters[index].value.doubles
            var skippedCount = 0
            for element in found.indices where found[element].isFinite {
                let isDrift =
                    abs(gradients[index][element]) <= noise[index][element] && found[element] != expected[element]
                    && abs(found[element] - expected[element]) <= drift[index][element]
                guard isChance[index][element] || isDrift else { continue }
                found[element] = expected[element]
                skippedCount += 1
            }
            quantities.append(
                Quantity(name: "adam.critic.\(path)", error: difference(found, expected), skippedCount: skippedCount))
        }
        return (method, quantities)
    }

    /// The distance from 1 to the next number, in products at the precision in force.
    private static func roundoff(_ type: ElementType) throws -> Double {
        guard type == .float32 else { return .ulpOfOne }
        return switch try Kernels.precision() {
        case .float32: Double(Float.ulpOfOne)
        case .relaxed: 16 * Double(Float.ulpOfOne)
        case .bfloat16: 0x1p-7
        }
    }

    /// The largest difference over the largest expected magnitude, which counts as `floor` at least; if both are 0, the
    /// difference itself.
    private static func difference(_ found: [Double], _ expected: [Double], floor: Double = 0) -> Double {
        let scale = max(magnitude(expected), floor)
        let largest = magnitude(zip(found, expected).map { $0 - $1 })
        return scale > 0 || scale.isNaN ? largest / scale : largest
    }

    private static func magnitude(_ values: [Double]) -> Double {
        values.reduce(0) { $1.isNaN || $0.isNaN ? .nan : max($0, abs($1)) }
    }
}
