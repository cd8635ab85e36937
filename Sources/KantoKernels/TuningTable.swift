import Glibc

/// Measured times of the backends by problem, as they are kept in a file.
///
/// A file holds for one environment only: processor, instruction set, and each backend with its library's version. Its name
/// is made from the environment, which its second line repeats.
struct TuningTable: Equatable {
    struct Key: Hashable {
        let problem: String
        let threadCount: Int
    }

    struct Time: Equatable, Sendable {
        let backend: String
        let seconds: Double
    }

    static let format = "kanto tuning 1"

    let environment: String
    /// The eligible backends' times, fastest first.
    private(set) var entries: [Key: [Time]] = [:]

    init(environment: String) { self.environment = environment }

    subscript(key: Key) -> [Time]? {
        get { entries[key] }
        set { entries[key] = newValue?.sorted { $0.seconds < $1.seconds } }
    }

    var fileName: String {
        // FNV-1a, so that the name is the same in every process.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in environment.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return "tuning-" + String(hash, radix: 16) + ".txt"
    }

    // MARK: - Text

    /// Two lines of heading, then a line an entry: threads, times in seconds, the problem, with tabs between.
    var text: String {
        let lines = entries.map { key, times in
            "\(key.threadCount)\t" + times.map { "\($0.backend)=\($0.seconds)" }.joined(separator: " ") + "\t" + key.problem
        }
        return ([Self.format, environment] + lines.sorted()).joined(separator: "\n") + "\n"
    }

    /// Takes in what a file holds; what was measured here stands.
    ///
    /// - Returns: what was wrong with the file, for people; `nil` if all of it is known now.
    mutating func merge(_ text: String) -> String? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        if lines.last == "" { lines.removeLast() }
        guard lines.popFirst().map(String.init) == Self.format else { return "it does not begin with '\(Self.format)'" }
        guard lines.popFirst().map(String.init) == environment else { return "its times are of another machine or version" }
        var badCount = 0
        for line in lines {
            guard let (key, times) = Self.entry(line) else {
                badCount += 1
                continue
            }
            if entries[key] == nil { self[key] = times }
        }
        return badCount == 0 ? nil : "\(badCount) of its \(lines.count) entries cannot be read"
    }

    private static func entry(_ line: Substring) -> (Key, [Time])? {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 3, let threadCount = Int(fields[0]), Configuration.threadCounts.contains(threadCount),
            let problem = try? Problem(parsing: String(fields[2]))
        else { return nil }
        var times: [Time] = []
        for field in fields[1].split(separator: " ") {
            let parts = field.split(separator: "=")
            guard parts.count == 2, let seconds = Double(parts[1]), seconds > 0, seconds.isFinite else { return nil }
            times.append(Time(backend: String(parts[0]), seconds: seconds))
        }
        return times.isEmpty ? nil : (Key(problem: problem.description, threadCount: threadCount), times)
    }
}

// MARK: - Files

extension TuningTable {
    /// Where the files stand: `$XDG_CACHE_HOME/kanto`, or `~/.cache/kanto`; `nil` where neither variable is set.
    static func folder(environment: [String: String]) -> String? {
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/kanto" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.cache/kanto"
    }

    /// A file's text; `nil` if there is no such file or it is absurdly long.
    static func read(_ path: String) -> String? {
        // Opening a pipe would wait for its writer.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        let longest = 16 << 20
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
            if bytes.count > longest { return nil }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func failure(_ what: String) -> String { "\(what): \(String(cString: strerror(errno)))" }

    /// Runs `body` while no other process does, so that none overwrites what another has just written. The folder is made if
    /// need be.
    ///
    /// - Returns: what went wrong, for people: here or in `body`.
    static func withFolderLocked(_ folder: String, _ body: () -> String?) -> String? {
        // The cache folder itself may be missing on a new machine.
        for slash in folder.indices.dropFirst() where folder[slash] == "/" { mkdir(String(folder[..<slash]), 0o700) }
        if mkdir(folder, 0o700) != 0, errno != EEXIST { return failure(folder) }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return failure(folder) }
        // Closing gives the lock back.
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { return failure(folder) }
        return body()
    }

    /// Replaces the file, so that a reader sees the old one or the new one. To be called with the folder locked.
    ///
    /// - Returns: what went wrong, for people.
    func write(folder: String) -> String? {
        let path = folder + "/" + fileName
        do {
            try FileReplacement.write(to: path) { descriptor in
                guard writeAll(text, to: descriptor) else {
                    throw FileReplacement.Failure(reason: Self.failure("cannot be written"))
                }
            }
            return nil
        } catch let failure as FileReplacement.Failure {
            return "\(path): \(failure.reason)"
        } catch {
            return "\(path): \(error)"
        }
    }
}
