import FoundationEssentials
import KantoKernels
import KantoTensor
import Testing

struct HigherOrderTests {
    @Test func exampleOfTheHessianVectorProduct() throws {
        // example: begin
        // f(x, y) = x³ y has the Hessian [[6 x y, 3 x²], [3 x², 0]].
        let x = try Tensor.scalar(1), y = try Tensor.scalar(2)
        let product = try hessianVectorProduct(at: [x, y], along: [.scalar(1), .scalar(0)]) { point in
            try point[0] * point[0] * point[0] * point[1]
        }
        // [12, 3]
        // example: end
        #expect(try product.map { try $0.item() } == [12, 3])
    }

    @Test func theDocumentationShowsIt() throws {
        func lines(_ path: String) throws -> [String] {
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            return text.split(separator: "\n").map(String.init)
        }
        let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)
        let source = try lines(#filePath)
        let begin = try #require(source.firstIndex { $0.hasSuffix("// example: begin") })
        let end = try #require(source.firstIndex { $0.hasSuffix("// example: end") })
        let example = source[(begin + 1)..<end].map { $0.dropFirst(8) }
        let shown = try lines(folder + "/../../Sources/KantoTensor/HigherOrder.swift")
            .filter { $0.hasPrefix("///     ") }.map { $0.dropFirst(8) }
        #expect(shown == example)
    }

    /// Against the whole Hessian by central differences of the gradient.
    @Test func hessianVectorProductOfANetwork() throws {
        var random = Random(seed: 5)
        let points = try [[3, 4], [4, 5], [5]].map { try random.normal($0, elementType: .float64) }
        let directions = try points.map { try random.normal($0.shape, elementType: .float64) }
        func loss(_ point: [Tensor]) throws -> Tensor {
            try point[0].matmul(point[1], bias: point[2], activation: .tanh).softplus().mean()
        }
        let (found, difference) = try Kernels.run {
            func slopes(_ shift: Double) throws -> [Tensor] {
                try valueWithGradients(at: zip(points, directions).map { try $0 + $1 * shift }, loss).gradients
            }
            let (after, before) = (try slopes(1e-5), try slopes(-1e-5))
            return (
                try hessianVectorProduct(at: points, along: directions, loss),
                try zip(after, before).map { try ($0 - $1) / 2e-5 }
            )
        }
        #expect(found.map(\.shape) == points.map(\.shape))
        for (a, b) in zip(found, difference) { #expect(zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) < 1e-8 }) }
    }

    @Test func hessiansOfLinearFunctionsAreZero() throws {
        let x = try Tensor([1, 2] as [Float], shape: [2])
        #expect(try hessianVectorProduct(at: [x], along: [x]) { try $0[0] * 3 }[0].floats == [0, 0])
        #expect(try hessianVectorProduct(at: [x, x], along: [x, x]) { try $0[0] * $0[0] + $0[1] }.map(\.floats) == [[2, 4], [0, 0]])
    }

    @Test func valuesAndGradientsNest() throws {
        let x = try Tensor.scalar(3)
        let (value, slope) = try valueWithGradient(at: x) { try $0.square() }
        #expect(try value.item() == 9 && slope.item() == 6)
        #expect(!value.isTracked && !slope.isTracked)
        // The second derivative of x³ is 6 x.
        let second = try valueWithGradient(at: x) { x in
            try valueWithGradient(at: x) { try $0 * $0 * $0 }.gradient
        }
        #expect(try second.value.item() == 27 && second.gradient.item() == 18)
    }

    @Test func mistakesAreNamed() throws {
        let x = try Tensor.zeros([2]), y = try Tensor.zeros([3])
        #expect(throws: TensorError("Hessian-vector product", "directions of shapes [[3]] at points of [[2]]")) {
            try hessianVectorProduct(at: [x], along: [y]) { try $0[0].sum() }
        }
        #expect(throws: TensorError.self) { try hessianVectorProduct(at: [x], along: [x]) { _ in y } }
        #expect(throws: TensorError.self) { try valueWithGradient(at: x) { _ in y } }
    }
}
