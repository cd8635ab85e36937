import Foundation

/// What another program has come to, and what it printed; nothing is said of its errors.
public struct ProgramOutcome: Sendable {
    public let status: Int32
    public let output: Data
    public var text: String { String(decoding: output, as: UTF8.self) }

    /// Runs a program to its end.
    ///
    /// - Parameter command: its path, or its name in `PATH`, and its arguments.
    /// - Throws: if it cannot be started.
    public init(of command: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
    }
}

/// The Python that tests ask: the one that `KANTO_PYTHON` names, or `python3`.
public let python = ProcessInfo.processInfo.environment["KANTO_PYTHON"] ?? "python3"
