import Foundation
import KantoData
import KantoGAN
import KantoKernels
import KantoPictures
import KantoRuns
import TestSupport
import Testing

@testable import KantoReport

@Suite struct LiveReportTests {
    private func train(_ preset: Preset, in folder: TemporaryFolder, iterations: Int, change: (inout RunConfiguration) -> Void = { _ in }) throws -> String {
        var configuration = preset.configuration
        configuration.training.iterations = iterations
        configuration.training.batchSize = 32
        configuration.sampleInterval = 2
        change(&configuration)
        let run = try Run(configuration, folder: folder.path + "/run")
        let report = LiveReport(of: run)
        run.onSnapshot = { snapshot in
            if PNG.isAvailable { try snapshot.drawPictures() }
            try report.write(snapshot)
        }
        try Kernels.run { () throws in
            while run.trainer.iteration < iterations { _ = try run.step() }
            let running = try String(contentsOfFile: run.folder + "/report.html", encoding: .utf8)
            #expect(running.contains("training, ") && running.contains("\"running\":true") && !running.contains("Go on from here"))
            try run.writeSnapshot(Run.Snapshot.final)
        }
        return run.folder
    }

    @Test func aRunKeepsUpItsReport() throws {
        let folder = try TemporaryFolder()
        let run = try train(.digits, in: folder, iterations: 5)
        let html = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
        #expect(StrictHTML(html).faults.isEmpty)
        #expect(html.contains("5 iterations, finished") && html.contains("\"running\":false"))
        #expect(html.contains("32 lines of mean length"))
        if PNG.isAvailable {
            // Samples at 2, 4 and 5 iterations, all but the last for the slider; 64 real ones; 16 pairs.
            #expect(try pageData(of: html)["its"] as? [Int] == [2, 4, 5])
            #expect(html.contains("64 real pictures") && html.components(separatedBy: "its nearest real picture").count == 17)
        }
        // `kanto report` finds the same in the folder.
        let again = try Report([RecordedRun(folder: run)]).html
        #expect(again == html)
        #expect(html.utf8.count < 450 << 10)
    }

    @Test func pointsStandOverTheCritic() throws {
        let folder = try TemporaryFolder()
        let run = try train(try Preset(named: "ring8"), in: folder, iterations: 3) { $0.training.criticSteps = 1 }
        let html = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
        #expect(StrictHTML(html).faults.isEmpty)
        #expect(html.contains("id=\"points0\"") && html.contains("600 real points") && html.contains("id=\"arrows0\""))
        #expect(html.contains("id=\"surface0\"") == PNG.isAvailable)
        let view = try CriticView(contentsOf: run + "/samples/final.safetensors")
        let plane = try #require(view.plane)
        #expect(view.iteration == 3 && view.lines.count == 32 && plane.points.count == 1200 && plane.scores.count == 48 * 48)
        #expect(view.lines.allSatisfy { $0[0] == 0 })
        // What is kept of a snapshot is small.
        let size = try FileManager.default.attributesOfItem(atPath: run + "/samples/final.safetensors")[.size] as? Int
        #expect(size! < 24 << 10)
        #expect(try Report([RecordedRun(folder: run)]).html == html)
    }

    /// The slope at a point is what the scores around it say.
    @Test func arrowsAreTheGradientOfTheScores() throws {
        let folder = try TemporaryFolder()
        let run = try train(try Preset(named: "ring8"), in: folder, iterations: 3) { $0.training.criticSteps = 1 }
        let plane = try #require(try CriticView(contentsOf: run + "/samples/final.safetensors").plane)
        let cell = 2 * plane.reach / Double(CriticView.Plane.side)
        func score(_ x: Int, _ y: Int) -> Double { Double(plane.scores[y * CriticView.Plane.side + x]) }
        var errors: [Double] = [], norms: [Double] = []
        for slope in plane.slopes {
            let (x, y) = (Int((Double(slope[0]) + plane.reach) / cell), Int((Double(slope[1]) + plane.reach) / cell))
            guard (1..<CriticView.Plane.side - 1).contains(x), (1..<CriticView.Plane.side - 1).contains(y) else { continue }
            let (dx, dy) = ((score(x + 1, y) - score(x - 1, y)) / 2 / cell, (score(x, y + 1) - score(x, y - 1)) / 2 / cell)
            errors.append(((dx - Double(slope[2])) * (dx - Double(slope[2])) + (dy - Double(slope[3])) * (dy - Double(slope[3]))).squareRoot())
            norms.append(Double(slope[2] * slope[2] + slope[3] * slope[3]).squareRoot())
        }
        try #require(errors.count > 20)
        #expect(errors.sorted()[errors.count / 2] < 0.2 * norms.sorted()[norms.count / 2], "\(errors) \(norms)")
    }

    /// A file that is damaged costs its frame, not the report.
    @Test func aDamagedPictureIsPassedOver() throws {
        let folder = try TemporaryFolder()
        let run = try train(.digits, in: folder, iterations: 5)
        for name in ["iteration-000002.safetensors", "iteration-000004.png"] {
            try Data("no such file".utf8).write(to: URL(filePath: run + "/samples/" + name))
        }
        let html = try Report([RecordedRun(folder: run)]).html
        #expect(StrictHTML(html).faults.isEmpty)
        if PNG.isAvailable { #expect(try pageData(of: html)["its"] as? [Int] == [5]) }
    }
}
