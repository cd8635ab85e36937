import Glibc
import KantoABI
import TestSupport
import Testing

@testable import KantoKernels

@Suite struct PluginTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let source: PluginSource
        let reason: String

        init(_ testDescription: String, _ reason: String, _ change: (inout PluginSource) -> Void) {
            self.testDescription = testDescription
            self.reason = reason
            var source = PluginSource()
            change(&source)
            self.source = source
        }
    }

    static let hostile = [
        Hostile("magic", "not a Kanto plugin: kanto_plugin_version has the wrong magic number") { $0.magic = "1" },
        Hostile("major", "made for version 2 of the plugin interface; this Kanto has version 1") { $0.major = "2" },
        Hostile("major, shorter", "made for version 7 of the plugin interface; this Kanto has version 1") {
            $0.major = "7"
            $0.size = "20"
        },
        Hostile("truncated version", "kanto_plugin_version is 24 bytes, expected 56") { $0.size = "24" },
        Hostile("empty version", "kanto_plugin_version is 0 bytes, expected 56") { $0.size = "0" },
        Hostile("no open", "does not export kanto_plugin_open") { $0.exportsOpen = false },
        Hostile("no version", "not a Kanto plugin: it does not export kanto_plugin_version") { $0.exportsVersion = false },
        Hostile("refuses with a message", "refused to open: no such processor") {
            $0.open = #"say(message, "no such processor"); return NULL;"#
        },
        Hostile("refuses without a message", "refused to open: no reason given") { $0.open = "return NULL;" },
        Hostile("short table", "its table is incomplete") { $0.tableSize = "16" },
        Hostile("no make", "its table is incomplete") { $0.makeFunction = "NULL" },
        Hostile("no offers", "its table is incomplete") { $0.offersPointer = "NULL" },
        Hostile("no table name", "its table is incomplete") { $0.tableName = "NULL" },
        Hostile("two names", "its table is named 'other', its kanto_plugin_version 'probe'") {
            $0.tableName = #""other""#
        },
        Hostile("upper case", "its name 'Probe' is not of lower-case letters, digits and '-'") { $0.name = "Probe" },
        Hostile("foreign letters", "its name 'prøbe' is not of lower-case letters, digits and '-'") { $0.name = "prøbe" },
        Hostile("comma", "its name 'a,b' is not of lower-case letters, digits and '-'") { $0.name = "a,b" },
        Hostile("no name", "its name '' is not of lower-case letters, digits and '-'") { $0.name = "" },
        Hostile(
            "endless name", "its table is named 'other', its kanto_plugin_version '\(String(repeating: "n", count: 32))'"
        ) {
            // No zero within the 32 bytes: it ends there.
            $0.name = String(repeating: "n", count: 32)
            $0.tableName = #""other""#
        },
        Hostile("takes simd", "the name 'simd' is taken") { $0.name = "simd" },
        Hostile("takes auto", "the name 'auto' is taken") { $0.name = "auto" },
        Hostile("takes reference", "the name 'reference' is taken") { $0.name = "reference" },
        // Code of a plugin whose version is wrong never runs.
        Hostile("deadly open", "made for version 9 of the plugin interface; this Kanto has version 1") {
            $0.major = "9"
            $0.open = "abort();"
        },
        Hostile("deadly open of a taken name", "the name 'simd-avx2' is taken") {
            $0.name = "simd-avx2"
            $0.open = "abort();"
        },
    ]

    /// Each gives its reason, and the plugin behind it works.
    @Test(arguments: hostile)
    func hostilePluginGivesItsReason(hostile: Hostile) throws {
        let folder = try TemporaryFolder()
        let bad = try hostile.source.compile(in: folder, as: "libKantoBad.so")
        let good = try PluginSource(name: "good").compile(in: folder, as: "libKantoGood.so")
        try expect(bad, fails: hostile.reason, good: good)
    }

    private func expect(_ bad: String, fails reason: String, good: String) throws {
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": bad + ":" + good])
        #expect(registry.pluginFailures.first { $0.path == bad } == .init(path: bad, reason: reason))
        #expect(throws: KernelError.plugin(path: bad, reason: reason)) { try registry.checkNamedPlugins() }
        #expect("\(KernelError.plugin(path: bad, reason: reason))" == "plugin \(bad): \(reason)")
        let kernel = try registry.kernel(.matmul(m: 1, n: 1, k: 1), "good")
        var c: [Float] = [0]
        try kernel.run([1] as [Float], [1] as [Float], into: &c)
        #expect(c == [42] && kernel.backend.origin == .plugin(path: good))
    }

    @Test func whatIsNoLibrary() throws {
        let folder = try TemporaryFolder()
        let good = try PluginSource(name: "good").compile(in: folder, as: "libKantoGood.so")
        let text = try folder.write(String(repeating: "just words\n", count: 100), to: "libKantoText.so")
        let empty = try folder.write("", to: "libKantoEmpty.so")
        let link = folder.path + "/libKantoLink.so"
        #expect(symlink(folder.path + "/nothing", link) == 0)
        let plain = try compileLibrary("int unrelated(void) { return 1; }", to: "plain.so", in: folder)
        try expect(text, fails: "cannot be loaded: it is no ELF file", good: good)
        try expect(empty, fails: "cannot be loaded: it is no ELF file", good: good)
        try expect(link, fails: "a link that leads nowhere", good: good)
        try expect(folder.path + "/missing.so", fails: "no such file", good: good)
        try expect(text + "/below.so", fails: "Not a directory", good: good)
        try expect(plain, fails: "not a Kanto plugin: it does not export kanto_plugin_version", good: good)
        // A folder that is called like a library holds plugins where it is named, and is no plugin where it is found.
        #expect(mkdir(folder.path + "/libKantoFolder.so", 0o755) == 0)
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": folder.path])
        let failures = registry.pluginFailures.filter { $0.path.hasPrefix(folder.path) }
        #expect(
            failures.map { String($0.path.dropFirst(folder.path.count + 1)) }
                == ["libKantoEmpty.so", "libKantoFolder.so", "libKantoLink.so", "libKantoText.so"])
        #expect(failures.dropFirst().first?.reason == "a folder, not a library")
        #expect(try registry.backend(named: "good").origin == .plugin(path: good))
    }

    @Test func unresolvedSymbolIsNamed() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource()
        source.open = "extern void no_such_function(void); no_such_function(); return &table;"
        let path = try source.compile(in: folder)
        guard case .failure(let failure) = PluginLoader.open(try PluginFile(path, programFolder: nil)) else {
            Issue.record("it was loaded")
            return
        }
        #expect(failure.reason == "cannot be loaded: undefined symbol: no_such_function")
    }

    @Test func missingLibraryOfAPluginIsNamed() throws {
        let folder = try TemporaryFolder()
        let needed = try compileLibrary("int needed(void) { return 1; }", to: "libneeded.so", in: folder)
        var source = PluginSource()
        source.open = "extern int needed(void); return needed() ? &table : NULL;"
        let path = try compileLibrary(
            source.text, to: "libKantoProbe.so", in: folder, options: ["-L", folder.path, "-lneeded"])
        #expect(unlink(needed) == 0)
        let good = try PluginSource(name: "good").compile(in: folder, as: "libKantoGood.so")
        try expect(
            path, fails: "cannot be loaded: libneeded.so: cannot open shared object file: No such file or directory",
            good: good)
    }

    @Test func newerMinorWorks() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "newer")
        source.minor = "9"
        source.size = "sizeof(kanto_version) + 8"
        source.tableSize = "sizeof(kanto_backend) + 64"
        source.kernelSize = "sizeof(kanto_kernel) + 8"
        let path = try source.compile(in: folder)
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": path])
        try registry.checkNamedPlugins()
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 1), "newer").backend.name == "newer")
    }

    @Test func firstOfTwoNamesWins() throws {
        let folder = try TemporaryFolder()
        let paths = try ["libKantoOne.so", "libKantoTwo.so"].map {
            try PluginSource(name: "twin").compile(in: folder, as: $0)
        }
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": paths[1] + ":" + folder.path])
        #expect(try registry.backend(named: "twin").origin == .plugin(path: paths[1]))
        #expect(
            registry.pluginFailures.filter { $0.path.hasPrefix(folder.path) }
                == [.init(path: paths[0], reason: "the name 'twin' is taken")])
    }

    /// One file under several names is one plugin.
    @Test func oneFileIsOpenedOnce() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource(name: "single").compile(in: folder)
        #expect(symlink(path, folder.path + "/libKantoAlias.so") == 0)
        let again = "\(folder.path)/./libKantosingle.so"
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": "\(path):\(folder.path)/:\(again)"])
        #expect(registry.backends.filter { $0.name == "single" }.count == 1)
        #expect(!registry.pluginFailures.contains { $0.path.hasPrefix(folder.path) })
        try registry.checkNamedPlugins()
    }

    @Test func foldersOfferKantoLibrariesOnly() throws {
        let folder = try TemporaryFolder()
        for name in ["libOther.so", "libKantoNot.so.1", "KantoNot.so", "libKantoYes.so", "libKantoAlso.so"] {
            _ = try folder.write("", to: name)
        }
        let found = PluginLoader.candidates(paths: [folder.path]).filter { $0.hasPrefix(folder.path) }
        #expect(found == ["libKantoAlso.so", "libKantoYes.so"].map { folder.path + "/" + $0 })
    }

    @Test func programFolderHoldsThisBundle() throws {
        let home = try #require(PluginLoader.programFolder())
        #expect(home.hasPrefix("/"))
        #expect(access(home + "/KantoPackageTests.xctest", F_OK) == 0)
    }
}
