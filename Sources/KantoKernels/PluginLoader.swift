import Glibc
import KantoABI
import KantoShims

/// Finds and opens plugins: dynamic libraries named `libKanto*.so` that export `kanto_plugin_version` and
/// `kanto_plugin_open`.
enum PluginLoader {
    /// A plugin that could not be used.
    struct Failure: Error {
        let path: String
        let reason: String
    }

    /// The files to try, in order: what `KANTO_PLUGIN_PATH` names, then the folder of this program. A file that is named
    /// twice, if only through a link, is tried once.
    static func candidates(paths: [String]) -> [String] {
        var files = paths.flatMap { isFolder($0) ? libraries(in: $0) : [$0] }
        if let home = programFolder() { files += libraries(in: home) }
        var seen: Set<String> = []
        return files.filter { seen.insert(resolved($0) ?? $0).inserted }
    }

    /// Opens one library. Its version is data and is read before any of its code is called.
    ///
    /// - Parameter taken: names that it may not have.
    static func open(_ path: String, taken: Set<String> = []) -> Result<Backend, Failure> {
        func fail(_ reason: String) -> Result<Backend, Failure> { .failure(Failure(path: path, reason: reason)) }

        guard access(path, F_OK) == 0 else {
            let code = errno
            guard code == ENOENT else { return fail(String(cString: strerror(code))) }
            return fail(isLink(path) ? "a link that leads nowhere" : "no such file")
        }
        guard !isFolder(path) else { return fail("a folder, not a library") }
        // Never closed: kernels and threads of the library may outlive any owner.
        let file = path.contains("/") ? path : "./" + path
        guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
            var reason = String(cString: dlerror())
            if reason.hasPrefix(file + ": ") { reason.removeFirst(file.count + 2) }
            return fail("cannot be loaded: " + reason)
        }
        guard let symbol = dlsym(library, KANTO_PLUGIN_VERSION_SYMBOL) else {
            return fail("not a Kanto plugin: it does not export \(KANTO_PLUGIN_VERSION_SYMBOL)")
        }
        let version = symbol.assumingMemoryBound(to: kanto_version.self)
        guard version.pointee.magic == InterfaceVersion.magic else {
            return fail("not a Kanto plugin: \(KANTO_PLUGIN_VERSION_SYMBOL) has the wrong magic number")
        }
        let size = Int(version.pointee.struct_size)
        if size >= MemoryLayout<kanto_version>.offset(of: \.minor)!, version.pointee.major != InterfaceVersion.major {
            return fail(
                "made for version \(version.pointee.major) of the plugin interface;"
                    + " this Kanto has version \(InterfaceVersion.major)")
        }
        guard size >= InterfaceVersion.versionByteCount else {
            return fail("\(KANTO_PLUGIN_VERSION_SYMBOL) is \(size) bytes, expected \(InterfaceVersion.versionByteCount)")
        }
        let name = withUnsafeBytes(of: version.pointee.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard !name.isEmpty, name.unicodeScalars.allSatisfy({ "a"..."z" ~= $0 || "0"..."9" ~= $0 || $0 == "-" }) else {
            return fail("its name '\(name)' is not of lower-case letters, digits and '-'")
        }
        guard !taken.contains(name) else { return fail("the name '\(name)' is taken") }
        guard let open = dlsym(library, KANTO_PLUGIN_OPEN_SYMBOL) else {
            return fail("does not export \(KANTO_PLUGIN_OPEN_SYMBOL)")
        }
        typealias Open = @convention(c) (UnsafeMutablePointer<kanto_message>?) -> UnsafePointer<kanto_backend>?
        var table: UnsafePointer<kanto_backend>?
        let failure = withMessage { message in
            table = unsafeBitCast(open, to: Open.self)(message)
            return kanto_status(table == nil ? KANTO_STATUS_FAILED : KANTO_STATUS_OK)
        }
        if let failure { return fail("refused to open: \(failure.reason)") }
        guard let table, table.pointee.struct_size >= InterfaceVersion.tableByteCount, table.pointee.name != nil,
            table.pointee.make != nil
        else { return fail("its table is incomplete") }
        let backend = Backend(
            table: table, origin: .plugin(path: path),
            knownByteCount: InterfaceVersion.problemByteCount(minor: version.pointee.minor))
        guard backend.name == name else {
            return fail("its table is named '\(backend.name)', its \(KANTO_PLUGIN_VERSION_SYMBOL) '\(name)'")
        }
        return .success(backend)
    }

    /// The folder of the executable or test bundle that holds this code.
    static func programFolder() -> String? {
        let here: @convention(c) () -> Void = {}
        guard let name = kanto_image_path(unsafeBitCast(here, to: UnsafeRawPointer.self)) else { return nil }
        // For a main program dladdr returns argv[0], which the shell may have found in PATH.
        let path = String(cString: name)
        let image = CommandLine.arguments.first == path ? "/proc/self/exe" : path
        guard let whole = resolved(image) else { return nil }
        return whole.lastIndex(of: "/").map { String(whole[..<$0]) }
    }

    /// The path without links, or `nil` if nothing is there.
    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The plugins in a folder, by name.
    private static func libraries(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix("libKanto"), name.hasSuffix(".so") { names.append(name) }
        }
        return names.sorted().map { folder + "/" + $0 }
    }
}
