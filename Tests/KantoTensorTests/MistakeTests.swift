import KantoKernels
import Testing

@testable import KantoTensor

/// A wrong use and what its error says: the op, what was wrong, what was expected.
struct Mistake: Sendable, CustomTestStringConvertible {
    let message: String
    let body: @Sendable () throws -> Void

    init(_ message: String, _ body: @escaping @Sendable () throws -> Void) { (self.message, self.body) = (message, body) }

    var testDescription: String { message }

    private static func zeros(_ shape: Int...) throws -> Tensor { try Tensor.zeros(shape) }

    static let all: [Mistake] = [
        Mistake("matmul: inner dimensions differ: 3 of [2, 3], 4 of [4, 5]") { _ = try zeros(2, 3).matmul(zeros(4, 5)) },
        Mistake("matmul: operands of shapes [2] and [2, 1], expected two matrices") { _ = try zeros(2).matmul(zeros(2, 1)) },
        Mistake("matmul: a bias of shape [3], expected [5]") { _ = try zeros(2, 3).matmul(zeros(3, 5), bias: zeros(3)) },
        Mistake("add: shapes [2, 3] and [2] do not combine: 3 and 2 at axis 1 of 2") { _ = try zeros(2, 3) + zeros(2) },
        Mistake("multiplyAdd: shapes [2, 3] and [4, 1] do not combine: 2 and 4 at axis 0 of 2") {
            _ = try zeros(2, 3).multiplied(by: zeros(3), adding: zeros(4, 1))
        },
        Mistake("add: operands of different types: f32, f64") { _ = try zeros(2) + Tensor.zeros([2], elementType: .float64) },
        Mistake("gradients: variable 0 of shape [2] is not tracked; use tracked() before computing with it") {
            _ = try gradient(of: zeros(2).tracked() * 2, withRespectTo: zeros(2))
        },
        Mistake("gradients: the output of shape [2] was not computed from anything tracked") {
            _ = try gradient(of: zeros(2), withRespectTo: zeros(2).tracked())
        },
        Mistake("gradients: the output of shape [2] was computed from none of the 2 variables. Values that were taken before an update") {
            _ = try gradients(of: zeros(2).tracked() * 2, withRespectTo: [zeros(2).tracked(), zeros(3).tracked()])
        },
        Mistake("gradients: a seed of shape [3] (f32) for an output of [2] (f32)") {
            let x = try zeros(2).tracked()
            _ = try gradient(of: x * 2, withRespectTo: x, seed: zeros(3))
        },
        Mistake("gradients: a seed of shape [2] (f64) for an output of [2] (f32)") {
            let x = try zeros(2).tracked()
            _ = try gradient(of: x * 2, withRespectTo: x, seed: Tensor.zeros([2], elementType: .float64))
        },
        Mistake("tensor: a shape of [2, 2] needs 4 elements, 3 were given") { _ = try Tensor([1, 2, 3] as [Float], shape: [2, 2]) },
        Mistake("tensor: a shape of [-1, -1], expected extents from 0 up and at most 2^48 elements") {
            _ = try Tensor([1] as [Float], shape: [-1, -1])
        },
        Mistake("tensor: a shape of [4611686018427387904, 4], expected extents") { _ = try zeros(1 << 62, 4) },
        Mistake("random: a shape of [-2], expected extents") {
            var random = Random(seed: 1)
            _ = try random.normal([-2])
        },
        Mistake("reshape: [2, 3] has 6 elements, [4] does not") { _ = try zeros(2, 3).reshaped([4]) },
        Mistake("reshape: [-1, -1]: only one axis may be -1") { _ = try zeros(2, 3).reshaped([-1, -1]) },
        Mistake("reshape: a shape of [4611686018427387904, 4], expected") { _ = try zeros(0).reshaped([1 << 62, 4]) },
        Mistake("broadcast: [2] does not repeat to [1]") { _ = try zeros(2).broadcast(to: [1]) },
        Mistake("broadcast: a shape of [4611686018427387904, 8, 2], expected") { _ = try zeros(2).broadcast(to: [1 << 62, 8, 2]) },
        Mistake("permute: [0, 0] is no order of the 2 axes of [2, 3]") { _ = try zeros(2, 3).permuted([0, 0]) },
        Mistake("slice: 1..<4 along axis 0 is outside of [3]") { _ = try zeros(3).sliced(1..<4) },
        Mistake("slice: 0..<1 along axis 1 is outside of [3]") { _ = try zeros(3).sliced(0..<1, axis: 1) },
        Mistake("pad: -1 before and 0 after along axis 0 of [3]") { _ = try zeros(3).padded(axis: 0, before: -1, after: 0) },
        Mistake("concatenate: [2, 4] does not fit [2, 3] along axis 0") { _ = try Tensor.concatenated([zeros(2, 3), zeros(2, 4)]) },
        Mistake("concatenate: nothing to join along axis 0") { _ = try Tensor.concatenated([]) },
        Mistake("flatten: a scalar has no axis of samples") { _ = try Tensor.scalar(1).sampleNorm() },
        Mistake("sum: axes [2] of a tensor of shape [3, 4], expected each once, from 0 to 1") { _ = try zeros(3, 4).sum(axes: [2]) },
        Mistake("sum: axes [1, 1] of a tensor of shape [3, 4], expected each once") { _ = try zeros(3, 4).sum(axes: [1, 1]) },
        Mistake("mean: [0, 3] has no elements along the axes [0]") { _ = try zeros(0, 3).mean(axes: [0]) },
        Mistake("mean: [0, 3] has no elements along the axes [0, 1]") { _ = try zeros(0, 3).mean() },
        Mistake("statistics: [2, 0] has no elements along the axes [1]") { _ = try zeros(2, 0).variance(axes: [1]) },
        Mistake("item: the tensor of shape [0] has 0 elements, expected one") { _ = try zeros(0).item() },
        Mistake("gather: there is no row 3; there are 3, from 0") { _ = try zeros(3, 2).gathered([0, 3]) },
        Mistake("scatter: there is no row -1; there are 3, from 0") { _ = try zeros(2, 2).scatterAdded(to: [0, -1], count: 3) },
        Mistake("scatter: 1 row numbers for a tensor of shape [2, 2]") { _ = try zeros(2, 2).scatterAdded(to: [0], count: 3) },
        Mistake("convolution: an input of shape [3, 3], expected [n, h, w, c]") { _ = try zeros(3, 3).convolved(with: zeros(1, 1, 3, 1)) },
        Mistake("convolution: stride 0, dilation 1, groups 1, expected numbers from 1 to 2^24") {
            _ = try zeros(1, 3, 3, 1).convolved(with: zeros(1, 1, 1, 1), Window(stride: 0))
        },
        Mistake("convolution: padding 0, -1, 0, 0 (top, left, bottom, right), expected numbers from 0 to 2^24") {
            _ = try zeros(1, 3, 3, 1).convolved(with: zeros(1, 1, 1, 1), Window(padding: .init(top: 0, left: -1, bottom: 0, right: 0)))
        },
        Mistake("convolution: stride 1, dilation 1, groups 4611686018427387904, expected") {
            _ = try zeros(1, 3, 3, 0).convolved(with: zeros(1, 1, 4, 1), Window(groups: 1 << 62))
        },
        Mistake("convolution: a kernel of 2 x 3 with dilation 3 does not fit an input of 3 x 9 with padding 0, 0, 0, 0 (top") {
            _ = try zeros(1, 3, 9, 1).convolved(with: zeros(2, 3, 1, 1), Window(dilation: 3))
        },
        Mistake("transposed convolution: an output of 5 x 9 comes from an input of shape [1, 3, 5, 2], this one is [1, 3, 3, 2]") {
            _ = try zeros(1, 3, 3, 2).transposedConvolved(with: zeros(1, 1, 3, 2), outputSize: (5, 9), Window(stride: 2))
        },
        Mistake("convolution: stride 9223372036854775807, dilation 1, groups 1, expected numbers from 1 to 2^24") {
            _ = try zeros(1, 3, 3, 1).convolved(with: zeros(1, 1, 1, 1), Window(stride: .max))
        },
        Mistake("transposed convolution: stride 9223372036854775807, dilation 1, groups 1, expected numbers") {
            _ = try zeros(1, 3, 3, 1).transposedConvolved(with: zeros(1, 1, 1, 1), outputSize: (3, 3), Window(stride: .max))
        },
        Mistake("transposed convolution: a shape of [1, 9223372036854775807, 3, 1, 1], expected extents") {
            _ = try zeros(1, 3, 3, 1).transposedConvolved(with: zeros(1, 1, 1, 1), outputSize: (.max, 3))
        },
        Mistake("convolution: a kernel of 281474976710656 x 1, expected extents of at most 2^24") {
            _ = try zeros(1, 3, 3, 0).convolved(with: zeros(1 << 48, 1, 0, 1), Window(dilation: 1 << 24))
        },
        Mistake("tensor: a shape of [0, 1099511627776, 1099511627776], expected extents") { _ = try zeros(0, 1 << 40, 1 << 40) },
        Mistake("tensor: a shape of [1073741824, 1073741824], expected extents") { _ = try zeros(1 << 30, 0).matmul(zeros(0, 1 << 30)) },
        Mistake("upsampling: a shape of [0, 281474976710656, 16777216, 1, 16777216, 1], expected") {
            _ = try zeros(0, 1 << 48, 1, 1).upsampled(1 << 24)
        },
        Mistake("average pooling: an input of shape [1, 4, 4, 1] and a size of 0, expected [n, h, w, c] and a size from 1") {
            _ = try zeros(1, 4, 4, 1).averagePooled(0)
        },
        Mistake("upsampling: a shape of [1, 4096, 16777216, 4096, 16777216, 1], expected") { _ = try zeros(1, 4096, 4096, 1).upsampled(1 << 24) },
        Mistake("leakyReLU: a leaky ReLU of slope -0.5, expected a slope from 0 up") { _ = try zeros(3).leakyReLU(slope: -0.5) },
        Mistake("loop nest: extents [2, 2, 2, 2, 2, 2, 2] keep 7 axes after merging; kernels have at most 6") {
            _ = try zeros(2, 2, 2, 2, 2, 2, 2).permuted([6, 5, 4, 3, 2, 1, 0])
        },
    ]
}

