import Glibc
import KantoABI

/// A folder that goes with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/kanto-plugins-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Mishap("mkdtemp: \(String(cString: strerror(errno)))") }
        self.path = String(cString: path)
    }

    deinit {
        if let handle = opendir(path) {
            while let entry = readdir(handle) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != "..", unlink(path + "/" + name) != 0 { rmdir(path + "/" + name) }
            }
            closedir(handle)
        }
        rmdir(path)
    }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        guard let stream = fopen(file, "w") else { throw Mishap("\(file): \(String(cString: strerror(errno)))") }
        defer { fclose(stream) }
        guard fputs(text, stream) >= 0 else { throw Mishap("\(file): cannot write") }
        return file
    }

    struct Mishap: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

/// The C source of a small plugin, each part of which may be wrong. It serves float32 matmul alone, declines m > 4, and
/// writes 42 into the first element of the output.
struct PluginSource: Sendable {
    var name = "probe"
    var magic = "KANTO_ABI_MAGIC"
    var size = "sizeof(kanto_version)"
    var major = "KANTO_ABI_MAJOR"
    var minor = "KANTO_ABI_MINOR"
    var tableName: String?
    var tableSize = "sizeof(kanto_backend)"
    var makeFunction = "make"
    var parallelFor = "NULL"
    var make = #"if (problem->matmul.m > 4) { say(message, "m is above 4"); return KANTO_STATUS_DECLINED; }"#
    var kernelSize = "sizeof(kanto_kernel)"
    var run = "*(float *)arguments->outputs[0] = 42; return KANTO_STATUS_OK;"
    var open = "return &table;"
    var exportsVersion = true
    var exportsOpen = true

    var text: String {
        """
        #include <kanto_backend.h>
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
        static void release(kanto_kernel *kernel) { free(kernel); }
        static kanto_status make(const kanto_backend *backend, const kanto_problem *problem, const kanto_host *host,
                                 kanto_kernel **kernel, kanto_message *message) {
          \(make)
          *kernel = calloc(1, sizeof **kernel);
          (*kernel)->struct_size = \(kernelSize);
          (*kernel)->run = run;
          (*kernel)->release = release;
          return KANTO_STATUS_OK;
        }
        static kanto_backend table = {
          .struct_size = \(tableSize), .name = \(tableName ?? "\"\(name)\""), .description = "a probe",
          .offers_f32 = KANTO_OFFER(KANTO_OP_MATMUL), .make = \(makeFunction), .parallel_for = \(parallelFor)};
        \(exportsOpen ? "" : "HIDDEN ") const kanto_backend *kanto_plugin_open(kanto_message *message) {
          (void)make; (void)serial;
          \(open)
        }

        """
    }

    /// Compiles into `libKanto<name>.so` or the given file of the folder, and returns the path.
    func compile(in folder: TemporaryFolder, as file: String? = nil) throws -> String {
        try compileLibrary(text, to: file ?? "libKanto\(name).so", in: folder)
    }
}

func compileLibrary(_ text: String, to file: String, in folder: TemporaryFolder) throws -> String {
    let source = try folder.write(text, to: file + ".c"), library = folder.path + "/" + file
    let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    let words = ["cc", "-shared", "-fPIC", "-w", "-I", root + "/Sources/KantoABI/include", "-o", library, source]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let started = posix_spawnp(&process, "cc", nil, nil, &arguments, environ)
    guard started == 0 else { throw TemporaryFolder.Mishap("cc: \(String(cString: strerror(started)))") }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw TemporaryFolder.Mishap("cc failed on \(source)") }
    return library
}
