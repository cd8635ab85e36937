import FoundationEssentials
import Testing

@testable import KantoData

@Suite struct MetricsLogTests {
    @Test func writesOneObjectALine() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/metrics.jsonl"
            let log = try MetricsLog(appendingTo: path)
            try log.append(["z": 1, "a": .float(0.1), "b": 0.1, "note": "q\"\\\n\u{1}é", "ok": true])
            // Without closing it: each line is there at once.
            #expect(try text(path) == #"{"z":1,"a":0.1,"b":0.1,"note":"q\"\\\n\u0001é","ok":true}"# + "\n")
            try log.append(["nan": .double(.nan), "inf": .float(-.infinity)])
            #expect(try text(path).hasSuffix("\n{\"nan\":null,\"inf\":null}\n"))
        }
    }

    @Test(arguments: [1e-5, 5e-324, -1.7976931348623157e308, 1e16, 0.1 + 0.2, -0.0, 123456789]) func numbersReadBack(value: Double) throws {
        let json = Data("[\(MetricValue.double(value).json),\(MetricValue.float(Float(value)).json)]".utf8)
        guard Float(value).isFinite else {
            #expect(MetricValue.float(Float(value)).json == "null")
            return
        }
        let decoded = try JSONDecoder().decode([Double].self, from: json)
        #expect(decoded[0].bitPattern == value.bitPattern)
        #expect(Float(decoded[1]) == Float(value))
    }

    @Test(arguments: [
        ("", ""), ("{\"a\":1}\n", "{\"a\":1}\n"), ("{\"a\":1}\n{\"a\":", "{\"a\":1}\n"), ("{\"a", ""),
        ("{}\n" + String(repeating: "x", count: 10_000), "{}\n"), (String(repeating: "x", count: 10_000), ""),
    ])
    func continuesAfterTheLastWholeLine(old: String, kept: String) throws {
        try withTemporaryFolder { folder in
            try put(old, "\(folder)/log")
            try MetricsLog(appendingTo: "\(folder)/log").append(["b": 2])
            #expect(try text("\(folder)/log") == kept + "{\"b\":2}\n")
        }
    }

    @Test func saysWhenItCannotWrite() throws {
        let full = try MetricsLog(appendingTo: "/dev/full")
        let error = dataError { try full.append(["a": 1]) }
        #expect(error?.kind == .cannotWrite)
        #expect(error?.description == "/dev/full: cannot be written: No space left on device; free some space and try again")
        try withTemporaryFolder { folder in
            #expect(dataError { _ = try MetricsLog(appendingTo: "\(folder)/none/log") }?.kind == .cannotWrite)
            #expect(dataError { _ = try MetricsLog(appendingTo: folder) }?.kind == .cannotWrite)
        }
    }
}
