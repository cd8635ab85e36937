import KantoABI
import KantoKernels
import Synchronization

extension Communicator {
    /// The communicator of this process, opened when it is first asked for: the one that `KANTO_COMMUNICATOR` names, or `mpi`
    /// where a launcher has started several ranks; nil for a process alone.
    ///
    /// - Throws: `KernelError.plugin` or `.configuration`, which say how to get what is missing: ranks that cannot talk to each
    ///   other would do the same work several times.
    public static func ofProcess() throws(KernelError) -> Communicator? { try processWide.get() }

    /// Has a call that waits for others give up where this says so; until then it waits as long as it takes. It is asked now
    /// and then with the seconds that the call has waited.
    public static func giveUp(when condition: (@Sendable (Double) -> Bool)?) { patience.withLock { $0 = condition } }

    private static let processWide = Result { () throws(KernelError) -> Communicator? in
        let configuration = try Registry.shared().configuration
        guard let name = configuration.communicator else { return nil }
        let communicator = try open(name, configuration)
        if let launch = configuration.launch, launch.rankCount != communicator.rankCount {
            throw .configuration(
                "the launcher has started \(launch.rankCount) ranks, but \(communicator.description) knows of "
                    + "\(communicator.rankCount): the plugin was built for another MPI than the launcher is of")
        }
        return communicator
    }

    /// Opens the first plugin of a name.
    static func open(_ name: String, _ configuration: Configuration) throws(KernelError) -> Communicator {
        let home = PluginLoader.programFolder()
        var failures: [PluginLoader.Failure] = []
        for path in PluginLoader.candidates(paths: configuration.pluginPaths) {
            let file: PluginFile
            do throws(PluginLoader.Failure) { file = try PluginFile(path, programFolder: home) } catch {
                failures.append(error)
                continue
            }
            guard file.interface == .communicator, file.name == name else { continue }
            do throws(PluginLoader.Failure) { return try open(file) } catch {
                throw .plugin(path: error.path, reason: error.reason)
            }
        }
        let why =
            configuration.launch.map { "a launcher has started \($0.rankCount) ranks of this program, and" }
            ?? "KANTO_COMMUNICATOR=\(name):"
        throw .configuration(
            "\(why) there is no plugin of a communicator '\(name)', with which they would be one training; "
                + (name == "mpi" ? Registry.wayToGet("libKantoMPI.so", "libopenmpi-dev") + "; " : "")
                + "KANTO_COMMUNICATOR=none makes each a process of its own"
                + failures.map { "; plugin \($0.path) did not load: \($0.reason)" }.joined())
    }

    private typealias Open =
        @convention(c) (
            UnsafePointer<kanto_communicator_options>?, UnsafeMutablePointer<kanto_message>?
        ) -> UnsafePointer<kanto_communicator>?

    private static func open(_ file: PluginFile) throws(PluginLoader.Failure) -> Communicator {
        PluginCalls.report()
        func fail(_ reason: String) -> PluginLoader.Failure { PluginLoader.Failure(path: file.path, reason: reason) }
        let origin = "communicator \(file.name) (\(file.path))"
        return try PluginCalls.within("plugin \(file.path), which was being opened") { () throws(PluginLoader.Failure) in
            let open = unsafeBitCast(try PluginLoader.openFunction(of: file), to: Open.self)
            // As long as the process.
            let options = UnsafeMutablePointer<kanto_communicator_options>.allocate(capacity: 1)
            options.initialize(to: kanto_communicator_options())
            options.pointee.struct_size = UInt32(MemoryLayout<kanto_communicator_options>.size)
            options.pointee.gives_up = givesUp
            var table: UnsafePointer<kanto_communicator>?
            let failure = keepingFloatingPointEnvironment {
                withMessage { message in
                    table = open(options, message)
                    return kanto_status(table == nil ? KANTO_STATUS_FAILED : KANTO_STATUS_OK)
                }
            }
            if let failure { throw fail("refused to open: \(failure.reason)") }
            guard let table, isComplete(table.pointee) else { throw fail("its table is incomplete") }
            let communicator = Communicator(table, origin: origin)
            guard communicator.name == file.name else {
                throw fail("its table is named '\(communicator.name)', its version '\(file.name)'")
            }
            return communicator
        }
    }

    /// Bytes of the table in version 1.0.
    private static let tableByteCount = 88

    private static func isComplete(_ table: kanto_communicator) -> Bool {
        table.struct_size >= tableByteCount && table.name != nil && table.rank_count > 0 && table.rank < table.rank_count
            && table.local_rank_count > 0 && table.all_reduce != nil && table.broadcast != nil && table.gather != nil
            && table.barrier != nil && table.abort != nil && table.close != nil
    }
}

private let patience = Mutex<(@Sendable (Double) -> Bool)?>(nil)

/// What a communicator asks while it waits.
private let givesUp: @convention(c) (UnsafeMutableRawPointer?, Double) -> Int32 = { _, seconds in
    let condition = patience.withLock { $0 }
    return condition?(seconds) == true ? 1 : 0
}
