import Glibc

/// The names in a folder, in no order, those that start with a dot too.
///
/// - Returns: `nil` where the folder cannot be read; `errno` says why.
package func namesInFolder(at path: String) -> [String]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        // By address: an entry is as long as its name, and copying the 256 bytes that `d_name` declares would read beyond the
        // last one of the system's buffer.
        let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
        names.append(String(cString: name.assumingMemoryBound(to: CChar.self)))
    }
    return names
}
