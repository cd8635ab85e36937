import Glibc
import Testing

@testable import KantoData

@Suite struct AtomicFileTests {
    struct Interruption: Error {}

    @Test func writesAndReplaces() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/file"
            try AtomicFile.write(Array("old".utf8), to: path)
            #expect(try text(path) == "old")
            try AtomicFile.write([], to: path)
            #expect(try readFile(path) == [])
            #expect(allNames(folder) == ["file"])
        }
    }

    @Test func aFailureLeavesTheOldFileAndNothingElse() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/file"
            try put("old", path)
            #expect(throws: Interruption.self) {
                try AtomicFile.write(to: path) { file in
                    try Array("half".utf8).withUnsafeBytes { try file.append($0) }
                    throw Interruption()
                }
            }
            #expect(try text(path) == "old")
            #expect(allNames(folder) == ["file"])
        }
    }

    @Test func keepsLinksAndPermissions() throws {
        try withTemporaryFolder { folder in
            try put("old", "\(folder)/file")
            chmod("\(folder)/file", 0o640)
            symlink("file", "\(folder)/link")
            try AtomicFile.write(Array("new".utf8), to: "\(folder)/link")
            #expect(try text("\(folder)/file") == "new")
            #expect(fileMode("\(folder)/file").map { $0 & 0o777 } == 0o640)
            var status = stat()
            #expect(lstat("\(folder)/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        }
    }

    @Test func saysWhyAFileCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            try put("", "\(folder)/file")
            let long = String(repeating: "x", count: 300)
            for (path, reason) in [
                ("\(folder)/none/file", "make the folder \(folder)/none first"),
                ("\(folder)/file/below", "Not a directory"),
                (folder, "is a folder"),
                ("/dev/full", "not a regular file"),
                ("\(folder)/\(long)", "File name too long"),
            ] {
                let error = dataError { try AtomicFile.write([1], to: path) }
                #expect(error?.kind == .cannotWrite)
                #expect(error?.description.hasPrefix("\(path): ") == true)
                #expect(error?.description.contains(reason) == true)
            }
            #expect(allNames(folder) == ["file"])
        }
    }

    /// Root may read and write everything.
    @Test(.enabled(if: geteuid() != 0)) func respectsPermissions() throws {
        try withTemporaryFolder { folder in
            try put("secret", "\(folder)/file")
            chmod("\(folder)/file", 0)
            #expect(dataError { _ = try readFile("\(folder)/file") }?.kind == .missingInput)
            chmod(folder, 0o500)
            let error = dataError { try AtomicFile.write([1], to: "\(folder)/other") }
            #expect(error?.kind == .cannotWrite)
            #expect(error?.description.contains("Permission denied") == true)
            #expect(dataError { try createDirectories("\(folder)/a/b") }?.kind == .cannotWrite)
        }
    }

    @Test func makesFolders() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/a/b//c/")
            try createDirectories("\(folder)/a/b/c")
            #expect(isFolder("\(folder)/a/b/c"))
            try put("", "\(folder)/file")
            let error = dataError { try createDirectories("\(folder)/file") }
            #expect(error?.kind == .cannotWrite)
            #expect(error?.description.contains("a file of that name is in the way") == true)
            #expect(dataError { try createDirectories("\(folder)/file/below") }?.kind == .cannotWrite)
        }
    }

    @Test(arguments: [
        ("a/b/c", "a/b"), ("a/b/", "a"), ("c", "."), ("/c", "/"), ("/", "/"), (".", "."), ("a//b", "a/"),
    ])
    func findsTheParent(path: String, parent: String) {
        #expect(parentFolder(of: path) == parent)
    }
}