struct MistakeTests {
    @Test(arguments: Mistake.all) func isNamed(_ mistake: Mistake) throws {
        let error = #expect(throws: TensorError.self) { try mistake.body() }
        #expect(error?.description.hasPrefix(mistake.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    /// More than any machine has: an error, and what comes behind it works.
    @Test func absurdSizesAreRefused() throws {
        #expect(throws: KernelError.memory(byteCount: 1 << 42)) { try Tensor.zeros([1 << 20, 1 << 20]) }
        #expect(throws: KernelError.memory(byteCount: 1 << 43)) { try Tensor.zeros([1 << 20, 1 << 20], elementType: .float64) }
        let tall = try Tensor.zeros([1 << 20, 0])
        #expect(throws: KernelError.memory(byteCount: 1 << 42)) { try tall.matmul(tall, transposeOther: true) }
        #expect(throws: KernelError.memory(byteCount: 1 << 42)) { try Tensor.scalar(1).broadcast(to: [1 << 40]) }
        var random = Random(seed: 1)
        #expect(throws: KernelError.memory(byteCount: 1 << 42)) { try random.normal([1 << 40]) }
        #expect(try Tensor.zeros([2]).floats == [0, 0])
    }

    /// Reductions have an identity, elementwise ops and products nothing to do.
    /// Wherever the empty axis stands.
    @Test func emptyShapesGoThroughEveryOp() throws {
        func zeros(_ shape: [Int]) throws -> Tensor { try Tensor.zeros(shape) }
        #expect(try (zeros([3, 0]) + zeros([3, 1])).shape == [3, 0])
        #expect(try (zeros([2, 0, 3]) + zeros([2, 1, 3])).shape == [2, 0, 3])
        #expect(try zeros([3, 1]).broadcast(to: [3, 0]).shape == [3, 0])
        #expect(try zeros([3, 4]).sliced(2..<2, axis: 1).shape == [3, 0])
        #expect(try zeros([3, 0]).sampleNorm().floats == [0, 0, 0])
        #expect(try zeros([0, 4]).matmul(zeros([4, 5])).shape == [0, 5])
        #expect(try zeros([0, 1024]).matmul(zeros([1024, 1024])).shape == [0, 1024])
        #expect(try zeros([3, 0]).sum(axes: [1]).floats == [0, 0, 0])
        #expect(try zeros([3, 0, 2]).permuted([2, 1, 0]).shape == [2, 0, 3])
    }

    @Test func emptyTensorsHaveTheDocumentedValues() throws {
        let empty = try Tensor.zeros([0, 3]).tracked()
        #expect(try empty.sum().item() == 0)
        #expect(try empty.sum(axes: [0]).floats == [0, 0, 0])
        #expect(try empty.sum(axes: [1]).shape == [0])
        #expect(try empty.maximum() == -.infinity && empty.minimum() == .infinity)
        #expect(try empty.sampleNorm().shape == [0])
        #expect(try empty.matmul(Tensor.zeros([3, 2])).shape == [0, 2])
        #expect(try empty.matmul(Tensor.zeros([0, 2]), transposeSelf: true).floats == [Float](repeating: 0, count: 6))
        #expect(try Tensor.product(empty, empty, to: [3]).floats == [0, 0, 0])
        #expect(try empty.normalized(axes: [1], epsilon: 1e-5).shape == [0, 3])
        #expect(try empty.statistics(axes: [1]).mean.shape == [0, 1])
        #expect(try empty.gathered([]).shape == [0, 3])
        #expect(try empty.scatterAdded(to: [], count: 2).floats == [Float](repeating: 0, count: 6))
        #expect(try Tensor.concatenated([empty, empty]).shape == [0, 3])
        #expect(try gradient(of: empty.exp().sum() * 2, withRespectTo: empty).shape == [0, 3])
        let image = try Tensor.zeros([0, 4, 4, 2]).tracked()
        #expect(try image.averagePooled(2).shape == [0, 2, 2, 2] && image.upsampled(2).shape == [0, 8, 8, 2])
        let weight = try Tensor.zeros([3, 3, 2, 5]).tracked()
        let slopes = try gradients(of: image.convolved(with: weight).square(), withRespectTo: [image, weight])
        #expect(slopes[0].shape == [0, 4, 4, 2] && slopes[1].floats == [Float](repeating: 0, count: 90))
    }
}
