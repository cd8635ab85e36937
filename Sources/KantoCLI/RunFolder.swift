import Glibc
import Kanto
import KantoKernels

/// Whether a folder is that of a run of `kanto train`.
func holdsRun(_ folder: String) -> Bool {
    ["config.json", "checkpoints"].allSatisfy { access("\(folder)/\($0)", F_OK) == 0 }
}

/// - Throws: `Failure` if there is no such folder, with a run that may have been meant. What else may be wrong with a run is told
///   by whoever reads it.
func checkRun(_ folder: String) throws(Failure) {
    guard access(folder, F_OK) != 0, errno == ENOENT else { return }
    let (place, name) = parted(folder)
    // A run may have been called by its name alone.
    for place in place == "." ? [place, "runs"] : [place] {
        let names = (namesInFolder(at: place) ?? []).filter { holdsRun("\(place)/\($0)") }.sorted()
        if let near = nearestName(to: name, among: names) {
            let path = place == "." ? near : "\(place)/\(near)"
            throw Failure(message: "\(folder): there is no such run; did you mean '\(path)'?", code: Failure.missingInput)
        }
    }
    throw Failure(message: "\(folder): there is no such run", code: Failure.missingInput)
}

/// The folder in which something is, and its name there.
private func parted(_ path: String) -> (place: String, name: String) {
    var parts = path.split(separator: "/").map(String.init)
    let name = parts.popLast() ?? path
    let place = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    return (place.isEmpty ? "." : place, name)
}
