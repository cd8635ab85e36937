import Foundation
import KantoData
import KantoGAN
@testable import KantoRuns
import TestSupport
import Testing

/// A run that was ended goes on as if it had not been.
@Suite struct ResumeTests {
    private func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
        var configuration = Preset.digits.configuration
        configuration.training.iterations = 9
        configuration.training.averageDecay = 0.9
        configuration.data.heldOut = .share(0.05)
        configuration.sampleInterval = 2
        change(&configuration)
        return configuration
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    /// The lines of a log, but for the seconds, which are nobody's promise.
    private func log(_ run: String) throws -> [Substring] {
        try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            line.prefix(upTo: line.range(of: ",\"seconds\"")!.lowerBound)
        }
    }

    private func checkpoints(_ run: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").sorted()
    }

    /// Ended after any number of iterations: behind a checkpoint, between two, and before the first.
    @Test(arguments: [1, 4, 5, 8]) func goesOnWithTheSameBits(endedAfter count: Int) throws {
        let folder = try TemporaryFolder()
        let (whole, ended) = (folder.path + "/whole", folder.path + "/ended")
        do {
            let run = try Run(configuration(), folder: whole)
            while run.trainer.iteration < 9 { _ = try run.step() }
            try run.writeSnapshot("final")
        }
        do {
            let run = try Run(configuration(), folder: ended)
            for _ in 0..<count { _ = try run.step() }
        }
        // What a killed process leaves of a line.
        let file = try FileHandle(forWritingTo: URL(filePath: ended + "/metrics.jsonl"))
        try file.seekToEnd()
        file.write(Data("{\"iteration\":".utf8))
        try file.close()

        let run = try Run(resuming: ended) { Issue.record("noted: \($0)") }
        #expect(run.trainer.iteration == count / 2 * 2)
        while run.trainer.iteration < 9 { _ = try run.step() }
        try run.writeSnapshot("final")
        #expect(try bytes(ended + "/checkpoints/final.safetensors") == bytes(whole + "/checkpoints/final.safetensors"))
        #expect(try log(ended) == log(whole))
        #expect(try log(ended).count == 9)
    }

    @Test func aRunThatIsDoneGoesOnWithMoreIterations() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        do {
            let run = try Run(configuration { $0.training.iterations = 2 }, folder: path)
            for _ in 0..<2 { _ = try run.step() }
            try run.writeSnapshot("final")
        }
        let error = #expect(throws: DataError.self) { _ = try Run(resuming: path) }
        #expect(error?.description == "\(path): the run has done all of its 2 iterations; ask for more of them to go on: --iterations 4")
        let run = try Run(resuming: path, iterations: 3)
        #expect(try run.step().iteration == 3)
        #expect(try RunConfiguration(contentsOf: path + "/config.json").training.iterations == 3)
    }

    /// Ended after the last iteration, or with a last checkpoint that is damaged, only that checkpoint is left to write.
    @Test(arguments: [false, true]) func theLastCheckpointAloneIsMissing(isDamaged: Bool) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        let final = path + "/checkpoints/final.safetensors"
        var expected = Data()
        do {
            let run = try Run(configuration { $0.training.iterations = 2 }, folder: path)
            for _ in 0..<2 { _ = try run.step() }
            try run.writeSnapshot("final")
            expected = try bytes(final)
        }
        if isDamaged { try Data("x".utf8).write(to: URL(filePath: final)) } else { try FileManager.default.removeItem(atPath: final) }
        do {
            let run = try Run(resuming: path)
            #expect(run.trainer.iteration == 2)
            try run.writeSnapshot("final")
        }
        #expect(try bytes(final) == expected)
        #expect(throws: DataError.self) { _ = try Run(resuming: path) }
    }

    /// A bit that flipped on the disk is told, and the checkpoint before it serves.
    @Test func aDamagedCheckpointIsPassedOver() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        do {
            let run = try Run(configuration(), folder: path)
            for _ in 0..<5 { _ = try run.step() }
        }
        try FileManager.default.removeItem(atPath: path + "/checkpoints/best.safetensors")
        let last = path + "/checkpoints/iteration-000004.safetensors"
        var damaged = try bytes(last)
        damaged[damaged.count / 2] ^= 4
        try damaged.write(to: URL(filePath: last))
        var notes: [String] = []
        #expect(try Run(resuming: path) { notes.append($0) }.trainer.iteration == 2)
        #expect(notes.count == 1)
        #expect(notes.first?.contains("iteration-000004.safetensors: the content is not what was written: its digest is") == true)
        #expect(notes.first?.hasSuffix("going on from \(path)/checkpoints/iteration-000002.safetensors, after iteration 2") == true)
        // Where no other is whole, it is an error.
        try Data("x".utf8).write(to: URL(filePath: path + "/checkpoints/iteration-000002.safetensors"))
        #expect(throws: DataError.self) { _ = try Run(resuming: path) }
    }

    @Test func aFolderHasOneOwnerAtATime() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        let run = try Run(configuration(), folder: path)
        for _ in 0..<2 { _ = try run.step() }
        let error = #expect(throws: DataError.self) { _ = try Run(resuming: path) }
        #expect(error?.description == "\(path): another process trains in this folder; wait until it has ended, or end it")
        #expect(error?.kind == .cannotWrite)
        _ = try run.step()
    }

    @Test func theLastCheckpointsAreKept() throws {
        let folder = try TemporaryFolder()
        let run = try Run(configuration { ($0.sampleInterval, $0.keptCheckpoints) = (1, 2) }, folder: folder.path + "/run")
        for _ in 0..<4 { _ = try run.step() }
        try run.writeSnapshot("final")
        #expect(try checkpoints(run.folder) == ["best", "final", "iteration-000003", "iteration-000004"].map { $0 + ".safetensors" })
        let other = try Run(configuration { ($0.sampleInterval, $0.keptCheckpoints) = (1, nil) }, folder: folder.path + "/other")
        for _ in 0..<7 { _ = try other.step() }
        #expect(try checkpoints(other.folder).count == 8)
    }

    /// Another machine finds other bits, which is told before it is too late.
    @Test func anotherMachineIsTold() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run"
        do {
            let run = try Run(
                configuration {
                    $0.machine = MachineDescription()
                    ($0.machine!.backends, $0.machine!.instructionSet, $0.machine!.version) = (["onednn"], "avx1024", "0.0.1")
                }, folder: path)
            for _ in 0..<2 { _ = try run.step() }
        }
        var notes: [String] = []
        _ = try Run(resuming: path) { notes.append($0) }
        #expect(notes.count == 1)
        for words in ["backend onednn before", "instruction set avx1024 before", "version 0.0.1 before"] {
            #expect(notes.first?.contains(words) == true, "\(notes)")
        }
    }

    @Test(arguments: [
        (#"{"iteration":1}"# + "\nx\n", "line 2: expected an object of numbers with the key 'iteration'"),
        ("[]\n", "line 1: expected an object of numbers"), (#"{"iteration":1.5}"# + "\n", "line 1: expected an object"),
    ])
    func aLogThatIsNoneIsTold(_ content: String, _ words: String) throws {
        let folder = try TemporaryFolder()
        _ = try folder.write(content, to: "metrics.jsonl")
        let error = #expect(throws: DataError.self) { _ = try LoggedMetrics(ofRun: folder.path, cuttingAfter: 10) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
}
