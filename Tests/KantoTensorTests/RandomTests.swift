import Testing

@testable import KantoTensor

struct RandomTests {
    /// Tensors and single words are drawn from one sequence of blocks.
    @Test func drawsFollowEachOther() throws {
        var random = Random(seed: 9, stream: 1), other = random
        let whole = try random.uniform([12]).floats
        #expect(try other.uniform([5]).floats + other.uniform([4]).floats == Array(whole[0..<5] + whole[8..<12]))
        #expect(random.uniform() == other.uniform())
        #expect(try random.normal([3]).floats == other.normal([3]).floats)
    }

    @Test func momentsOfTheNormal() throws {
        var random = Random(seed: 3)
        let values = try random.normal([100_001], elementType: .float64).doubles
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect(abs(mean) < 0.015 && abs(variance - 1) < 0.02 && abs(fourth - 3) < 0.15)
    }

    @Test func streamsDifferAndRepeat() throws {
        var a = Random(seed: 1, stream: 0), b = Random(seed: 1, stream: 1), c = Random(seed: 1, stream: 0)
        let first = try a.uniform([8]).floats
        #expect(try b.uniform([8]).floats != first)
        #expect(try c.uniform([8]).floats == first)
        #expect(first.allSatisfy { (0..<1).contains($0) })
    }
}
