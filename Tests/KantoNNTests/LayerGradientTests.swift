import FoundationEssentials
import KantoKernels
import KantoNN
import KantoTensor
import Testing

struct LayerGradientTests {
    /// First and second gradients with respect to input and parameters against central differences.
    @Test(arguments: LayerCase.all) func firstAndSecondGradient(_ test: LayerCase) throws {
        let check = LayerCheck(try test.layer(), try test.input(), isDifferentiable: test.rows == nil) { try $0() }
        let (first, second) = try Kernels.run { (try check.error(order: 1), try check.error(order: 2)) }
        #expect(first < 1e-7 && second < 1e-6)
    }

    /// The same in training. (Spectral normalization is no function there: its iteration moves with the weights, which its
    /// gradients by definition do not see.)
    @Test(arguments: LayerCase.all.filter { !$0.testDescription.hasPrefix("spectral") })
    func gradientsInTraining(_ test: LayerCase) throws {
        let check = LayerCheck(try test.layer(), try test.input(), isDifferentiable: test.rows == nil) { body in
            // The same masks each time.
            try withTraining(random: Random(seed: 9), body)
        }
        let (first, second) = try Kernels.run { (try check.error(order: 1), try check.error(order: 2)) }
        #expect(first < 1e-7 && second < 1e-6)
    }

    /// A layer's type is known by the sources; one without a case above is missed here.
    @Test func everyLayerIsChecked() throws {
        var checked: Set<String> = []
        for test in LayerCase.all { collect(try test.layer(), into: &checked) }
        let declared = try declaredLayers()
        #expect(declared.count > 20)
        #expect(checked == declared)
    }

    private func collect(_ layer: any Layer, into names: inout Set<String>) {
        // The tests' own stand for the layer in them.
        if !String(reflecting: type(of: layer)).contains("Tests.") { names.insert("\(type(of: layer))") }
        for child in layer.children { collect(child.layer, into: &names) }
    }

    private func declaredLayers() throws -> Set<String> {
        let folder = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!) + "/../../Sources/KantoNN"
        var names: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: String(folder)) where file.hasSuffix(".swift") {
            let source = try String(decoding: Data(contentsOf: URL(filePath: "\(folder)/\(file)")), as: UTF8.self)
            for match in source.matches(of: /public struct (\w+): ([\w, ]+) {/)
            where match.2.split(separator: ", ").contains(where: { $0.hasSuffix("Layer") || $0 == "LayerWithEpilogue" }) {
                names.insert(String(match.1))
            }
        }
        return names
    }
}

/// Gradients of a fixed random projection of a layer's output, held against central differences.
struct LayerCheck {
    private let layer: any Layer
    private let input: Tensor
    private let isDifferentiable: Bool
    private let run: (() throws -> Tensor) throws -> Tensor

    /// - Parameters:
    ///   - isDifferentiable: whether the layer passes gradients to its input.
    ///   - run: runs the layer under the same conditions each time.
    init(
        _ layer: any Layer, _ input: Tensor, isDifferentiable: Bool, run: @escaping (() throws -> Tensor) throws -> Tensor
    ) {
        (self.layer, self.input, self.isDifferentiable, self.run) = (layer, input, isDifferentiable, run)
    }

    private func projected(_ tensor: Tensor, seed: UInt64) throws -> Tensor {
        var random = Random(seed: seed)
        return try .product(tensor, random.normal(tensor.shape, elementType: .float64), to: [])
    }

    /// The value whose gradients have the order: a projection of the output, or of the gradients of one.
    private func value(order: Int, at input: Tensor) throws -> Tensor {
        let output = try run { try layer(input) }
        guard order > 1 else { return try projected(output, seed: 1) }
        let first = try gradients(of: projected(output, seed: 2), withRespectTo: variables(input))
        return try first.enumerated().map { try projected($1, seed: 3 + UInt64($0)) }
            .reduce(.scalar(0, elementType: .float64)) { try $0 + $1 }
    }

    private func variables(_ input: Tensor) -> [Tensor] { (isDifferentiable ? [input] : []) + layer.parameters.map(\.value) }

    /// The largest difference relative to the largest gradient (at least 1).
    func error(order: Int, step: Double = 1e-6) throws -> Double {
        let point = input.tracked()
        let result = try value(order: order, at: point)
        let analytic = try result.isTracked
            ? gradients(of: result, withRespectTo: variables(point), isDifferentiable: false).map(\.doubles)
            : variables(point).map { Array(repeating: 0.0, count: $0.count) }
        var differences: [[Double]] = []
        if isDifferentiable {
            differences.append(
                try input.doubles.indices.map { element in
                    try slope(step) { try value(order: order, at: moved(input, element, by: $0).tracked()).item() }
                })
        }
        for parameter in layer.parameters {
            let original = parameter.value
            defer { parameter.value = original }
            differences.append(
                try original.doubles.indices.map { element in
                    try slope(step) { shift in
                        parameter.value = try moved(original, element, by: shift)
                        return try value(order: order, at: input.tracked()).item()
                    }
                })
        }
        let (found, expected) = (analytic.joined(), differences.joined())
        let scale = found.reduce(1) { max($0, abs($1)) }
        return zip(found, expected).reduce(0) { $1.0.isNaN || $1.1.isNaN ? .nan : max($0, abs($1.0 - $1.1)) } / scale
    }

    private func slope(_ step: Double, _ value: (Double) throws -> Double) throws -> Double {
        try (value(step) - value(-step)) / (2 * step)
    }

    private func moved(_ tensor: Tensor, _ element: Int, by shift: Double) throws -> Tensor {
        var elements = tensor.doubles
        elements[element] += shift
        return try Tensor(elements, shape: tensor.shape)
    }
}
