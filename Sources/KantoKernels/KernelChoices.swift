/// Which backends `auto` has chosen by measured times, so that a training that goes on elsewhere, or after other measurements,
/// computes with the same ones.
struct KernelChoices {
    private var names: [Problem: String] = [:]
    /// Those of an earlier process: the order in which backends are asked.
    private var replayed: [Problem: [Backend]] = [:]

    /// The order that was chosen once; nil for a problem that is new.
    func order(for problem: Problem) -> [Backend]? { replayed.isEmpty ? nil : replayed[problem] }

    mutating func note(_ backend: Backend, for problem: Problem) {
        guard Tuner.isTuned(problem) else { return }
        // On another processor simd is another of its variants.
        let variant = backend.variantOf ?? backend.name
        names[problem] = variant.hasPrefix("simd-") ? "simd" + backend.name.dropFirst(variant.count) : backend.name
    }

    mutating func replay(_ orders: [Problem: [Backend]]) {
        replayed = orders
        for (problem, order) in orders { note(order[0], for: problem) }
    }

    /// A line a problem: the backend's name, a tab, the problem; nil if there is none.
    var text: String? {
        names.isEmpty ? nil : names.map { "\($1)\t\($0)" }.sorted().joined(separator: "\n")
    }

    /// What `text` was made of. A line that a later version wrote otherwise is passed over.
    static func entries(of text: String) -> [(problem: Problem, backend: String)] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            guard parts.count == 2, let problem = try? Problem(parsing: parts[1]) else { return nil }
            return (problem, parts[0])
        }
    }
}
