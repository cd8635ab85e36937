import Foundation
import TestSupport
import Testing

@testable import KantoKernels

@Suite struct FolderTests {
    /// More than one buffer of the system's holds: the address sanitizer sees whoever reads beyond the last entry of one.
    @Test func allNamesOfALargeFolder() throws {
        let folder = try TemporaryFolder()
        let expected = (0..<1500).map { "tuning-\($0)" + String(repeating: "x", count: $0 % 7) }
        for name in expected { #expect(FileManager.default.createFile(atPath: folder.path + "/" + name, contents: nil)) }
        let names = try #require(namesInFolder(at: folder.path))
        #expect(names.count == 1502 && Set(names) == Set(expected + [".", ".."]))
        #expect(!Tuner.hasTimes(in: folder.path))
        _ = try folder.write("", to: "tuning-last.txt")
        #expect(Tuner.hasTimes(in: folder.path))
        #expect(PluginLoader.candidates(paths: [folder.path]).allSatisfy { !$0.hasPrefix(folder.path) })
    }

    @Test func whatIsNoFolder() throws {
        #expect(namesInFolder(at: "/nowhere") == nil && !Tuner.hasTimes(in: "/nowhere"))
    }
}
