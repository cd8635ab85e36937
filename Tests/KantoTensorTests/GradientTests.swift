import FoundationEssentials
import KantoKernels
import Testing

@testable import KantoTensor

struct GradientTests {
    @Test(arguments: GradientCase.all) func firstAndSecondGradient(_ test: GradientCase) throws {
        try Kernels.run {
            let point = try test.point()
            #expect(try gradientCheck(at: point, test.body) < 1e-7)
            #expect(try secondGradientCheck(at: point, test.body) < 1e-6)
        }
    }

    @Test(arguments: GradientCase.elementwise + GradientCase.normalizations) func thirdGradient(_ test: GradientCase) throws {
        let error = try Kernels.run { try thirdGradientCheck(at: test.point(), test.body) }
        #expect(error < 1e-5)
    }

    /// The ops of a case are those in its graph and in that of its first gradient: the checks above differentiate both.
    @Test func everyRuleIsChecked() throws {
        let checked = try Kernels.run {
            try GradientCase.all.reduce(into: Set<String>()) { names, test in
                let variables = try test.point().map { $0.tracked() }
                let output = try test.body(variables)
                names.formUnion(output.operationNames)
                for slope in try gradients(of: output, withRespectTo: variables) { names.formUnion(slope.operationNames) }
            }
        }
        let operations = try Self.operations()
        #expect(operations.count > 40)
        // The sum over ranks needs some: `KantoCommunicationTests` checks its rule, to the third order.
        #expect(checked.union(["allReduce"]) == operations)
    }

    /// The cases of `Operation`, read from its source: a new one is missing above until it has a check.
    private static func operations() throws -> Set<String> {
        let path = #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!) + "/../../Sources/KantoTensor/Operation.swift"
        let source = try String(decoding: Data(contentsOf: URL(filePath: String(path))), as: UTF8.self)
        return source.split(separator: "\n").prefix { !$0.contains("var ") }.filter { $0.hasPrefix("    case ") }
            .reduce(into: []) { names, line in
                let withoutPayloads = line.dropFirst(9).replacing(/\(.*\)/, with: "")
                names.formUnion(withoutPayloads.split(separator: ", ").map(String.init))
            }
    }

    @Test func structuralZerosAreAbsent() throws {
        let x = try Tensor([1, -2, 3] as [Double], shape: [3]).tracked()
        let y = try x.leakyReLU(slope: 0.2)
        let first = try gradient(of: y, withRespectTo: x)
        // The first derivative is piecewise constant: it does not depend on x at all.
        #expect(first.doubles == [1, 0.2, 1])
        #expect(try gradient(of: first * x, withRespectTo: x).doubles == [1, 0.2, 1])
    }

    @Test func normOfZeroHasGradientZero() throws {
        let x = try Tensor.zeros([2, 3], elementType: .float64).tracked()
        let first = try gradient(of: x.sampleNorm(), withRespectTo: x)
        #expect(first.doubles == Array(repeating: 0, count: 6))
        #expect(try gradient(of: (first * x).sum(), withRespectTo: x).doubles == Array(repeating: 0, count: 6))
    }

    @Test(arguments: [1e-30, 1, 1e30]) func normNeitherVanishesNorOverflows(scale: Double) throws {
        let x = try Tensor([Float(3 * scale), Float(4 * scale)], shape: [1, 2]).tracked()
        let norm = try x.sampleNorm()
        #expect(abs(try norm.item() / (5 * scale) - 1) < 1e-6)
        let slope = try gradient(of: norm, withRespectTo: x).floats
        #expect(abs(slope[0] - 0.6) < 1e-6 && abs(slope[1] - 0.8) < 1e-6)
    }

    @Test(arguments: [-0.5, -.infinity, .nan]) func negativeSlopesAreRefused(slope: Double) throws {
        let x = try Tensor.zeros([1, 2, 2, 3]), weight = try Tensor.zeros([1, 1, 3, 4])
        #expect(throws: TensorError.self) { try x.leakyReLU(slope: slope) }
        #expect(throws: TensorError.self) { try x.convolved(with: weight, activation: .leakyReLU(slope: slope)) }
        #expect(throws: TensorError.self) {
            try x.reshaped([4, 3]).matmul(weight.reshaped([3, 4]), activation: .leakyReLU(slope: slope))
        }
    }

    @Test func unreachedVariablesGetZeros() throws {
        let x = try Tensor.scalar(2).tracked(), unused = try Tensor.zeros([3]).tracked()
        let result = try gradients(of: x * x, withRespectTo: [x, unused])
        #expect(try result[0].item() == 4)
        #expect(result[1].floats == [0, 0, 0])
    }

    /// A gradient of a linear function depends on nothing; of one with a weight it depends on the weight alone.
    @Test func constantsHaveZeroGradientsWhereAllowed() throws {
        let x = try Tensor([1, 2], shape: [2]).tracked(), weight = try Tensor([3, 4], shape: [2]).tracked()
        for slope in [try gradient(of: x * 3, withRespectTo: x), try gradient(of: x * weight, withRespectTo: x)] {
            #expect(throws: TensorError.self) { try gradient(of: slope, withRespectTo: x) }
            #expect(try gradient(of: slope, withRespectTo: x, allowsConstant: true).floats == [0, 0])
            #expect(try gradients(of: slope, withRespectTo: [x, x], isDifferentiable: false, allowsConstant: true).count == 2)
        }
        // What is zero by structure is no constant: the function's graph leads there.
        let kinked = try gradient(of: x.relu(), withRespectTo: x)
        #expect(try gradient(of: kinked, withRespectTo: x).floats == [0, 0])
        // Where a function captures a variable of its own, as a layer does its weight, it may be linear in what it is given.
        let direction = try Tensor([1, 1], shape: [2])
        #expect(try hessianVectorProduct(at: [x], along: [direction]) { try ($0[0] * weight).sum() }[0].floats == [0, 0])
        let point = try Tensor([1, 2] as [Double], shape: [2])
        let captured = try Tensor([3, 4] as [Double], shape: [2]).tracked()
        #expect(try secondGradientCheck(at: [point]) { try $0[0] * captured } < 1e-6)
    }

    @Test func deepGraphsAreWalkedAndReleasedWithoutRecursion() throws {
        try Kernels.run {
            let x = try Tensor.scalar(1).tracked()
            var y = x
            for _ in 0..<100_000 { y = try y * 1 }
            #expect(try gradient(of: y, withRespectTo: x, isDifferentiable: false).item() == 1)
        }
    }

    /// The graph of the gradient is as deep: d²/dx² xⁿ = n (n − 1) at 1.
    @Test func deepGraphsAreDifferentiatedTwice() throws {
        let second = try Kernels.run {
            let x = try Tensor.scalar(1, elementType: .float64).tracked()
            var y = x
            for _ in 1..<10_000 { y = try y * x }
            return try gradient(of: gradient(of: y, withRespectTo: x), withRespectTo: x).item()
        }
        #expect(second == 10_000 * 9_999)
    }
}

extension Tensor {
    /// The names of the ops that this tensor was computed by.
    fileprivate var operationNames: Set<String> {
        var names: Set<String> = []
        var seen: Set<UInt64> = []
        var rest = [self]
        while let node = rest.popLast()?.node {
            guard seen.insert(node.identifier).inserted else { continue }
            names.insert(node.operation.name)
            rest += node.inputs.filter(\.isTracked)
        }
        return names
    }
}
