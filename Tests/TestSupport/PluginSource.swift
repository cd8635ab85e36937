import Foundation

/// The C source of a small plugin, each part of which may be wrong. It serves float32 matmul alone, declines m > 4, and
/// writes 42 into the first element of the output.
public struct PluginSource: Sendable {
    /// How the plugin comes to the interface.
    public var header = "#include <kanto_backend.h>"
    public var name = "probe"
    public var magic = "KANTO_ABI_MAGIC"
    public var size = "sizeof(kanto_version)"
    public var major = "KANTO_ABI_MAJOR"
    public var minor = "KANTO_ABI_MINOR"
    public var tableName: String?
    public var tableSize = "sizeof(kanto_backend)"
    public var makeFunction = "make"
    public var parallelFor = "NULL"
    /// Masks of element types by op.
    public var offers = "[KANTO_OP_MATMUL] = KANTO_OFFER(KANTO_DTYPE_F32)"
    public var offersPointer = "offers"
    /// What stands before `make`.
    public var declarations = ""
    public var make = #"if (problem->matmul.m > 4) { say(message, "m is above 4"); return KANTO_STATUS_DECLINED; }"#
    public var kernelSize = "sizeof(kanto_kernel)"
    /// The last thing that `make` does to the kernel.
    public var finish = ""
    public var run = "*(float *)arguments->outputs[0] = 42; return KANTO_STATUS_OK;"
    public var release = "free(kernel);"
    public var open = "return &table;"
    public var exportsVersion = true
    public var exportsOpen = true

    public init(name: String = "probe") { self.name = name }

    public var text: String {
        """
        \(header)
        #include <fenv.h>
        #include <stdio.h>
        #include <stdlib.h>
        #define HIDDEN __attribute__((visibility("hidden")))
        static inline void say(kanto_message *message, const char *text) {
          snprintf(message->text, message->capacity, "%s", text);
        }
        static inline void serial(int64_t threads, int64_t count, kanto_body body, void *context) {
          for (int64_t index = 0; index < count; index++) body(context, index, threads - 1);
        }
        \(exportsVersion ? "" : "HIDDEN ") extern const kanto_version kanto_plugin_version;
        const kanto_version kanto_plugin_version = {\(magic), \(size), \(major), \(minor), 0, "\(name)"};
        static kanto_status run(const kanto_kernel *kernel, const kanto_arguments *arguments, kanto_message *message) {
          \(run)
        }
        static void release(kanto_kernel *kernel) { \(release) }
        \(declarations)
        static kanto_status make(const kanto_backend *backend, const kanto_problem *problem, const kanto_host *host,
                                 kanto_kernel **kernel, kanto_message *message) {
          \(make)
          *kernel = calloc(1, sizeof **kernel);
          (*kernel)->struct_size = \(kernelSize);
          (*kernel)->run = run;
          (*kernel)->release = release;
          \(finish)
          return KANTO_STATUS_OK;
        }
        static const uint32_t offers[] = {\(offers)};
        static kanto_backend table = {
          .struct_size = \(tableSize), .name = \(tableName ?? "\"\(name)\""), .description = "a probe",
          .offers = \(offersPointer), .offer_count = sizeof offers / sizeof *offers, .make = \(makeFunction),
          .parallel_for = \(parallelFor)};
        \(exportsOpen ? "" : "HIDDEN ") const kanto_backend *kanto_plugin_open(kanto_message *message) {
          (void)make; (void)serial;
          \(open)
        }

        """
    }

    /// Compiles into `libKanto<name>.so` or the given file of the folder, and returns the path.
    public func compile(in folder: TemporaryFolder, as file: String? = nil) throws -> String {
        try compileLibrary(text, to: file ?? "libKanto\(name).so", in: folder)
    }
}

/// Where `kanto_backend.h` lies.
public let interfaceFolder =
    #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Sources/KantoABI/include"

/// Compiles a C source into a library of that name in the folder, and returns its path.
public func compileLibrary(
    _ text: String, to file: String, in folder: TemporaryFolder, options: [String] = []
) throws -> String {
    let source = try folder.write(text, to: file + ".c"), library = folder.path + "/" + file
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = ["cc", "-shared", "-fPIC", "-w", "-I", interfaceFolder, "-o", library, source, "-lm"] + options
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else { throw CompilationFailure(source: text) }
    return library
}

private struct CompilationFailure: Error { let source: String }
