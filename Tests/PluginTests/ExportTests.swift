import Foundation
import KantoABI
import Testing

@Suite struct ExportTests {
    /// The committed lists, which are also the linker's.
    private static let exports = names(in: "exports.map")

    private static func names(in file: String) -> Set<String> {
        let map = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Plugins/" + file)
        let text = (try? String(contentsOf: map, encoding: .utf8)) ?? ""
        let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.hasSuffix(";") && !$0.hasPrefix("*") && !$0.hasPrefix("}") }
        return Set(names.map { String($0.dropLast()) })
    }

    @Test func listIsTheInterface() {
        #expect(ExportTests.exports == [KANTO_PLUGIN_VERSION_SYMBOL, KANTO_PLUGIN_OPEN_SYMBOL])
        let communicator: Set = [KANTO_COMMUNICATOR_VERSION_SYMBOL, KANTO_COMMUNICATOR_OPEN_SYMBOL]
        #expect(ExportTests.names(in: "communicator.map") == communicator)
    }

    /// A symbol more could clash with the host's or another plugin's.
    @Test(arguments: BuiltPlugin.all) func exportsTheListAndNothingElse(_ plugin: BuiltPlugin) throws {
        #expect(try Self.exports(of: plugin) == ExportTests.exports)
    }

    #if MPI
    @Test func theCommunicatorExportsItsListAndNothingElse() throws {
        let plugin = BuiltPlugin(name: "mpi", file: "libKantoMPI.so")
        #expect(try Self.exports(of: plugin) == ExportTests.names(in: "communicator.map"))
    }
    #endif

    private static func exports(of plugin: BuiltPlugin) throws -> Set<String> {
        let nm = ["/usr/bin/nm", "/usr/local/bin/nm"].first { FileManager.default.isExecutableFile(atPath: $0) }
        let path = try #require(nm, "nm is not here: apt-get install binutils")
        let symbols = try output(of: path, ["--dynamic", "--defined-only", "--extern-only", plugin.path]).split(whereSeparator: \.isNewline)
        return Set(symbols.map { String($0.split(separator: " ").last!) })
    }
}
