import Glibc
import KantoABI
import KantoShims

/// Finds and opens plugins: dynamic libraries named `libKanto*.so` that export `kanto_plugin_version` and
/// `kanto_plugin_open`.
package enum PluginLoader {
    /// A plugin that could not be used.
    package struct Failure: Error {
        package let path: String
        package let reason: String
        package init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }
    }

    /// The files to try, in order: what `KANTO_PLUGIN_PATH` names, then the folder of this program. A file that is named
    /// twice, if only through a link, is tried once.
    package static func candidates(paths: [String]) -> [String] {
        var files = paths.flatMap { isFolder($0) ? libraries(in: $0) : [$0] }
        if let home = programFolder() { files += libraries(in: home) }
        var seen: Set<String> = []
        return files.filter { seen.insert(resolvedPath($0) ?? $0).inserted }
    }

    /// Opens one library.
    ///
    /// `PluginFile` has read its name and version, so no code of a library of another kind or version runs. From here on code
    /// of the library does: first, within `dlopen`, what it and the libraries that it needs do when they are loaded.
    static func open(_ file: PluginFile) -> Result<Backend, Failure> {
        PluginCalls.report()
        return PluginCalls.within("plugin \(file.path), which was being opened") {
            keepingFloatingPointEnvironment { load(file) }
        }
    }

    private static func load(_ file: PluginFile) -> Result<Backend, Failure> {
        func fail(_ reason: String) -> Result<Backend, Failure> { .failure(Failure(path: file.path, reason: reason)) }

        let open: UnsafeMutableRawPointer
        do throws(Failure) { open = try openFunction(of: file) } catch { return .failure(error) }
        typealias Open = @convention(c) (UnsafeMutablePointer<kanto_message>?) -> UnsafePointer<kanto_backend>?
        var table: UnsafePointer<kanto_backend>?
        let failure = withMessage { message in
            table = unsafeBitCast(open, to: Open.self)(message)
            return kanto_status(table == nil ? KANTO_STATUS_FAILED : KANTO_STATUS_OK)
        }
        if let failure { return fail("refused to open: \(failure.reason)") }
        guard let table, table.pointee.struct_size >= InterfaceVersion.tableByteCount, table.pointee.name != nil,
            table.pointee.make != nil, table.pointee.offer_count == 0 || table.pointee.offers != nil
        else { return fail("its table is incomplete") }
        let backend = Backend(
            table: table, origin: .plugin(path: file.path),
            knownByteCount: InterfaceVersion.problemByteCount(minor: file.minor))
        guard backend.name == file.name else {
            return fail("its table is named '\(backend.name)', its \(KANTO_PLUGIN_VERSION_SYMBOL) '\(file.name)'")
        }
        return .success(backend)
    }

    /// Loads a library, which runs what it does when it is loaded, and finds the function that opens it.
    package static func openFunction(of file: PluginFile) throws(Failure) -> UnsafeMutableRawPointer {
        // By the file that was looked at, wherever a link may lead by now. Never closed: kernels and threads of the library may
        // outlive any owner.
        guard let library = dlopen(file.resolved, RTLD_NOW | RTLD_LOCAL) else {
            var reason = String(cString: dlerror())
            if reason.hasPrefix(file.resolved + ": ") { reason.removeFirst(file.resolved.count + 2) }
            throw Failure(path: file.path, reason: "cannot be loaded: " + reason)
        }
        let symbol = file.interface.openSymbol
        guard let open = dlsym(library, symbol) else { throw Failure(path: file.path, reason: "does not export \(symbol)") }
        return open
    }

    /// The folder of the executable or test bundle that holds this code.
    package static func programFolder() -> String? {
        let here: @convention(c) () -> Void = {}
        guard let name = kanto_image_path(unsafeBitCast(here, to: UnsafeRawPointer.self)) else { return nil }
        // For a main program dladdr returns argv[0], which the shell may have found in PATH.
        let path = String(cString: name)
        let image = CommandLine.arguments.first == path ? "/proc/self/exe" : path
        guard let whole = resolvedPath(image) else { return nil }
        return whole.lastIndex(of: "/").map { String(whole[..<$0]) }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The plugins in a folder, by name.
    private static func libraries(in folder: String) -> [String] {
        let names = namesInFolder(at: folder) ?? []
        return names.filter { $0.hasPrefix("libKanto") && $0.hasSuffix(".so") }.sorted().map { folder + "/" + $0 }
    }
}

/// Calls code that may change the calling thread's floating-point environment, as a library does that was compiled with
/// -ffast-math when it is loaded: denormals would be 0 from then on.
package func keepingFloatingPointEnvironment<R>(_ body: () -> R) -> R {
    var environment = fenv_t()
    fegetenv(&environment)
    defer { fesetenv(&environment) }
    return body()
}
