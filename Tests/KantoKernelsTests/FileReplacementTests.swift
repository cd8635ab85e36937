import Foundation
import TestSupport
import Testing

@testable import KantoKernels

struct FileReplacementTests {
    /// The tuner's own file is written with the same care as a checkpoint.
    @Test func theTunersFileKeepsLinksAndLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        let table = TuningTable(environment: "here")
        let path = folder.path + "/" + table.fileName
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "elsewhere.txt")
        _ = try folder.write("half", to: ".kanto-left.tmp")
        #expect(table.write(folder: folder.path) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["elsewhere.txt", table.fileName].sorted())
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "elsewhere.txt")
        #expect(TuningTable.read(path) == table.text)
    }

    @Test func theTunerSaysWhyItsFileCannotBeWritten() throws {
        let table = TuningTable(environment: "here")
        let fault = table.write(folder: "/nowhere")
        #expect(fault == "/nowhere/\(table.fileName): cannot be written: No such file or directory; make the folder /nowhere first")
    }
}
