import Glibc
import KantoABI

/// A plugin's file, looked at before it is opened: whose it is, who else may write it, and what it says of itself. Nothing of
/// it runs.
///
/// Opening a library runs its code with all rights of the process, so it must come from somebody who has these rights anyway:
/// the user, root, or, for what stands beside the program, whoever owns the program.
package struct PluginFile {
    package let path: String
    /// The path without links.
    package let resolved: String
    /// What it is a plugin of.
    package let interface: PluginInterface
    /// The backend's or communicator's name.
    package let name: String
    /// The minor version of the interface that it was made for.
    let minor: UInt32

    /// - Parameter programFolder: where the running program lies.
    /// - Throws: `PluginLoader.Failure`.
    package init(_ path: String, programFolder: String?) throws(PluginLoader.Failure) {
        func fail(_ reason: String) -> PluginLoader.Failure { PluginLoader.Failure(path: path, reason: reason) }
        guard let whole = resolvedPath(path) else {
            let code = errno
            guard code == ENOENT else { throw fail(String(cString: strerror(code))) }
            throw fail(isLink(path) ? "a link that leads nowhere" : "no such file")
        }
        // Before it is opened, which would wait for a pipe's writer, or wake a device.
        guard let kind = status(of: whole)?.st_mode else { throw fail(String(cString: strerror(errno))) }
        switch kind & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw fail("a folder, not a library")
        case S_IFIFO: throw fail("a pipe, not a library")
        default: throw fail("not a regular file")
        }
        let descriptor = Glibc.open(whole, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw fail(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var file = stat()
        guard fstat(descriptor, &file) == 0, file.st_mode & S_IFMT == S_IFREG else { throw fail("not a regular file") }

        let slash = whole.lastIndex(of: "/")!
        let folder = slash == whole.startIndex ? "/" : String(whole[..<slash])
        var owners = [0, geteuid()]
        if folder == programFolder, let program = status(of: "/proc/self/exe") { owners.append(program.st_uid) }
        if let stranger = Self.stranger(file, "it", owners) { throw fail(stranger) }
        guard let holder = status(of: folder) else { throw fail("\(folder): \(String(cString: strerror(errno)))") }
        if let stranger = Self.stranger(holder, "its folder \(folder)", owners) { throw fail(stranger) }

        let byteCount = Int(file.st_size)
        let version: [UInt8]?, exportsOpen: Bool, interface: PluginInterface
        do throws(SharedObject.Fault) {
            let library = try SharedObject(byteCount: byteCount) { offset, count in
                Self.read(descriptor, offset, min(count, byteCount - offset))
            }
            interface = try library.exports(PluginInterface.communicator.versionSymbol) ? .communicator : .backend
            version = try library.data(of: interface.versionSymbol, count: MemoryLayout<kanto_version>.size)
            exportsOpen = try library.exports(interface.openSymbol)
        } catch {
            throw fail("cannot be loaded: \(error.reason)")
        }
        guard let version else { throw fail("not a Kanto plugin: it does not export \(interface.versionSymbol)") }
        (name, minor) = try Self.nameAndMinor(version, interface, fail)
        guard exportsOpen else { throw fail("does not export \(interface.openSymbol)") }
        self.interface = interface
        self.path = path
        resolved = whole
    }

    /// What an exported `kanto_version` says, if this Kanto can go by it.
    private static func nameAndMinor(
        _ bytes: [UInt8], _ interface: PluginInterface, _ fail: (String) -> PluginLoader.Failure
    ) throws(PluginLoader.Failure) -> (name: String, minor: UInt32) {
        var version = kanto_version()
        withUnsafeMutableBytes(of: &version) { $0.copyBytes(from: bytes) }
        let symbol = interface.versionSymbol
        guard version.magic == interface.magic else {
            throw fail("not a Kanto plugin: \(symbol) has the wrong magic number")
        }
        let size = min(Int(version.struct_size), bytes.count)
        if size >= MemoryLayout<kanto_version>.offset(of: \.minor)!, version.major != interface.major {
            throw fail("made for version \(version.major) of the \(interface.noun); this Kanto has version \(interface.major)")
        }
        guard size >= InterfaceVersion.versionByteCount else {
            throw fail("\(symbol) is \(size) bytes, expected \(InterfaceVersion.versionByteCount)")
        }
        let name = withUnsafeBytes(of: version.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard !name.isEmpty, name.unicodeScalars.allSatisfy({ "a"..."z" ~= $0 || "0"..."9" ~= $0 || $0 == "-" }) else {
            throw fail("its name '\(name)' is not of lower-case letters, digits and '-'")
        }
        return (name, version.minor)
    }

    private static func read(_ descriptor: Int32, _ offset: Int, _ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return Array(unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let more = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
                if more < 0, errno == EINTR { continue }
                if more <= 0 { break }
                filled += more
            }
        }
    }

    // MARK: - Rights

    /// Who may change a file or folder beside those who may, for people; `nil` if nobody may.
    private static func stranger(_ status: stat, _ what: String, _ owners: [uid_t]) -> String? {
        guard owners.contains(status.st_uid) else {
            return "\(what) belongs to \(userName(status.st_uid)), and a plugin has all rights of who opens it: only one of your "
                + "own or of root is opened"
        }
        let mends = "(chmod go-w mends it)"
        if status.st_mode & S_IWOTH != 0 { return "\(what) may be written by everybody, so the plugin may be anybody's \(mends)" }
        if status.st_mode & S_IWGRP != 0, !isPrivate(status.st_gid, of: status.st_uid) {
            return "\(what) may be written by the group \(groupName(status.st_gid)), so the plugin may be anybody's of it "
                + mends
        }
        return nil
    }

    /// Whether a group is its user's own, as Debian makes one for each user: files are then often made writable for it.
    private static func isPrivate(_ group: gid_t, of user: uid_t) -> Bool {
        let owner = getpwuid(user).map { String(cString: $0.pointee.pw_name) }
        guard let entry = getgrgid(group) else { return group == user }
        var members: [String] = []
        var member = entry.pointee.gr_mem
        while let name = member?.pointee {
            members.append(String(cString: name))
            member = member! + 1
        }
        let isNamedSo = owner == nil ? group == user : owner == String(cString: entry.pointee.gr_name)
        return isNamedSo && members.allSatisfy { $0 == owner }
    }

    private static func userName(_ user: uid_t) -> String {
        getpwuid(user).map { "\(String(cString: $0.pointee.pw_name)) (user \(user))" } ?? "user \(user)"
    }

    private static func groupName(_ group: gid_t) -> String {
        getgrgid(group).map { "\(String(cString: $0.pointee.gr_name)) (\(group))" } ?? "\(group)"
    }
}

private func status(of path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
}

private func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
}

/// The path without links, or `nil` if nothing is there; `errno` says why.
func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
