import KantoABI
import KantoConsistency
import KantoKernels
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct RandomTests {
    /// The known answers that come with Random123, for Philox4x32-10.
    @Test(arguments: [
        (0, 0, 0, [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
        (.max, .max, .max, [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
        (
            0x299F_31D0_A409_3822, 0x0370_7344_1319_8A2E, 0x85A3_08D3_243F_6A88,
            [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
        ),
    ] as [(UInt64, UInt64, UInt64, [UInt32])])
    func philoxKnownAnswers(key: UInt64, stream: UInt64, block: UInt64, expected: [UInt32]) throws {
        let words = kanto_philox(key, stream, block)
        #expect([words.word0, words.word1, words.word2, words.word3] == expected)
        // The op's words are those of as many blocks from the first.
        let values = try draw(.uniform, 9, key: key, stream: stream, block: block &- 1)
        #expect(values[4..<8].elementsEqual(expected.map { Double($0 >> 8) * 0x1p-24 }))
    }

    /// Box and Muller's formula by the math library, to the last digits.
    @Test func normalsByTheFormula() throws {
        let uniforms = try draw(.normal, 4001, key: 5, stream: 6, block: 7)
        for pair in 0..<2000 {
            let words = kanto_philox(5, 6, 7 + UInt64(pair / 2))
            let (w, v) = pair % 2 == 0 ? (words.word0, words.word1) : (words.word2, words.word3)
            let radius = (-2 * log((Double(w) + 0.5) * 0x1p-32)).squareRoot()
            let angle = 2 * Double.pi * Double(v) * 0x1p-32
            #expect(abs(uniforms[2 * pair] - radius * cos(angle)) <= 2e-15 * radius)
            #expect(abs(uniforms[2 * pair + 1] - radius * sin(angle)) <= 2e-15 * radius)
        }
    }

    @Test func offsetAndScale() throws {
        let plain = try draw(.normal, 5, key: 1, stream: 0, block: 0)
        let moved = try draw(.normal, 5, key: 1, stream: 0, block: 0, offset: -2, scale: 0.5)
        #expect(moved == plain.map { -2 + 0.5 * $0 })
    }

    private func draw(
        _ distribution: Function, _ count: Int, key: UInt64, stream: UInt64, block: UInt64, offset: Double = 0, scale: Double = 1
    ) throws -> [Double] {
        let words = [key, stream, block].flatMap { [Double($0 & 0xFFFF_FFFF), Double($0 >> 32)] }
        return try reference(.random(distribution, count: count), [], scalars: [offset, scale] + words)
    }
}
