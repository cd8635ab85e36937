import Foundation
import KantoABI
import Testing

@Suite struct ExportTests {
    /// The committed list, which is also the linker's.
    private static let exports: Set<String> = {
        let map = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Plugins/exports.map")
        let text = (try? String(contentsOf: map, encoding: .utf8)) ?? ""
        let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.hasSuffix(";") && !$0.hasPrefix("*") && !$0.hasPrefix("}") }
        return Set(names.map { String($0.dropLast()) })
    }()

    @Test func listIsTheInterface() {
        #expect(ExportTests.exports == [KANTO_PLUGIN_VERSION_SYMBOL, KANTO_PLUGIN_OPEN_SYMBOL])
    }

    /// A symbol more could clash with the host's or another plugin's.
    @Test(arguments: BuiltPlugin.all) func exportsTheListAndNothingElse(_ plugin: BuiltPlugin) throws {
        let nm = ["/usr/bin/nm", "/usr/local/bin/nm"].first { FileManager.default.isExecutableFile(atPath: $0) }
        let path = try #require(nm, "nm is not here: apt-get install binutils")
        let symbols = try output(of: path, ["--dynamic", "--defined-only", "--extern-only", plugin.path]).split(whereSeparator: \.isNewline)
        #expect(Set(symbols.map { String($0.split(separator: " ").last!) }) == ExportTests.exports)
    }
}
