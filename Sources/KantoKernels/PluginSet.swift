/// The plugins that were found, in the order in which they are tried. They are looked for when one is first asked for, and each
/// is opened when it is needed.
struct PluginSet {
    private enum State {
        case closed(PluginFile)
        case open(Backend)
        case failed(String)
    }

    private let paths: [String]
    private let reservedNames: Set<String>
    private let isTraced: Bool
    private var entries: [(path: String, state: State)]?

    /// - Parameters:
    ///   - paths: folders and files where they are looked for first.
    ///   - reservedNames: those that none may have.
    ///   - isTraced: say each that is opened.
    init(paths: [String], reservedNames: Set<String>, isTraced: Bool) {
        (self.paths, self.reservedNames, self.isTraced) = (paths, reservedNames, isTraced)
    }

    /// Those that are open.
    var backends: [Backend] {
        (entries ?? []).compactMap { if case .open(let backend) = $0.state { backend } else { nil } }
    }

    /// The names of all that may be opened, or are open.
    var names: [String] {
        (entries ?? []).compactMap { entry in
            switch entry.state {
            case .closed(let file): file.name
            case .open(let backend): backend.name
            case .failed: nil
            }
        }
    }

    var failures: [Registry.PluginFailure] {
        (entries ?? []).compactMap { entry in
            if case .failed(let reason) = entry.state { .init(path: entry.path, reason: reason) } else { nil }
        }
    }

    /// The set, after it was looked for plugins, and what their files say was read. Opens none.
    var looked: PluginSet {
        mutating get {
            if entries == nil {
                let home = PluginLoader.programFolder()
                entries = PluginLoader.candidates(paths: paths).compactMap { path in
                    do throws(PluginLoader.Failure) {
                        let file = try PluginFile(path, programFolder: home)
                        guard file.interface == .backend else { return nil }
                        return (path, reservedNames.contains(file.name) ? Self.taken(file.name) : .closed(file))
                    } catch {
                        return (path, .failed(error.reason))
                    }
                }
            }
            return self
        }
    }

    /// The set, after the plugin of a name, or all, were opened. Of two with the same name the first that opens has it.
    mutating func opening(_ name: String? = nil) -> PluginSet {
        for (index, entry) in looked.entries!.enumerated() {
            guard case .closed(let file) = entry.state, name == nil || name == file.name else { continue }
            if backends.contains(where: { $0.name == file.name }) {
                entries![index].state = Self.taken(file.name)
                continue
            }
            if isTraced { Diagnostics.trace("plugin \(file.path) is opened for \(file.name)") }
            switch PluginLoader.open(file) {
            case .success(let backend): entries![index].state = .open(backend)
            case .failure(let failure): entries![index].state = .failed(failure.reason)
            }
        }
        return self
    }

    private static func taken(_ name: String) -> State { .failed("the name '\(name)' is taken") }
}
