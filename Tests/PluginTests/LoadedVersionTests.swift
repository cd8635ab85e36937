import TestSupport
import Testing

#if ONEDNN
@Suite struct LoadedVersionTests {
    /// The plugin is told of a oneDNN of another major version than that of its headers.
    @Test func anotherMajorVersionIsRefusedInOneLine() throws {
        let folder = try TemporaryFolder()
        let library = try compileLibrary(
            """
            struct { int major, minor, patch; const char *hash; unsigned cpu_runtime, gpu_runtime; } version = {9, 8, 7};
            const void *dnnl_version(void) { return &version; }
            """, to: "version.so", in: folder)
        let text = try output(
            of: BuiltPlugin.folder.appending(path: "kanto").path, ["backends"], environment: ["LD_PRELOAD": library])
        let lines = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("not loaded: ") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("libKantoOneDNN.so: refused to open: ") == true, "\(text)")
        #expect(lines.first?.hasSuffix("but oneDNN 9.8.7 was loaded; build the plugin again") == true, "\(text)")
    }
}
#endif
