import KantoKernels
import Testing

@testable import KantoTensor

/// A fused op beside its composition in plain ops, which is its definition.
struct Composition: CustomTestStringConvertible, Sendable {
    typealias Function = @Sendable ([Tensor]) throws -> Tensor

    let testDescription: String
    let shapes: [[Int]]
    let fused: Function
    let composed: Function

    init(_ name: String, _ shapes: [Int]..., fused: @escaping Function, composed: @escaping Function) {
        (testDescription, self.shapes, self.fused, self.composed) = (name, shapes, fused, composed)
    }

    static let all: [Composition] = [
        Composition("dense", [3, 4], [4, 5], [5]) {
            try $0[0].matmul($0[1], bias: $0[2], activation: .sigmoid)
        } composed: {
            try ($0[0].matmul($0[1]) + $0[2]).sigmoid()
        },
        Composition("convolution", [2, 5, 6, 3], [3, 3, 3, 4], [4]) {
            try $0[0].convolved(with: $0[1], bias: $0[2], Window(stride: 2, padding: 1), activation: .leakyReLU(slope: 0.2))
        } composed: {
            try ($0[0].convolved(with: $0[1], Window(stride: 2, padding: 1)) + $0[2]).leakyReLU(slope: 0.2)
        },
        Composition("normalization", [3, 4, 5]) {
            try $0[0].normalized(axes: [0, 2], epsilon: 1e-3)
        } composed: {
            let deviation = try $0[0] - $0[0].mean(axes: [0, 2], keepsAxes: true)
            return try deviation / (deviation.square().mean(axes: [0, 2], keepsAxes: true) + 1e-3).squareRoot()
        },
        Composition("normalization by given statistics", [3, 4, 5], [4, 1], [4, 1]) {
            try $0[0].normalized(mean: $0[1], inverseDeviation: $0[2])
        } composed: {
            try ($0[0] - $0[1]) * $0[2]
        },
        Composition("normalization's adjoint", [3, 4, 5], [3, 4, 5], [3, 1, 1]) {
            try $0[0].throughNormalization($0[1], $0[2], axes: [1, 2])
        } composed: {
            let mean = try $0[0].mean(axes: [1, 2], keepsAxes: true)
            return try $0[2] * ($0[0] - mean - $0[1] * ($0[0] * $0[1]).mean(axes: [1, 2], keepsAxes: true))
        },
        Composition("variance", [3, 4, 5]) {
            try $0[0].variance(axes: [1])
        } composed: {
            try ($0[0] - $0[0].mean(axes: [1], keepsAxes: true)).square().mean(axes: [1])
        },
        Composition("multiply and add", [3, 4], [4], [3, 1]) {
            try $0[0].multiplied(by: $0[1], adding: $0[2])
        } composed: {
            try $0[0] * $0[1] + $0[2]
        },
        Composition("sum of products", [2, 3, 4], [3, 1]) {
            try .product($0[0], $0[1], to: [3, 1])
        } composed: {
            try ($0[0] * $0[1]).sum(axes: [0, 2]).reshaped([3, 1])
        },
        Composition("average pooling", [2, 7, 4, 3]) {
            try $0[0].averagePooled(2)
        } composed: {
            try $0[0].sliced(0..<6, axis: 1).reshaped([2, 3, 2, 2, 2, 3]).mean(axes: [2, 4])
        },
        Composition("upsampling", [2, 3, 4, 3]) {
            try $0[0].upsampled(2)
        } composed: {
            try $0[0].reshaped([2, 3, 1, 4, 1, 3]).broadcast(to: [2, 3, 2, 4, 2, 3]).reshaped([2, 6, 8, 3])
        },
        Composition("gather", [4, 3]) {
            try $0[0].gathered([2, 2, 0])
        } composed: {
            try .concatenated([$0[0].sliced(2..<3), $0[0].sliced(2..<3), $0[0].sliced(0..<1)])
        },
        Composition("scatter", [3, 2]) {
            try $0[0].scatterAdded(to: [2, 2, 0], count: 4)
        } composed: {
            let places = try Tensor([0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0] as [Double], shape: [4, 3])
            return try places.matmul($0[0])
        },
        Composition("norm of each sample", [3, 2, 5]) {
            try $0[0].sampleNorm()
        } composed: {
            try $0[0].square().sum(axes: [1, 2]).squareRoot()
        },
        Composition("selection", [3, 4], [4], [3, 1]) {
            try .select($0[1], where: $0[0].isGreater(than: $0[2]), otherwise: $0[2])
        } composed: {
            let condition = try $0[0].isGreater(than: $0[2])
            return try condition * $0[1] + (1 - condition) * $0[2]
        },
    ]
}

struct CompositionTests {
    @Test(arguments: Composition.all) func agreesWithItsComposition(_ test: Composition) throws {
        var random = Random(seed: 11)
        let point = try test.shapes.map { try random.normal($0, elementType: .float64) }
        func derivatives(_ function: Composition.Function) throws -> [Tensor] {
            let variables = point.map { $0.tracked() }
            let value = try function(variables)
            let first = try gradients(of: value.square(), withRespectTo: variables)
            let slope = try first.map { try $0.square().sum() }.reduce(.scalar(0, elementType: .float64)) { try $0 + $1 }
            return try [value] + first + gradients(of: slope, withRespectTo: variables)
        }
        let (fused, composed) = try Kernels.run { (try derivatives(test.fused), try derivatives(test.composed)) }
        #expect(fused.map(\.shape) == composed.map(\.shape))
        for (index, (found, expected)) in zip(fused, composed).enumerated() {
            let scale = expected.doubles.reduce(1) { max($0, abs($1)) }
            #expect(zip(found.doubles, expected.doubles).allSatisfy { abs($0 - $1) < 1e-11 * scale }, "\(index)")
        }
    }
}
