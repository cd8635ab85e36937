/// What the `KANTO_…` variables say: a pure function of the environment, so that tests need no process of their own.
public struct Configuration: Sendable, Equatable {
    /// Names in the order of preference; `["auto"]` by default.
    public var backends: [String]
    /// An op that a named backend offers and then declines is an error.
    public var isStrict: Bool
    /// The highest instruction set that the SIMD backend may use.
    public var instructionSet: InstructionSet
    /// Folders and files where plugins are looked for first.
    public var pluginPaths: [String]
    /// Worker threads, the caller included: by default one for each core that the process may use, the machine's cores being
    /// shared out among the ranks of a job.
    public var threadCount: Int
    /// 0: silent; 1: each kernel made; 2: each run.
    public var verbosity: Int
    /// How exact products of float32 must be.
    public var precision: Precision
    /// Whether `auto` chooses by measured times.
    public var tuning: Tuning
    /// Where measured times are kept; `nil` if nowhere.
    public var tuningFolder: String?
    /// The communicator that carries numbers between the processes of a training; `nil` where there is this process alone.
    public var communicator: String?
    /// What the launcher says that started this process as one of several; `nil` where none did.
    public var launch: Launch?
    /// What is valid but hardly meant, each a line for people.
    public var warnings: [String] = []

    /// Never; by times that were measured earlier; by times that are measured where they are missing.
    public enum Tuning: String, Sendable, CaseIterable { case off, cache, tune }

    static let threadCounts = 1...1024

    /// - Throws: `KernelError.configuration`, which names the variable, its value and the valid ones.
    public init(
        environment: [String: String], supported: (InstructionSet) -> Bool = \.isSupported,
        coreCount: Int = Processor.coreCount, machineCoreCount: Int = Processor.machineCoreCount,
        quota: Double? = Processor.quota, isSetUserID: Bool = false
    ) throws(KernelError) {
        func malformed(_ name: String, _ expected: String) -> KernelError {
            .configuration("\(name)=\(environment[name] ?? "") is not valid: expected \(expected)")
        }
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

        backends = try Configuration.names(value("KANTO_BACKEND") ?? "auto")

        switch value("KANTO_STRICT") {
        case nil, "0": isStrict = false
        case "1": isStrict = true
        default: throw malformed("KANTO_STRICT", "0 or 1")
        }

        let present = InstructionSet.allCases.filter(supported)
        if let text = value("KANTO_ISA") {
            guard let named = InstructionSet(rawValue: text) else {
                throw malformed("KANTO_ISA", "one of " + InstructionSet.allCases.map(\.rawValue).joined(separator: ", "))
            }
            guard supported(named) else {
                throw KernelError.configuration(
                    "KANTO_ISA=\(text): this processor or operating system lacks it; available: "
                        + present.map(\.rawValue).joined(separator: ", "))
            }
            instructionSet = named
        } else {
            instructionSet = present.max() ?? .baseline
        }

        // In a set-uid process the environment belongs to somebody else.
        let paths = isSetUserID ? nil : value("KANTO_PLUGIN_PATH")
        pluginPaths = (paths ?? "").split(separator: ":").map(String.init)

        launch = Launch(environment: environment)
        switch value("KANTO_COMMUNICATOR") {
        case nil: communicator = launch == nil ? nil : "mpi"
        case "none": communicator = nil
        case let name?:
            guard name.unicodeScalars.allSatisfy({ "a"..."z" ~= $0 || "0"..."9" ~= $0 || $0 == "-" }) else {
                throw malformed("KANTO_COMMUNICATOR", "mpi, none or the name of another communicator's plugin")
            }
            communicator = name
        }

        func bounded(_ cores: Int) -> Int { quota.map { max(1, Int(min($0, Double(cores)).rounded(.up))) } ?? cores }
        let granted = bounded(coreCount)
        // Of the machine, not of this process: a launcher that binds its ranks to cores has shared these out already.
        let share = communicator == nil ? granted : max(1, bounded(machineCoreCount) / (launch?.localRankCount ?? 1))
        if let text = value("KANTO_NUM_THREADS") {
            guard let count = Int(text), Configuration.threadCounts.contains(count) else {
                throw malformed("KANTO_NUM_THREADS", "a whole number from 1 to 1024")
            }
            threadCount = count
            if count > granted {
                let bound =
                    granted < coreCount
                    ? "its control group grants this process \(quota!) of \(coreCount) cores"
                    : "this process may run on \(coreCount)"
                warnings.append(
                    "KANTO_NUM_THREADS=\(text) is more than there are cores: \(bound), and threads wait for each other")
            }
        } else {
            threadCount = min(granted, share, Configuration.threadCounts.upperBound)
        }

        switch value("KANTO_VERBOSE") {
        case nil, "0": verbosity = 0
        case "1": verbosity = 1
        case "2": verbosity = 2
        default: throw malformed("KANTO_VERBOSE", "0, 1 or 2")
        }

        let name = value("KANTO_PRECISION") ?? "\(Precision.float32)"
        guard let precision = Precision(named: name) else {
            throw malformed("KANTO_PRECISION", Precision.allCases.map(\.description).joined(separator: ", "))
        }
        self.precision = precision

        // As with plugins: in a set-uid process the environment belongs to somebody else.
        tuningFolder = isSetUserID ? nil : TuningTable.folder(environment: environment)
        guard let tuning = Tuning(rawValue: value("KANTO_TUNING") ?? "cache") else {
            throw malformed("KANTO_TUNING", "off, cache or tune")
        }
        self.tuning = tuning
    }

    /// The names of a list such as `onednn,simd`.
    static func names(_ list: String) throws(KernelError) -> [String] {
        let names = list.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
        if names.contains("") || (names.count > 1 && names.contains("auto")) {
            throw KernelError.configuration(
                "KANTO_BACKEND=\(list) is not valid: expected auto, a backend's name, or names with commas between")
        }
        return names
    }
}
