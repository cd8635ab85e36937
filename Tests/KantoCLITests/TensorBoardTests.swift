import Foundation
import KantoData
import TestSupport
import Testing

/// What the real TensorBoard reads of a run. It runs where Python has the package `tensorboard`; `KANTO_PYTHON` names
/// another Python than the one in the path.
@Suite struct TensorBoardTests {
    private static func run(_ script: String, _ arguments: String...) throws -> ProgramOutcome {
        try ProgramOutcome(of: [python, "-c", script] + arguments)
    }

    private static let isInstalled =
        (try? run("import importlib.util, sys; sys.exit(importlib.util.find_spec('tensorboard') is None)"))?.status == 0

    /// Prints what there is of each kind: the steps, and of the last step the value.
    private static let reader = """
        import sys
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "images": 0})
        events.Reload()
        for tag in sorted(events.Tags()["scalars"]):
            print("scalar", tag, ",".join(str(e.step) for e in events.Scalars(tag)), events.Scalars(tag)[-1].value)
        for tag in events.Tags()["histograms"]:
            h = events.Histograms(tag)[-1].histogram_value
            print("histogram", tag, ",".join(str(e.step) for e in events.Histograms(tag)), h.num, sum(h.bucket))
        for tag in events.Tags()["images"]:
            i = events.Images(tag)[-1]
            print("image", tag, ",".join(str(e.step) for e in events.Images(tag)), i.width, i.height, i.encoded_image_string[1:4].decode())
        """

    @Test(.enabled(if: isInstalled, "Python's package tensorboard is not installed; KANTO_PYTHON names a Python that has it"))
    func theRealOneReadsARun() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        let words = ["--set", "sample_interval=2", "--set", "data.held_out=0.1", "--tensorboard"]
        #expect(try kanto(["train", "--iterations", "3", "--out", path] + words).status == 0)
        let ended = try kanto("train", "--resume", path, "--iterations", "5")
        #expect(ended.status == 0, "\(ended)")
        let log = try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        let last = try #require(try JSONSerialization.jsonObject(with: Data(log[4].utf8)) as? [String: Any])

        let reading = try Self.run(Self.reader, path)
        let (status, output) = (reading.status, reading.text)
        #expect(status == 0)
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        func line(_ kind: String, _ tag: String) throws -> [String] {
            try #require(lines.first { $0[0] == kind && $0[1] == tag }, "\(kind) \(tag) in \(output)")
        }
        let estimate = try line("scalar", "critic/wasserstein_estimate")
        #expect(estimate[2] == "1,2,3,4,5")
        #expect(try abs(#require(Double(estimate[3])) - (last["wasserstein_estimate"] as! Double)) < 1e-6)
        #expect(try line("scalar", "critic/held_out_loss")[2] == "2,4")
        #expect(lines.count { $0[0] == "scalar" } == 9)
        let histogram = try line("histogram", "gradient_norm/histogram")
        // Two iterations of five critic steps of 64 points.
        #expect(histogram[2...] == ["2,4", "640.0", "640.0"], "\(histogram)")
        if PNG.isAvailable {
            let image = try line("image", "samples")
            #expect(image[2].hasPrefix("2,") && image[2].hasSuffix("5") && image[5] == "PNG")
            // Eight rows of eight, and one of real pictures set apart by eight pixels.
            let width = try #require(Int(image[3])), height = try #require(Int(image[4]))
            #expect(width == 8 * 49 + 1 && height == width + 8 + 49)
        }
    }

    /// Without asking for them there are none.
    @Test func eventsAreOffByDefault() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        func events() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: path).count { $0.contains("tfevents") } }
        #expect(try kanto("train", "--iterations", "1", "--out", path).status == 0)
        #expect(try events() == 0)
        try FileManager.default.removeItem(atPath: path)
        #expect(try kanto("train", "--iterations", "1", "--out", path, "--set", "tensorboard=true").status == 0)
        #expect(try events() == 1)
    }
}
