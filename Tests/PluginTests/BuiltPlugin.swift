import Foundation
import Testing

/// A plugin that this package builds on this machine.
struct BuiltPlugin: CustomTestStringConvertible, Sendable {
    let name: String
    let file: String
    var testDescription: String { name }

    static let all: [BuiltPlugin] = {
        var plugins: [BuiltPlugin] = []
        #if ONEDNN
        plugins.append(BuiltPlugin(name: "onednn", file: "libKantoOneDNN.so"))
        #endif
        #if CBLAS
        plugins.append(BuiltPlugin(name: "cblas", file: "libKantoCBLAS.so"))
        #endif
        return plugins
    }()

    /// Where the test bundle, the plugins and `kanto` stand.
    static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    var path: String { BuiltPlugin.folder.appending(path: file).path }
}

/// What a command printed; fails unless it ended with 0.
func output(of command: String, _ arguments: [String], environment: [String: String] = [:]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: command)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KANTO_") }
        .merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command) \(arguments): \(text.suffix(2000))")
    return text
}
