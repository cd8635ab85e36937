import KantoDescriptions
import KantoGAN
import KantoNN
import KantoRuns

/// What the runs were made of, the machine, and the curves as numbers.
struct ConfigurationSection {
    let runs: [PageRun]

    struct Difference {
        let name: String
        /// One a run.
        let values: [String]
    }

    /// What configurations differ in, in the order of the file.
    static func differences(of configurations: [RunConfiguration]) -> [Difference] {
        rows(of: configurations).filter { Set($0.values).count > 1 }
    }

    /// Keys that say where a run was, not what it is, or that are too long to be read in a table.
    private static let hidden = ["machine", "networks", "data_digest"]

    private static func rows(of configurations: [RunConfiguration]) -> [Difference] {
        let flat = configurations.map { configuration -> [(key: String, value: String)] in
            guard case .object(let members) = configuration.described(isWhole: true) else { return [] }
            return members.keys.sorted().filter { !hidden.contains($0) }.flatMap { pairs(members[$0]!, under: $0) }
        }
        var keys: [String] = []
        for key in flat.joined().map(\.key) where !keys.contains(key) { keys.append(key) }
        var rows = keys.sorted().map { key in
            Difference(
                name: key.replacing("_", with: " "),
                values: flat.map { pairs in pairs.first { $0.key == key }?.value ?? NumberText.missing })
        }
        let networks = configurations.map { $0.networks.descriptionValue.json }
        for (name, part) in [("generator", \RunConfiguration.networks.generator), ("critic", \.networks.critic)] {
            let values = configurations.map { summary($0[keyPath: part]) }
            if values.contains(where: { $0 != NumberText.missing }) { rows.append(Difference(name: name, values: values)) }
        }
        if Set(networks).count > 1, rows.allSatisfy({ !["generator", "critic"].contains($0.name) || Set($0.values).count == 1 }) {
            rows.append(Difference(name: "networks", values: networks.indices.map { "network \($0 + 1)" }))
        }
        return rows
    }

    /// The values below a key, each with its dotted path; what is null is left out.
    private static func pairs(_ value: DescriptionValue, under path: String) -> [(key: String, value: String)] {
        switch value {
        case .null: []
        case .object(let members):
            members.keys.sorted().flatMap { pairs(members[$0]!, under: $0 == "name" ? path : "\(path).\($0)") }
        case .list(let values): [(path, values.map { plain($0) }.joined(separator: ", "))]
        default: [(path, plain(value))]
        }
    }

    private static func plain(_ value: DescriptionValue) -> String {
        switch value {
        case .text(let text), .word(let text): text
        case .integer(let number) where number > 9999: NumberText.whole(Double(number))
        case .boolean(let flag): flag ? "yes" : "no"
        default: value.json
        }
    }

    private static func summary(_ network: NetworkDescription) -> String {
        let count = network.layers.count
        guard count > 0 else { return NumberText.missing }
        let input = network.input.map(String.init).joined(separator: "×")
        return "\(count) layers from \(input)"
    }

    // MARK: HTML

    var html: String {
        guard !runs.isEmpty else { return "" }
        let rows = Self.rows(of: runs.map(\.configuration))
        let half = (rows.count + 1) / 2
        let parts = runs.count == 1 ? [Array(rows[..<half]), Array(rows[half...])] : [rows]
        let heads =
            runs.count == 1
            ? ""
            : "<thead><tr><th></th>" + runs.map { "<th class=\"r \($0.color)\" scope=\"col\">\(escaped($0.name))</th>" }.joined()
                + "</tr></thead>"
        let tables = parts.map { part in
            "<table\(runs.count > 1 ? " class=\"two\"" : "")>\(heads)<tbody>\(part.map(row).joined())</tbody></table>"
        }
        return "<section><h2>Configuration</h2><div class=\"cols\">\(tables.joined())\(machine)</div>\(numbers)</section>"
    }

    private func row(_ difference: Difference) -> String {
        let isDifferent = Set(difference.values).count > 1
        return "<tr\(isDifferent ? " class=\"diff\"" : "")><th scope=\"row\">\(escaped(difference.name))</th>"
            + difference.values.map { "<td class=\"r\">\(escaped($0))</td>" }.joined() + "</tr>"
    }

    /// Where the first run was computed.
    private var machine: String {
        guard let machine = runs[0].configuration.machine else { return "" }
        let threads = "\(machine.threadCount) thread\(machine.threadCount == 1 ? "" : "s")"
        var rows = [
            ("Processor", machine.processor ?? ""),
            ("Kernels", "\(machine.backends.joined(separator: ", ")), \(machine.instructionSet)"),
            ("Threads", threads), ("Critic step", runs[0].configuration.training.criticStep.rawValue), ("Kanto", machine.version),
        ]
        if let rate = machine.multiplyAddRate { rows.append(("Multiply-add limit", "\(NumberText.whole(rate)) GFLOP/s")) }
        let body = rows.filter { !$0.1.isEmpty }.map {
            "<tr><th scope=\"row\">\($0.0)</th><td class=\"r\">\(escaped($0.1))</td></tr>"
        }
        return "<table><tbody>\(body.joined())</tbody></table>"
    }

    /// The curves of the first run at eleven places.
    private var numbers: String {
        let run = runs[0], count = run.curves.iterationCount
        let quantities = Quantity.allCases.filter { run.curves[$0] != nil }
        guard count > 0, !quantities.isEmpty else { return "" }
        var places: [Int] = []
        for tenth in 0...10 {
            let place = max(1, Int((Double(count * tenth) / 10).rounded()))
            if place != places.last { places.append(place) }
        }
        let heads = quantities.map { "<th class=\"r\" scope=\"col\">\($0.rawValue.replacing("_", with: " "))</th>" }.joined()
        let rows = places.map { place in
            let cells = quantities.map { quantity in
                let means = run.curves[quantity]!.buckets.mean
                let value = means[min(means.count - 1, (place - 1) / run.curves.bucketSize)]
                return "<td class=\"r\">\(quantity.isShare ? NumberText.percent(value) : NumberText.short(value))</td>"
            }
            return "<tr><th scope=\"row\">\(NumberText.whole(place))</th>\(cells.joined())</tr>"
        }
        let title = runs.count == 1 ? "The curves as numbers" : "The curves of \(escaped(run.name)) as numbers"
        return "<details><summary>\(title)</summary><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"\(title)\">"
            + "<table class=\"num\"><thead><tr><th scope=\"col\">iteration</th>\(heads)</tr></thead><tbody>\(rows.joined())</tbody>"
            + "</table></div></details>"
    }
}
