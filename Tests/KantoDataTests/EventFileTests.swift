import Foundation
import TestSupport
import Testing

@testable import KantoData

/// What is written for TensorBoard reads back, by a reader of the test's own.
@Suite struct EventFileTests {
    @Test func checksumsAreThoseOfTheStandard() {
        // RFC 3720, appendix B.4, and the check value of CRC-32C.
        #expect(Record.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(Record.checksum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(Record.checksum(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(Record.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(Record.checksum([]) == 0)
    }

    @Test func fieldsAreEncodedAsProtocolBuffersAre() {
        // 150 under 1 and "testing" under 2: the examples of the encoding's description.
        var message = ProtobufMessage()
        message.add(1, 150)
        message.add(2, "testing")
        #expect(message.bytes == [0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8))
        message = ProtobufMessage()
        message.add(1, -2)
        #expect(message.bytes == [0x08, 0xFE] + Array(repeating: 0xFF, count: 8) + [0x01])
        message = ProtobufMessage()
        message.add(16, 1.0 as Float)
        message.add(2, [1.0, -2.0])
        #expect(message.bytes == [0x85, 0x01, 0, 0, 0x80, 0x3F, 0x12, 16, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0])
    }

    /// A field of a message: its number and what it holds.
    enum Field: Equatable {
        case number(UInt64), word(UInt32), content([UInt8])

        static func read(_ bytes: [UInt8]) throws -> [Int: [Field]] {
            var (place, fields): (Int, [Int: [Field]]) = (0, [:])
            func variable() throws -> UInt64 {
                var (value, shift): (UInt64, UInt64) = (0, 0)
                while true {
                    let byte = try #require(bytes.indices.contains(place) ? bytes[place] : nil)
                    place += 1
                    value |= UInt64(byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80 { return value }
                }
            }
            func take(_ count: Int) throws -> [UInt8] {
                try #require(place + count <= bytes.count)
                defer { place += count }
                return Array(bytes[place..<place + count])
            }
            while place < bytes.count {
                let key = try variable()
                let field: Field
                switch key & 7 {
                case 0: field = .number(try variable())
                case 1: field = .number(try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
                case 2: field = .content(try take(Int(variable())))
                case 5: field = .word(try take(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
                default: throw CocoaError(.fileReadCorruptFile)
                }
                fields[Int(key >> 3), default: []].append(field)
            }
            return fields
        }
    }

    /// The records of a file, whose checksums are right.
    static func records(_ path: String) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        var (place, records): (Int, [[UInt8]]) = (0, [])
        func word(_ start: Int, _ count: Int) -> UInt64 { bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        while place < bytes.count {
            let count = Int(word(place, 8))
            #expect(word(place + 8, 4) == UInt64(Record.maskedChecksum(Array(bytes[place..<place + 8]))))
            let content = Array(bytes[place + 12..<place + 12 + count])
            #expect(word(place + 12 + count, 4) == UInt64(Record.maskedChecksum(content)))
            records.append(content)
            place += 16 + count
        }
        return records
    }

    @Test func eventsReadBack() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(inFolder: folder.path, from: 7)
        try file.add([("a/b", .number(0.5)), ("c", .number(-3))], at: 300)
        try file.add(
            [("norms", .histogram(limits: [0.5, 1, 1.5], counts: [0, 3, 1], least: 0.5, largest: 1.5))], at: 301)
        if PNG.isAvailable {
            try file.add([("grid", .picture(Picture(width: 3, height: 2, channels: 1, pixels: [0, 1, 2, 3, 4, 5])))], at: 302)
        }
        try file.flush()
        let events = try Self.records(file.path).map(Field.read)
        #expect(events.count == (PNG.isAvailable ? 5 : 4))
        #expect(events[0][3] == [.content(Array("brain.Event:2".utf8))] && events[0][2] == [.number(0)])
        // The time of day.
        guard case .number(let bits)? = events[0][1]?.first else { throw CocoaError(.fileReadCorruptFile) }
        #expect(abs(Double(bitPattern: bits) - Date().timeIntervalSince1970) < 60)
        #expect(events[1][2] == [.number(7)] && events[1][7] == [.content([0x08, 0x01])])

        func values(_ event: Int) throws -> [[Int: [Field]]] {
            guard case .content(let summary)? = events[event][5]?.first else { throw CocoaError(.fileReadCorruptFile) }
            return try (Field.read(summary)[1] ?? []).map { field in
                guard case .content(let value) = field else { throw CocoaError(.fileReadCorruptFile) }
                return try Field.read(value)
            }
        }
        #expect(events[2][2] == [.number(300)])
        #expect(try values(2).map { $0[1] } == [[.content(Array("a/b".utf8))], [.content(Array("c".utf8))]])
        #expect(try values(2).map { $0[2] } == [[.word((0.5 as Float).bitPattern)], [.word((-3 as Float).bitPattern)]])
        guard case .content(let bytes)? = try values(3)[0][5]?.first else { throw CocoaError(.fileReadCorruptFile) }
        let histogram = try Field.read(bytes)
        func double(_ value: Double) -> [Field] { [.number(value.bitPattern)] }
        #expect(histogram[1] == double(0.5) && histogram[2] == double(1.5) && histogram[3] == double(4))
        #expect(histogram[4] == double(3 * 0.75 + 1.25) && histogram[5] == double(3 * 0.5625 + 1.5625))
        func packed(_ values: [Double]) -> [Field] { [.content(values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } })] }
        #expect(histogram[6] == packed([0.5, 1, 1.5]) && histogram[7] == packed([0, 3, 1]))
        if PNG.isAvailable {
            guard case .content(let bytes)? = try values(4)[0][4]?.first else { throw CocoaError(.fileReadCorruptFile) }
            let image = try Field.read(bytes)
            #expect(image[1] == [.number(2)] && image[2] == [.number(3)] && image[3] == [.number(1)])
            guard case .content(let png)? = image[4]?.first else { throw CocoaError(.fileReadCorruptFile) }
            #expect(try PNG.read(bytes: png, name: "grid").pixels == [0, 1, 2, 3, 4, 5])
        }
    }

    /// A run that goes on within the second it was ended in writes a file of its own.
    @Test func eachProcessHasAFile() throws {
        let folder = try TemporaryFolder()
        let files = try (0..<3).map { _ in try EventFile(inFolder: folder.path) }
        #expect(Set(files.map(\.path)).count == 3 && files.map(\.path).sorted() == files.map(\.path))
        let error = #expect(throws: DataError.self) { try EventFile(inFolder: folder.path + "/none") }
        #expect(error?.kind == .cannotWrite)
    }
}
