import Foundation
import KantoABI
import TestSupport
import Testing

@testable import KantoKernels

/// Plugins that were compiled with an older or a newer header than this host's.
@Suite struct InterfaceVersionTests {
    /// Whoever lets a struct grow says so in `InterfaceVersion`, or old plugins would be asked for what they cannot see.
    @Test func sizesAreThoseOfTheHeader() {
        #expect(InterfaceVersion.magic == 0x45_42_5F_4F_54_4E_41_4B)
        #expect(InterfaceVersion.problemByteCounts.count == Int(KANTO_ABI_MINOR) + 1)
        #expect(InterfaceVersion.problemByteCounts.last == MemoryLayout<kanto_problem>.size)
        #expect(InterfaceVersion.problemByteCounts == InterfaceVersion.problemByteCounts.sorted())
        #expect(InterfaceVersion.versionByteCount <= MemoryLayout<kanto_version>.size)
        #expect(InterfaceVersion.tableByteCount <= MemoryLayout<kanto_backend>.size)
        #expect(InterfaceVersion.kernelByteCount <= MemoryLayout<kanto_kernel>.size)
        for minor in [0, KANTO_ABI_MINOR, KANTO_ABI_MINOR + 1, UInt32.max] {
            #expect(InterfaceVersion.problemByteCount(minor: minor) <= MemoryLayout<kanto_problem>.size)
        }
    }

    /// The header without the problem's last field, as an older version may have been.
    private func olderHeader() throws -> String {
        let text = try String(contentsOfFile: interfaceFolder + "/kanto_backend.h", encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let older = lines.filter { !$0.contains("kanto_iteration iteration;") }
        #expect(older.count == lines.count - 1)
        return older.joined(separator: "\n")
    }

    @Test func olderPluginServesWhatItKnows() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "older")
        source.header = "#include \"\(try folder.write(try olderHeader(), to: "older.h"))\""
        // It keeps a copy of the problem as it knows it, as plugins do.
        source.make = """
            if (problem->struct_size < sizeof(kanto_problem)) { say(message, "short"); return KANTO_STATUS_DECLINED; }
            static kanto_problem kept;
            kept = *problem;
            if (kept.matmul.m != 2) { say(message, "m is not 2"); return KANTO_STATUS_DECLINED; }
            """
        guard case .success(let opened) = PluginLoader.open(try PluginFile(source.compile(in: folder), programFolder: nil)) else {
            Issue.record("it did not load")
            return
        }
        let known = MemoryLayout<kanto_problem>.offset(of: \.iteration)!
        let backend = Backend(table: opened.table, origin: opened.origin, knownByteCount: known)
        let host = Host(threadCount: 1, parallelFor: nil)

        var problem = Problem.matmul(m: 2, n: 1, k: 1)
        guard case .kernel(let raw) = backend.make(problem, on: host) else {
            Issue.record("it declined")
            return
        }
        let kernel = Kernel(problem: problem, backend: backend, raw: raw, host: host, isTimed: false)
        var c: [Float] = [0, 0]
        try kernel.run([1, 1] as [Float], [1] as [Float], into: &c)
        #expect(c[0] == 42)

        // Its last byte alone is beyond what the plugin knows.
        withUnsafeMutableBytes(of: &problem.raw) { $0[$0.count - 1] = 1 }
        guard case .declined("the problem has a property that is newer than the plugin") = backend.make(problem, on: host)
        else {
            Issue.record("a property that it cannot see was not declined for it")
            return
        }
        // Who knows the whole struct is asked, and answers for itself.
        guard case .kernel(let other) = opened.make(problem, on: host) else {
            Issue.record("the host declined for a plugin that knows all")
            return
        }
        other.pointee.release(other)
    }

    /// A newer plugin reads no further than the problem's size says.
    @Test func newerPluginIsHandedTheSizeThatThisHostKnows() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "newer-reader")
        source.minor = "KANTO_ABI_MINOR + 1"
        source.make = """
            typedef struct { kanto_problem older; int64_t added; } newer_problem;
            if (problem->struct_size >= sizeof(newer_problem)) { say(message, "too long"); return KANTO_STATUS_DECLINED; }
            """
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": try source.compile(in: folder)])
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 1), "newer-reader").backend.name == "newer-reader")
    }
}
