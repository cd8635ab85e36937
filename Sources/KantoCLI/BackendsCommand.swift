import ArgumentParser
import Kanto

struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "Show which backends exist, what each serves, and why a plugin did not load.")

    func run() throws {
        let registry: Registry
        do { registry = try Registry.shared() } catch {
            let (message, code) = Failure.line(for: error)
            printError("kanto backends: \(message)")
            throw ExitCode(code)
        }
        let sets = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue).joined(separator: ", ")
        print("processor  \(Processor.name), \(Processor.coreCount) cores, instruction sets: \(sets)")
        print("threads    \(registry.configuration.threadCount)")
        print("selected   \(registry.configuration.backends.joined(separator: ","))"
            + " (simd is simd-\(registry.configuration.instructionSet.rawValue))\n")

        let rows = registry.backends.map { backend in
            [backend.name, serves(backend, .float32), serves(backend, .float64), backend.summary + origin(backend)]
        }
        let header = ["BACKEND", "FLOAT32", "FLOAT64", "WHAT IT IS"]
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
        for row in [header] + rows {
            let cells = row.enumerated().map { column, text in
                column == row.count - 1 ? text : text + String(repeating: " ", count: widths[column] - text.count)
            }
            print(cells.joined(separator: "  "))
        }
        for failure in registry.pluginFailures { print("\nnot loaded: \(failure.path): \(failure.reason)") }
        if !registry.backends.contains(where: { $0.name == "onednn" }) {
            print("\nonednn is not here: install libdnnl-dev (apt-get install libdnnl-dev), then 'swift package purge-cache'"
                + " and a plain 'swift build' make its plugin.")
        }
    }

    private func serves(_ backend: Backend, _ type: ElementType) -> String {
        let ops = Op.allCases.filter { backend.offers($0, type) }
        if ops.isEmpty { return "-" }
        if ops.count == Op.allCases.count { return "all" }
        return ops == [.matmul, .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient]
            ? "matmul, conv2d" : ops.map(\.description).joined(separator: ", ")
    }

    private func origin(_ backend: Backend) -> String {
        if case .plugin(let path) = backend.origin { return " (\(path))" }
        return ""
    }
}
