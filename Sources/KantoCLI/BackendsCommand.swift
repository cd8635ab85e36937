import ArgumentParser
import KantoKernels

struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "Show which backends exist, what each serves, and why a plugin did not load.")

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws { try Self.reportingErrors { try show(Registry.shared()) } }

    private func show(_ registry: Registry) throws {
        if json { return print(try jsonText(Report(registry))) }
        let sets = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue).joined(separator: ", ")
        let quota = Processor.quota.map { " of which a control group grants \($0)" } ?? ""
        print("processor  \(Processor.name), \(Processor.coreCount) cores\(quota), instruction sets: \(sets)")
        print("bfloat16   \(registry.reasonForSlowBfloat16.map { "slower than float32: \($0)" } ?? "by an instruction")")
        print("threads    \(registry.configuration.threadCount)")
        print("selected   \(selected(registry))\n")

        printTable(
            ["BACKEND", "FLOAT32", "FLOAT64", "WHAT IT IS"],
            registry.backends.map { backend in
                [backend.name, serves(backend, .float32), serves(backend, .float64), backend.summary + origin(backend)]
            })
        for failure in registry.pluginFailures { print("\nnot loaded: \(failure.path): \(failure.reason)") }
        for (name, way) in Registry.waysToGet where !registry.backends.contains(where: { $0.name == name }) {
            print("\n\(name) is not here: \(way)")
        }
    }

    /// Or why nothing is: the list below is then what helps.
    private func selected(_ registry: Registry) -> String {
        let list = registry.configuration.backends.joined(separator: ",")
        do {
            return try withBackend(list) { "\(list) (simd is simd-\(registry.configuration.instructionSet.rawValue))" }
        } catch {
            return "nothing: \(error)"
        }
    }

    private func serves(_ backend: Backend, _ type: ElementType) -> String {
        let ops = Op.allCases.filter { backend.offers($0, type) }
        if ops.isEmpty { return "-" }
        if ops.count == Op.allCases.count { return "all" }
        let convolutions: [Op] = [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient]
        let others = ops.filter { !convolutions.contains($0) }
        let servesAll = others.count == ops.count - convolutions.count
        return ((servesAll ? others : ops).map(\.description) + (servesAll ? ["conv2d"] : [])).joined(separator: ", ")
    }

    private func origin(_ backend: Backend) -> String {
        if case .plugin(let path) = backend.origin { return " (\(path))" }
        return ""
    }
}

/// What `kanto backends --json` prints.
private struct Report: Encodable {
    struct Entry: Encodable {
        let name: String
        let description: String
        /// The plugin's file, or "built in".
        let origin: String
        /// By element type, as in the one-line form of a problem.
        let ops: [String: [String]]
    }
    struct Failure: Encodable { let path: String, reason: String }

    let processor: String
    let cores: Int
    /// How many cores' time a control group grants, if one sets a bound.
    let quota: Double?
    let instructionSets: [String]
    /// Whether the SIMD backend has an instruction for products of bfloat16.
    let bfloat16Instruction: Bool
    let threads: Int
    /// As `KANTO_BACKEND` names them.
    let selected: [String]
    /// The variant that `simd` stands for.
    let simd: String
    let backends: [Entry]
    let failures: [Failure]

    enum CodingKeys: String, CodingKey {
        case processor, cores, quota, instructionSets = "instruction_sets",
            bfloat16Instruction = "bfloat16_instruction", threads, selected, simd, backends, failures
    }

    init(_ registry: Registry) {
        processor = Processor.name
        cores = Processor.coreCount
        quota = Processor.quota
        instructionSets = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue)
        bfloat16Instruction = registry.multipliesBfloat16
        threads = registry.configuration.threadCount
        selected = registry.configuration.backends
        simd = "simd-" + registry.configuration.instructionSet.rawValue
        backends = registry.backends.map { backend in
            let ops = ElementType.allCases.map { type in
                (type.description, Op.allCases.filter { backend.offers($0, type) }.map(\.description))
            }
            let origin = if case .plugin(let path) = backend.origin { path } else { "built in" }
            return Entry(
                name: backend.name, description: backend.summary, origin: origin, ops: Dictionary(uniqueKeysWithValues: ops))
        }
        failures = registry.pluginFailures.map { Failure(path: $0.path, reason: $0.reason) }
    }
}
