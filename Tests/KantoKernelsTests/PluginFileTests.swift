import Foundation
import TestSupport
import Testing

@testable import KantoKernels

/// What is read of a plugin's file before it is opened.
@Suite struct PluginFileTests {
    private func look(_ path: String) -> Result<PluginFile, PluginLoader.Failure> {
        do throws(PluginLoader.Failure) { return .success(try PluginFile(path, programFolder: nil)) } catch { return .failure(error) }
    }

    private func reason(_ path: String) -> String {
        if case .failure(let failure) = look(path) { failure.reason } else { "it is taken" }
    }

    private func name(_ path: String) throws -> String { try look(path).get().name }

    @Test(arguments: ["gnu", "sysv", "both"]) func nameIsFoundInEitherHashTable(style: String) throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "hashed")
        source.minor = "3"
        // Many names, so that chains have several links.
        let others = (0..<300).map { "int other_\($0) = \($0);" }.joined(separator: "\n")
        let path = try compileLibrary(
            source.text + others, to: "libKantoHashed.so", in: folder, options: ["-Wl,--hash-style=\(style)"])
        #expect(try look(path).get().name == "hashed" && look(path).get().minor == 3)
        #expect(try PluginLoader.open(look(path).get()).get().name == "hashed")
    }

    /// As some distributions strip their libraries: no section headers at all.
    @Test func sectionHeadersAreNotNeeded() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource(name: "bare").compile(in: folder)
        var bytes = try Data(contentsOf: URL(filePath: path))
        let sections = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
        for index in 40..<48 { bytes[index] = 0 }
        for index in 58..<64 { bytes[index] = 0 }
        try bytes.prefix(sections).write(to: URL(filePath: path))
        #expect(try name(path) == "bare")
    }

    @Test func otherKindsOfFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource().compile(in: folder)
        let bytes = try Data(contentsOf: URL(filePath: path))
        func changed(_ offset: Int, _ value: UInt8) throws -> String {
            var changed = bytes
            changed[offset] = value
            try changed.write(to: URL(filePath: path))
            return reason(path)
        }
        #expect(try changed(1, 0) == "cannot be loaded: it is no ELF file")
        #expect(try changed(4, 1) == "cannot be loaded: it is not of 64 bits, little endian")
        #expect(try changed(5, 2) == "cannot be loaded: it is not of 64 bits, little endian")
        #expect(try changed(16, 2) == "cannot be loaded: it is an ELF file, but no shared library")
        #expect(try changed(18, 8) == "cannot be loaded: it is for another processor (ELF machine 8)")
        for count in [0, 3, 50, 100, bytes.count / 4, bytes.count / 2] {
            try bytes.prefix(count).write(to: URL(filePath: path))
            #expect(reason(path).hasPrefix("cannot be loaded: it is \(count < 4 ? "no ELF file" : "cut short")"), "\(count)")
        }
    }

    /// Damage is told or not seen; it never ends the process. Nothing is opened.
    @Test func damageIsARefusal() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource().compile(in: folder)
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
        var random = SystemRandomNumberGenerator()
        var refusedCount = 0
        for round in 0..<6000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                // The headers and tables, most of all, and whole numbers at once.
                let place = Int.random(in: 0..<(round % 2 == 0 ? 0x400 : bytes.count), using: &random)
                let value = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)!
                for index in place..<min(bytes.count, place + [1, 2, 4, 8].randomElement(using: &random)!) { damaged[index] = value }
            }
            if round % 5 == 0 { damaged.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            do throws(SharedObject.Fault) {
                let library = try SharedObject(byteCount: damaged.count) { offset, count in
                    offset >= damaged.count ? [] : Array(damaged[offset..<min(damaged.count, offset + max(0, count))])
                }
                _ = try library.data(of: "kanto_plugin_version", count: 56)
                _ = try library.exports("kanto_plugin_open")
            } catch {
                refusedCount += 1
                #expect(!error.reason.isEmpty)
            }
        }
        #expect(refusedCount > 1000)
    }

    /// The same through files, as a user meets it.
    @Test func damagedFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource().compile(in: folder)
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<4 { damaged[Int.random(in: 0..<0x800, using: &random)] = .random(in: 0...255, using: &random) }
            damaged.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            try Data(damaged).write(to: URL(filePath: path))
            #expect(!reason(path).isEmpty)
        }
    }

    @Test func aPipeIsNotWaitedFor() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/libKantoPipe.so"
        #expect(mkfifo(path, 0o600) == 0)
        #expect(reason(path) == "a pipe, not a library")
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": folder.path])
        #expect(registry.pluginFailures.contains { $0.path == path && $0.reason == "a pipe, not a library" })
        #expect(reason("/dev/null") == "not a regular file")
    }

    // MARK: - Rights

    @Test func whatOthersMayWriteIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource(name: "rights").compile(in: folder)
        #expect(try name(path) == "rights")
        #expect(chmod(path, 0o646) == 0)
        #expect(reason(path) == "it may be written by everybody, so the plugin may be anybody's (chmod go-w mends it)")
        #expect(chmod(path, 0o644) == 0 && chmod(folder.path, 0o777) == 0)
        #expect(reason(path).hasPrefix("its folder \(folder.path) may be written by everybody"))
        // Another may put a library there for the plugin to find.
        #expect(chmod(folder.path, 0o1777) == 0)
        #expect(reason(path).hasPrefix("its folder \(folder.path) may be written by everybody"))
        #expect(chmod(folder.path, 0o755) == 0)
        // Through a link in a folder of one's own, too.
        let (open, own) = (try TemporaryFolder(), try TemporaryFolder())
        let target = try PluginSource(name: "linked").compile(in: open)
        #expect(chmod(open.path, 0o777) == 0 && symlink(target, own.path + "/libKantoLink.so") == 0)
        #expect(reason(own.path + "/libKantoLink.so").hasPrefix("its folder \(open.path) may be written by everybody"))
    }

    /// Debian's umask for users may be 002: their files are writable for the group that is theirs alone.
    @Test(.enabled(if: geteuid() == 0, "only root gives files away")) func groupsAndOwners() throws {
        let folder = try TemporaryFolder()
        let path = try PluginSource(name: "owned").compile(in: folder)
        #expect(chmod(path, 0o664) == 0 && chmod(folder.path, 0o775) == 0)
        // Root's own group.
        #expect(try name(path) == "owned")
        let (group, stranger): (gid_t, uid_t) = (54_321, 54_322)
        #expect(chown(path, 0, group) == 0)
        #expect(reason(path).hasPrefix("it may be written by the group 54321, so the plugin may be anybody's of it"))
        #expect(chmod(path, 0o644) == 0)
        #expect(try name(path) == "owned")
        #expect(chown(folder.path, 0, group) == 0)
        #expect(reason(path).hasPrefix("its folder \(folder.path) may be written by the group 54321"))
        #expect(chmod(folder.path, 0o755) == 0 && chown(path, stranger, 0) == 0)
        #expect(reason(path).hasPrefix("it belongs to user 54322, and a plugin has all rights of who opens it"))
        #expect(chown(path, 0, 0) == 0 && chown(folder.path, stranger, 0) == 0)
        #expect(reason(path).hasPrefix("its folder \(folder.path) belongs to user 54322"))
        #expect(chown(folder.path, 0, 0) == 0)
        #expect(try name(path) == "owned")
    }

    // MARK: - Opening

    /// A plugin whose constructor leaves a file behind.
    private func marking(_ name: String, _ folder: TemporaryFolder, _ change: (inout PluginSource) -> Void = { _ in }) throws -> String {
        var source = PluginSource(name: name)
        source.header += """

            #include <stdio.h>
            __attribute__((constructor)) static void mark(void) { fclose(fopen("\(folder.path)/\(name)", "w")); }
            """
        change(&source)
        return try source.compile(in: folder, as: "libKanto\(name).so")
    }

    private func isOpened(_ name: String, _ folder: TemporaryFolder) -> Bool {
        FileManager.default.fileExists(atPath: folder.path + "/" + name)
    }

    @Test func nothingIsOpenedThatIsNotNeeded() throws {
        let folder = try TemporaryFolder()
        for name in ["first", "second"] { _ = try marking(name, folder) }
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": folder.path])
        try registry.checkNamedPlugins()
        for list in ["simd", "reference,simd", "auto"] {
            _ = try registry.kernel(.matmul(m: 1, n: 1, k: 1), list)
        }
        _ = try registry.explain(.matmul(m: 1, n: 1, k: 1), selection: registry.selection(["simd"]), threadCount: 1)
        let complaint = #expect(throws: KernelError.self) { try registry.backend(named: "third") }
        #expect(complaint.map { "\($0)".contains("first, second") } == true)
        #expect(!isOpened("first", folder) && !isOpened("second", folder))
        // A name opens its own plugin, and no other.
        #expect(try registry.backend(named: "second").name == "second")
        #expect(!isOpened("first", folder) && isOpened("second", folder))
        #expect(registry.backends.contains { $0.name == "first" } && isOpened("first", folder))
    }

    /// The version is read from the file: no code of a wrong plugin runs, constructors neither.
    @Test func constructorsOfWrongPluginsDoNotRun() throws {
        let folder = try TemporaryFolder()
        let wrong: [(String, (inout PluginSource) -> Void)] = [
            ("magic", { $0.magic = "1" }), ("major", { $0.major = "9" }), ("size", { $0.size = "8" }),
            ("noopen", { $0.exportsOpen = false }), ("noversion", { $0.exportsVersion = false }), ("simd", { _ in }),
        ]
        for (name, change) in wrong { _ = try marking(name, folder, change) }
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": folder.path])
        #expect(registry.pluginFailures.filter { $0.path.hasPrefix(folder.path) }.count == wrong.count)
        for (name, _) in wrong { #expect(!isOpened(name, folder), "\(name)") }
    }

    /// What a library that was compiled with -ffast-math does when it is loaded: denormals are 0 from then on.
    @Test func fastMathStaysInThePlugin() throws {
        let folder = try TemporaryFolder()
        var source = PluginSource(name: "fast")
        #if arch(x86_64)
        // As crtfastmath.o does, which GCC before 13 links into such a library, and later ones into programs only.
        source.header += """

            __attribute__((constructor)) static void flush(void) { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040); }
            """
        #endif
        source.open = "fesetround(FE_UPWARD); return &table;"
        source.make += " fesetround(FE_DOWNWARD);"
        let path = try compileLibrary(source.text, to: "libKantofast.so", in: folder, options: ["-ffast-math"])
        let registry = try makeRegistry(["KANTO_PLUGIN_PATH": path])
        let rounding = fegetround()
        #expect(try registry.backend(named: "fast").name == "fast")
        #expect(Float.leastNonzeroMagnitude * opaqueOne == Float.leastNonzeroMagnitude && fegetround() == rounding)
        #expect(try registry.kernel(.matmul(m: 1, n: 1, k: 1), "fast").backend.name == "fast")
        #expect(Float.leastNonzeroMagnitude * opaqueOne == Float.leastNonzeroMagnitude && fegetround() == rounding)
    }

    /// One that no compiler folds.
    private var opaqueOne: Float { Float(CommandLine.arguments.count > 0 ? 1 : 2) }
}
