import Glibc
import Testing

@testable import KantoData

@Suite struct AtomicFileTests {
    private static let interruption = DataError(.cannotWrite, "interrupted")

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
            #expect(throws: Self.interruption) {
                try AtomicFile.write(to: path) { (file) throws(DataError) in
                    try file.append(Array("half".utf8))
                    throw Self.interruption
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

    @Test func keepsALinkWhoseTargetIsNotThereYet() throws {
        try withTemporaryFolder { folder in
            try createDirectories("\(folder)/a/b")
            symlink("b/next", "\(folder)/a/link")
            symlink("../file", "\(folder)/a/b/next")
            try AtomicFile.write(Array("new".utf8), to: "\(folder)/a/link")
            #expect(try text("\(folder)/a/file") == "new")
            for link in ["a/link", "a/b/next"] {
                var status = stat()
                #expect(lstat("\(folder)/\(link)", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
            }
            symlink("loop", "\(folder)/loop")
            let error = dataError { try AtomicFile.write([1], to: "\(folder)/loop") }
            #expect(error?.description.hasSuffix("cannot be written: Too many levels of symbolic links") == true)
        }
    }

    /// A name that is no text is not repaired: that would be another file.
    @Test func followsALinkToANameThatIsNoText() throws {
        try withTemporaryFolder { folder in
            let target = Array(folder.utf8CString.dropLast()) + [0x2F, CChar(bitPattern: 0xFF), 0]
            symlink(target, "\(folder)/link")
            try AtomicFile.write([7], to: "\(folder)/link")
            var status = stat()
            #expect(stat(target, &status) == 0 && status.st_size == 1)
            #expect(try readFile("\(folder)/link") == [7])
        }
    }

    /// What a killed process left goes when the next file is written; what somebody still writes does not.
    @Test func sweepsTheLeftoversOfTheDeadOnly() throws {
        try withTemporaryFolder { folder in
            try put("half", "\(folder)/.kanto-abc.tmp")
            try put("mine", "\(folder)/.kanto-notes.txt")
            try AtomicFile.write(to: "\(folder)/outer") { (file) throws(DataError) in
                try file.append([1])
                #expect(allNames(folder).count == 2, "\(allNames(folder))")
                try AtomicFile.write([2], to: "\(folder)/inner")
            }
            #expect(allNames(folder) == [".kanto-notes.txt", "inner", "outer"])
            #expect(try readFile("\(folder)/outer").count == 8)
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
