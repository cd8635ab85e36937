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

    @Test(arguments: [1e-5, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, 1e16, 0.1 + 0.2, -0.0, 123_456_789])
    func numbersReadBack(value: Double) throws {
        let double = try JSONDecoder().decode(Double.self, from: Data(MetricValue.double(value).json.utf8))
        #expect(double.bitPattern == value.bitPattern)
        let float = Float(value)
        if float.isFinite {
            let decoded = try JSONDecoder().decode(Float.self, from: Data(MetricValue.float(float).json.utf8))
            #expect(decoded.bitPattern == float.bitPattern)
        } else {
            #expect(MetricValue.float(float).json == "null")
        }
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
        #expect(
            error?.description == "/dev/full: cannot be written: No space left on device; free some space and try again"
        )
        try withTemporaryFolder { folder in
            #expect(dataError { _ = try MetricsLog(appendingTo: "\(folder)/none/log") }?.kind == .cannotWrite)
            #expect(dataError { _ = try MetricsLog(appendingTo: folder) }?.kind == .cannotWrite)
        }
    }
}
