import Glibc

/// Calls `body` with each name in a folder, `.` and `..` too.
///
/// - Returns: whether the folder could be opened; if not, `errno` says why.
@discardableResult
package func forEachName(in folder: [CChar], _ body: (UnsafePointer<CChar>) -> Void) -> Bool {
    guard let stream = opendir(folder) else { return false }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
        // The name is read from the record itself: its declared 256 bytes may reach beyond the record.
        let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
        body(start.assumingMemoryBound(to: CChar.self))
    }
    return true
}

/// The names in a folder, in no order, those that start with a dot too.
///
/// - Returns: `nil` where the folder cannot be read; `errno` says why.
package func namesInFolder(at path: String) -> [String]? {
    var names: [String] = []
    let isOpen = forEachName(in: Array(path.utf8CString)) { names.append(String(cString: $0)) }
    return isOpen ? names : nil
}
