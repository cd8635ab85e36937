import Foundation
import KantoData
import KantoGAN
import KantoKernels
import KantoRuns
import TestSupport

@testable import KantoReport

/// A run's folder that was not trained: its numbers are known.
struct MadeRun {
    let folder: TemporaryFolder
    let path: String
    let history: [IterationMetrics]

    /// - Parameters:
    ///   - change: of an iteration's numbers.
    ///   - hasHistograms: as runs of earlier versions have none.
    init(
        _ count: Int, name: String = "run", in folder: TemporaryFolder? = nil, hasHistograms: Bool = true,
        configure: (inout RunConfiguration) -> Void = { _ in }, change: (Int, inout IterationMetrics) -> Void = { _, _ in }
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        (self.folder, path) = (folder, folder.path + "/" + name)
        try FileManager.default.createDirectory(atPath: path + "/samples", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: path + "/checkpoints", withIntermediateDirectories: true)
        var configuration = Preset.digits.configuration
        configuration.training.iterations = 5000
        configure(&configuration)
        try configuration.write(to: path + "/config.json")
        var history: [IterationMetrics] = []
        var text = ""
        func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }
        // 320 norms: 64 in each of five bins around 1.
        let counts = (0..<80).map { (38...42).contains($0) ? "64" : "0" }.joined(separator: ",")
        for iteration in 1...max(1, count) where count > 0 {
            var metrics = IterationMetrics()
            let t = Double(iteration) / Double(count)
            metrics.iteration = iteration
            metrics.wassersteinEstimate = 0.5 + 3 * exp(-8 * t) + 0.02 * Double(iteration * 37 % 11) / 11
            metrics.criticLoss = -metrics.wassersteinEstimate + 0.1
            metrics.penalty = 0.01 + 0.2 * exp(-10 * t)
            metrics.meanGradientNorm = 1.02
            metrics.largestGradientNorm = 1.3
            metrics.generatorLoss = Double(iteration % 7) / 7 - 0.5
            metrics.seconds = Double(iteration) / 50
            change(iteration, &metrics)
            history.append(metrics)
            text +=
                "{\"iteration\":\(iteration),\"critic_loss\":\(number(metrics.criticLoss)),"
                + "\"wasserstein_estimate\":\(number(metrics.wassersteinEstimate)),\"penalty\":\(number(metrics.penalty)),"
                + "\"gradient_norm_mean\":\(number(metrics.meanGradientNorm)),\"gradient_norm_max\":\(metrics.largestGradientNorm),"
                + (hasHistograms ? "\"gradient_norm_histogram\":[\(counts)]," : "")
                + "\"generator_loss\":\(number(metrics.generatorLoss)),\"seconds\":\(metrics.seconds)}\n"
        }
        self.history = history
        try text.write(toFile: path + "/metrics.jsonl", atomically: false, encoding: .utf8)
    }

    func html(along axis: HorizontalAxis = .iterations) throws -> String { try Report([RecordedRun(folder: path)], along: axis).html }
}

/// What the page's script is given.
func pageData(of html: String) throws -> [String: Any] {
    let start = html.range(of: "<script type=\"application/json\" id=\"data\">")!.upperBound
    let end = html.range(of: "</script>", range: start..<html.endIndex)!.lowerBound
    return try JSONSerialization.jsonObject(with: Data(html[start..<end].utf8)) as? [String: Any] ?? [:]
}

/// Reads a page as a strict reader would: each element is closed in its turn, each attribute is in quotes and stands once.
struct StrictHTML {
    private(set) var faults: [String] = []
    private(set) var identifiers: [String] = []
    private(set) var addresses: [String] = []
    private(set) var text = ""

    private static let empty: Set = ["meta", "img", "input", "br", "link", "hr"]

    init(_ html: String) {
        var open: [String] = []
        var rest = Substring(html)
        while let start = rest.firstIndex(of: "<") {
            text += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix("<!doctype html>") {
                rest = rest.dropFirst(15)
                continue
            }
            guard let end = Self.end(of: rest) else {
                faults.append("a tag has no end: \(rest.prefix(60))")
                return
            }
            let tag = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                let name = String(tag.dropFirst())
                if open.last != name { faults.append("</\(name)> closes <\(open.last ?? "nothing")>") }
                _ = open.popLast()
                continue
            }
            let name = String(tag.prefix { $0.isLetter || $0.isNumber })
            if name.isEmpty { faults.append("< begins no tag: \(tag.prefix(40))") }
            read(tag.dropFirst(name.count), of: name)
            guard !tag.hasSuffix("/"), !Self.empty.contains(name) else { continue }
            open.append(name)
            if name == "script" || name == "style", let close = rest.range(of: "</\(name)>") { rest = rest[close.lowerBound...] }
        }
        text += rest
        if !open.isEmpty { faults.append("not closed: \(open)") }
        if Set(identifiers).count != identifiers.count { faults.append("an id stands twice: \(identifiers.sorted())") }
    }

    private static func end(of text: Substring) -> String.Index? {
        var isQuoted = false
        for index in text.indices {
            if text[index] == "\"" { isQuoted.toggle() }
            if text[index] == ">", !isQuoted { return index }
        }
        return nil
    }

    private mutating func read(_ attributes: Substring, of element: String) {
        var rest = attributes, names: Set<String> = []
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "/" }
            guard !rest.isEmpty else { return }
            let name = String(rest.prefix { !$0.isWhitespace && $0 != "=" && $0 != "/" })
            rest = rest.dropFirst(name.count)
            if name.isEmpty || !names.insert(name).inserted { faults.append("attribute '\(name)' of <\(element)>") }
            guard rest.first == "=" else { continue }
            guard rest.dropFirst().first == "\"", let end = rest.dropFirst(2).firstIndex(of: "\"") else {
                faults.append("\(name) of <\(element)> is not in quotes")
                return
            }
            let value = String(rest.dropFirst(2)[..<end])
            if value.contains("<") { faults.append("\(name) of <\(element)> holds a <") }
            if name == "id" { identifiers.append(value) }
            if ["src", "href", "action", "srcset", "data"].contains(name) { addresses.append(value) }
            rest = rest[rest.index(after: end)...]
        }
    }
}
