import Testing

@testable import KantoData

/// Whatever a file holds, a reader returns or throws a `DataError` of one line; it does not trap.
@Suite struct HostileBytesTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64 = 42

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 33
        }
    }

    private static func attack(_ bytes: [UInt8], rounds: Int = 3000, read: ([UInt8]) throws -> Void) throws {
        try read(bytes)
        var generator = Generator()
        var refused = 0
        for _ in 0..<rounds {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = changed.indices.randomElement(using: &generator)!
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: changed[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: changed.insert(bytes.randomElement(using: &generator)!, at: index)
                default: changed[index] = [0, 0xff, 0x7f, 0x80, 0x2d, 0x39].randomElement(using: &generator)!
                }
            }
            do {
                try read(changed)
            } catch let error as DataError {
                refused += 1
                #expect(error.kind == .badInput && !error.description.contains("\n"))
            }
        }
        #expect(refused > rounds / 4)
    }

    @Test func idx() throws {
        try Self.attack(IDXTests.small) { _ = try IDXTests.header($0, name: "file") }
    }

    @Test func npy() throws {
        try Self.attack(NPYTests.numpy) { _ = try NPY.read(bytes: $0, name: "file") }
    }

    @Test func safetensors() throws {
        try Self.attack(SafetensorsTests.golden) { bytes in
            let file = try SafetensorsFile(bytes: bytes, name: "file")
            for name in file.names where try file.entry(name).dtype == .float64 { _ = try file.floats(name) }
        }
    }

    @Test(.enabled(if: PNG.isAvailable)) func png() throws {
        try withTemporaryFolder { folder in
            let picture = Picture(width: 3, height: 2, channels: 3, pixels: (0..<18).map { UInt8($0 * 14) })
            try PNG.write(picture, to: "\(folder)/a.png")
            try Self.attack(readFile("\(folder)/a.png")) { _ = try PNG.read(bytes: $0, name: "file") }
        }
    }

    @Test func messagesCannotSpoilATerminal() {
        let long = String(repeating: "x", count: 5000)
        let error = DataError(.badInput, "a\n\u{1b}[31m\u{9b}b é\u{202E}\u{2028}" + long + " expected y")
        #expect(error.description.hasPrefix(#"a\n\u{1B}[31m\u{009B}b é\u{202E}\u{2028}xxx"#))
        #expect(error.description.unicodeScalars.count < 1300)
        #expect(error.description.contains("xx … xx") && error.description.hasSuffix("x expected y"))
        // What people write stays as it is.
        let plain = "Größe 👩‍🔬 ‖∇D(x̂)‖: 3 > 2"
        #expect(DataError(.badInput, plain).description == plain)
    }
}
