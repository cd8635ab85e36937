import KantoKernels

/// The names of the pictures in a folder and the folders in it.
struct ImageFolderList: Sendable {
    let folder: String
    /// From the folder on, sorted.
    let paths: [String]
    /// The class of each; nil if the pictures are not in folders of classes.
    let labels: [Int]?
    let classNames: [String]?
    let notes: [String]

    static let endings = ".png, .jpg or .jpeg"
    /// Folders within folders; a link may lead around in a circle.
    private static let deepest = 8

    /// - Throws: `DataError` if a folder cannot be listed.
    init(_ folder: String) throws {
        self.folder = folder
        let top = try Self.list(folder)
        var classes: [(name: String, paths: [String])] = []
        var others = top.others
        for name in top.folders {
            let paths = try Self.pictures(in: name, of: folder, depth: 1, others: &others)
            if !paths.isEmpty { classes.append((name, paths)) }
        }
        var notes: [String] = []
        if classes.isEmpty {
            (paths, labels, classNames) = (top.pictures, nil, nil)
        } else {
            paths = classes.flatMap(\.paths)
            labels = classes.count > 1 ? classes.enumerated().flatMap { place, each in each.paths.map { _ in place } } : nil
            classNames = classes.count > 1 ? classes.map(\.name) : nil
            if let first = top.pictures.first {
                notes.append(
                    "\(folder): \(top.pictures.count) pictures beside the folders of classes are left out, such as \(first)")
            }
        }
        if others > 0 {
            notes.append("\(folder): \(others) files are no pictures by their names (\(Self.endings)) and are left out")
        }
        self.notes = notes
    }

    /// Whether there is any picture.
    static func holdsPictures(_ folder: String, depth: Int = 0) -> Bool {
        guard depth <= deepest, let list = try? list(folder) else { return false }
        return !list.pictures.isEmpty || list.folders.contains { holdsPictures("\(folder)/\($0)", depth: depth + 1) }
    }

    static func isNamedAsPicture(_ name: String) -> Bool { name.lowercased().hasSuffix(".png") || isNamedAsJPEG(name) }

    static func isNamedAsJPEG(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg")
    }

    private static func pictures(in name: String, of folder: String, depth: Int, others: inout Int) throws -> [String] {
        let list = try list("\(folder)/\(name)")
        others += list.others
        var paths = list.pictures.map { "\(name)/\($0)" }
        if depth < deepest {
            for inner in list.folders {
                paths += try pictures(in: "\(name)/\(inner)", of: folder, depth: depth + 1, others: &others)
            }
        }
        return paths
    }

    /// What one folder holds, sorted. Hidden names do not count, and names that are no text are `others`.
    private static func list(_ folder: String) throws -> (pictures: [String], folders: [String], others: Int) {
        var pictures: [String] = []
        var folders: [String] = []
        var others = 0
        let isOpen = forEachName(in: Array(folder.utf8CString)) { cName in
            guard cName.pointee != CChar(bitPattern: UInt8(ascii: ".")) else { return }
            guard let name = String(validatingCString: cName) else {
                others += 1
                return
            }
            // A name that is a picture's is not asked what it is: folders may hold millions.
            if isNamedAsPicture(name) {
                pictures.append(name)
            } else if isFolder("\(folder)/\(name)") {
                folders.append(name)
            } else {
                others += 1
            }
        }
        guard isOpen else { throw DataError(.missingInput, "\(folder): cannot be listed: \(systemMessage())") }
        return (pictures.sorted(), folders.sorted(), others)
    }
}
