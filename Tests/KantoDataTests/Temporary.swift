import Glibc
import Testing

@testable import KantoData

/// A new folder, emptied and removed afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/kanto-data-tests-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { remove(folder) }
    try body(folder)
}

private func remove(_ path: String) {
    if isFolder(path) {
        chmod(path, 0o700)
        allNames(path).forEach { remove("\(path)/\($0)") }
        rmdir(path)
    } else {
        unlink(path)
    }
}

/// All names in a folder, hidden ones too.
func allNames(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Writes bytes without the means under test.
func put(_ bytes: [UInt8], _ path: String) throws {
    let file = try #require(fopen(path, "wb"))
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    fclose(file)
}

func put(_ text: String, _ path: String) throws { try put(Array(text.utf8), path) }

func text(_ path: String) throws -> String { String(decoding: try readFile(path), as: UTF8.self) }

/// The error that `body` throws, which must be a DataError of one line.
func dataError(_ body: () throws -> Void) -> DataError? {
    let error = #expect(throws: DataError.self) { try body() }
    #expect(error?.description.contains("\n") == false)
    return error
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
}
