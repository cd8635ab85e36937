import KantoData
import KantoDescriptions
import KantoGAN
import KantoTensor
import TestSupport
import Testing

@testable import KantoRuns

/// What is held out from training, and what the critic says of it.
@Suite struct HeldOutTests {
    @Test func aShareIsHeldOutAndNotTrainedOn() throws {
        let data = try Datasets.open(DataDescription(path: "digits"))
        let (training, heldOut) = data.holdingOut(share: 0.1)
        #expect(heldOut.count == 180 && training.count + heldOut.count == data.count)
        func rows(_ data: any Dataset) throws -> [ArraySlice<Float>] {
            let values = try data.samples(Array(0..<data.count))
            return (0..<data.count).map { values[$0 * 64..<($0 + 1) * 64] }
        }
        let (whole, parts) = (try rows(data), try rows(training) + rows(heldOut))
        #expect(Dictionary(whole.map { ($0, 1) }, uniquingKeysWith: +) == Dictionary(parts.map { ($0, 1) }, uniquingKeysWith: +))
        #expect(training.labels?.count == training.count)
        // Of all classes about as many, though the digits come in turn.
        let counts = (0..<10).map { digit in heldOut.labels!.count { $0 == digit } }
        #expect(counts.allSatisfy { 6...30 ~= $0 }, "\(counts)")
        // The same ones each time.
        #expect(try rows(data.holdingOut(share: 0.1).heldOut) == rows(heldOut))
        #expect(data.holdingOut(share: 1e-9).heldOut.count == 1 && data.holdingOut(share: 1 - 1e-9).training.count == 1)
    }

    @Test func aConfigurationNamesAShareOrAPath() throws {
        func heldOut(_ value: DescriptionValue) throws -> HeldOut? {
            try RunConfiguration(completing: .object(["preset": .text("digits")]), setting: [("data.held_out", value)]).data.heldOut
        }
        #expect(try heldOut(.word("0.2")) == .share(0.2))
        #expect(try heldOut(.number(0.2)) == .share(0.2))
        #expect(try heldOut(.word("t10k")) == .path("t10k"))
        #expect(try heldOut(.null) == nil)
        for wrong in [DescriptionValue.word("1.5"), .integer(0), .word(""), .boolean(true)] {
            let error = #expect(throws: DescriptionError.self) { try heldOut(wrong) }
            #expect(error?.description.contains("held_out: expected a share between 0 and 1, or a path, found") == true)
        }
    }

    @Test func stackedPicturesHaveNoClassToBeToldOf() throws {
        var description = DataDescription(path: "digits")
        description.stacked = 2
        let data = try Datasets.open(description)
        let error = #expect(throws: DataError.self) { try ClassLabels(data, path: "digits") }
        #expect(error?.description.hasSuffix("which 'conditioning' wants; pictures that data.stacked stacks have several") == true)
    }

    private func run(_ path: String, heldOut: HeldOut?, in folder: TemporaryFolder, as name: String) throws -> Run {
        var configuration = RunConfiguration()
        configuration.data.path = path
        configuration.data.heldOut = heldOut
        configuration.architecture = ArchitectureDescription(kind: PerceptronArchitecture(), common: ArchitectureKinds.Common())
        (configuration.training.batchSize, configuration.sampleInterval) = (16, 2)
        return try Run(configuration, folder: folder.path + "/" + name)
    }

    @Test func theLossesAreMeasuredAtEachInterval() throws {
        let folder = try TemporaryFolder()
        let run = try run("ring8", heldOut: .path("swissroll"), in: folder, as: "run")
        let history = try (0..<4).map { _ in try run.step() }
        #expect(history.map { $0.heldOutCriticLoss != nil } == [false, true, false, true])
        #expect(history.map(\.modeCount) == [nil, 8, nil, 8] && 0...8 ~= history[3].coveredModes ?? -1)
        #expect(history.allSatisfy { ($0.heldOutCriticLoss == nil) == ($0.trainingCriticLoss == nil) })
        #expect(history[3].heldOutCriticLoss != history[3].trainingCriticLoss)
        // They stand in the log, and nothing else changes.
        #expect(try LoggedMetrics(ofRun: run.folder).history == history)
        let plain = try self.run("ring8", heldOut: nil, in: folder, as: "plain")
        #expect(try (0..<4).map { _ in try plain.step().wassersteinEstimate } == history.map(\.wassersteinEstimate))
    }

    /// Generated data have no end: what is held out by their own name is drawn anew, so an untrained critic knows none of it.
    @Test func generatedDataHoldOutOtherSamples() throws {
        var configuration = RunConfiguration()
        configuration.data.path = "ring8"
        let training = try Run.openData(configuration.data, configuration)
        let heldOut = try Run.openOtherData("ring8", configuration)
        let known = Set(try training.samples(Array(0..<200)))
        #expect(try heldOut.samples(Array(0..<200)).allSatisfy { !known.contains($0) })
    }

    /// Tables are standardized by the training's columns, whatever those of the held-out file are.
    @Test func heldOutRowsAreInTheUnitsOfTheTraining() throws {
        let folder = try TemporaryFolder()
        let rows = (0..<64).map { "\(1000 + $0),\(Double($0 % 7) * 1e-3 - 5)" }
        let path = try folder.write(rows.joined(separator: "\n"), to: "rows.csv")
        // A part of the same rows, twice: other means, and the same losses as the same samples have.
        let part = try folder.write((rows[..<32] + rows[..<32]).joined(separator: "\n"), to: "part.csv")
        let description = DataDescription(path: path)
        let (data, other) = (try Datasets.open(description), try Datasets.open(DataDescription(path: part)))
        let converted = data.units.applied(other.restored(try other.samples([3, 40])))
        let expected = try data.samples([3, 8])
        #expect(zip(converted, expected).allSatisfy { abs($0 - $1) < 1e-3 }, "\(converted) \(expected)")
        _ = try run(path, heldOut: .path(part), in: folder, as: "run")
        let error = #expect(throws: DataError.self) { try run(path, heldOut: .path("digits"), in: folder, as: "other") }
        #expect(error?.description.contains("data.held_out: 1797 samples of shape [8, 8, 1], expected samples of [2]") == true)
    }

    /// A file of labels is that of the training's samples alone.
    @Test func labelsOfTheTrainingAreNotThoseOfOtherData() throws {
        let folder = try TemporaryFolder()
        func rows(_ count: Int) -> String { (0..<count).map { "\($0),\($0 * $0)" }.joined(separator: "\n") }
        var configuration = RunConfiguration()
        configuration.data.path = try folder.write(rows(64), to: "rows.csv")
        configuration.data.labels = try folder.write((0..<64).map { "\($0 % 2)" }.joined(separator: "\n"), to: "labels.txt")
        configuration.data.heldOut = .path(try folder.write(rows(32), to: "part.csv"))
        let (training, heldOut) = try Run.holdOut(of: Run.openData(configuration.data, configuration), configuration)
        #expect(training.labels?.count == 64 && heldOut?.count == 32 && heldOut?.labels == nil)
    }
}
