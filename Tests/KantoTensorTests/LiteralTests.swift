import KantoTensor
import Testing

/// What a literal without a type makes.
struct LiteralTests {
    @Test func literalsAreFloat32() throws {
        #expect(try Tensor([1, 2, 3], shape: [3]).elementType == .float32)
        #expect(try Tensor([1.5, 2], shape: [2]).elementType == .float32)
        #expect(try Tensor([], shape: [0]).elementType == .float32)
        #expect(try Tensor((0..<3).map { _ in 0.5 }, shape: [3]).elementType == .float32)
        // With a number beside it, and with another tensor.
        let sum = try 1 + Tensor([1, 2, 3], shape: [1, 3]) * 2 - 0.5
        #expect(try (sum * Tensor([2, 2, 2], shape: [3])).floats == [5, 9, 13])
        #expect(try Tensor.scalar(1).elementType == .float32)
    }

    @Test func elementsOfATypeKeepIt() throws {
        let doubles = [0.1, 0.2]
        #expect(try Tensor(doubles, shape: [2]).doubles == doubles)
        #expect(try Tensor([1, 2] as [Double], shape: [2]).elementType == .float64)
        #expect(try Tensor(doubles.map { $0 * 2 }, shape: [2]).elementType == .float64)
        #expect(try Tensor([doubles[0], 1], shape: [2]).elementType == .float64)
        #expect(try Tensor(doubles.map(Float.init), shape: [2]).elementType == .float32)
        #expect(try (Tensor(doubles, shape: [2]) * 2 + 1).elementType == .float64)
    }
}
