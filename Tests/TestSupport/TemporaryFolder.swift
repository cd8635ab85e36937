import Foundation

/// A folder that goes with its last reference.
public final class TemporaryFolder: Sendable {
    public let path = FileManager.default.temporaryDirectory.appending(path: "kanto-\(UUID().uuidString)").path

    public init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        return file
    }
}
