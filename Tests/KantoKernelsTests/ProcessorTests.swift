import Foundation
import Testing

@testable import KantoKernels

/// Where Linux tells the caches of a core.
private let folder = "/sys/devices/system/cpu/cpu0/cache"

@Suite struct ProcessorTests {
    @Test(.enabled(if: FileManager.default.fileExists(atPath: folder), "the system does not tell the caches"))
    func cachesAreThoseOfTheSystem() throws {
        let caches = Processor.caches
        let found = [1: caches.level1, 2: caches.level2, 3: caches.level3]
        for index in try FileManager.default.contentsOfDirectory(atPath: folder) where index.hasPrefix("index") {
            func text(_ name: String) throws -> String {
                try String(contentsOfFile: "\(folder)/\(index)/\(name)", encoding: .utf8).trimmingCharacters(in: .newlines)
            }
            guard try text("type") != "Instruction", let level = Int(try text("level")), let size = found[level] else { continue }
            let told = try text("size")
            #expect("\(size / 1024)K" == told, "level \(level)")
        }
    }
}
