import Glibc

/// What the control groups of this process (cgroups(7), versions 1 and 2) grant it of the machine's processors.
enum ProcessorQuota {
    /// Processors that may be used on average, such as 1.5: quota over period, the least along the path of the groups, since
    /// a group shares what its parent is granted. Nil where nothing bounds them.
    ///
    /// - Parameter read: the content of a file, or nil if there is none. All that is known of the system comes from it.
    static func granted(read: (String) -> String?) -> Double? {
        guard let groups = read("/proc/self/cgroup").map(groups), let mounts = read("/proc/self/mountinfo").map(mounts)
        else { return nil }
        var least: Double?
        for mount in mounts {
            guard let group = groups.first(where: { $0.version == mount.version }) else { continue }
            for folder in folders(of: group.path, in: mount) {
                guard let quota = quota(folder, mount.version, read) else { continue }
                least = min(least ?? quota, quota)
            }
        }
        return least
    }

    private enum Version { case one, two }
    private struct Group { let version: Version, path: String }
    /// A hierarchy that holds the CPU controller: the group that is its root here, and the folder where that is seen.
    private struct Mount { let version: Version, root: String, folder: String }

    /// The groups of the CPU controller from lines such as `4:cpu,cpuacct:/a/b` (version 1) and `0::/a/b` (version 2).
    private static func groups(_ text: String) -> [Group] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            if fields[0] == "0", fields[1].isEmpty { return Group(version: .two, path: String(fields[2])) }
            guard fields[1].split(separator: ",").contains("cpu") else { return nil }
            return Group(version: .one, path: String(fields[2]))
        }
    }

    /// From lines such as `32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu`; see proc_pid_mountinfo(5).
    private static func mounts(_ text: String) -> [Mount] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 3 < fields.count else { return nil }
            let version: Version
            switch fields[dash + 1] {
            case "cgroup2": version = .two
            case "cgroup" where fields[dash + 3].split(separator: ",").contains("cpu"): version = .one
            default: return nil
            }
            return Mount(version: version, root: unescaped(fields[3]), folder: unescaped(fields[4]))
        }
    }

    /// The folders of a group and of its ancestors, as far as they are seen. A container may see its own group as the root of
    /// the hierarchy under whatever path it has outside, and then the root is all there is.
    private static func folders(of path: String, in mount: Mount) -> [String] {
        var names = path.split(separator: "/")
        let root = mount.root.split(separator: "/")
        if names.starts(with: root), !names.contains("..") { names.removeFirst(root.count) } else { names = [] }
        return (0...names.count).map { count in
            ([mount.folder] + names.prefix(count).map(String.init)).joined(separator: "/")
        }
    }

    private static func quota(_ folder: String, _ version: Version, _ read: (String) -> String?) -> Double? {
        func numbers(_ file: String) -> [Double?] {
            (read(folder + "/" + file) ?? "").split { $0 == " " || $0 == "\n" }.map { Double($0) }
        }
        // "max 100000", or quota and period in microseconds; version 1 has a file for each, and says -1 for none.
        let parts = version == .two ? numbers("cpu.max") : numbers("cpu.cfs_quota_us") + numbers("cpu.cfs_period_us")
        guard parts.count == 2, let quota = parts[0], let period = parts[1], quota > 0, period > 0 else { return nil }
        return quota / period
    }

    /// Spaces, tabs, line ends and backslashes are written as `\040` and so on.
    private static func unescaped(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = [], index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let code = UInt8(String(decoding: bytes[index + 1...index + 3], as: UTF8.self), radix: 8)
            {
                result.append(code)
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The text of a file of the system, which tells no size; nil if it cannot be read or has more than a megabyte.
func systemText(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
        return nil
    }
}
