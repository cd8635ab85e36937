import Testing

@testable import KantoTensor

struct RandomTests {
    /// The known answers that come with Random123, for Philox4x32-10.
    @Test func philoxKnownAnswers() {
        #expect(Random.philox([0, 0, 0, 0], [0, 0]) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
        let ones: UInt32 = 0xFFFF_FFFF
        #expect(Random.philox([ones, ones, ones, ones], [ones, ones]) == [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD])
        #expect(
            Random.philox([0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0])
                == [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
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
