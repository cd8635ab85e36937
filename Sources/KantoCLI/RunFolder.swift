import Glibc
import Kanto
import KantoData
import KantoKernels

/// Whether a folder is that of a run of `kanto train`.
func holdsRun(_ folder: String) -> Bool {
    ["config.json", "checkpoints"].allSatisfy { access("\(folder)/\($0)", F_OK) == 0 }
}

/// - Throws: `Failure` if there is no such folder, or it is not that of a run, with a run that may have been meant. What else may be
///   wrong with a run is told by whoever reads it.
func checkRun(_ folder: String) throws(Failure) {
    guard access(folder, F_OK) != 0, errno == ENOENT else { return try checkBelongsToRun(folder) }
    let (place, name) = (parentFolder(of: folder), folder.split(separator: "/").last.map(String.init) ?? folder)
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

/// A run may lie in the folder, or be the one around it.
private func checkBelongsToRun(_ folder: String) throws(Failure) {
    guard access("\(folder)/config.json", F_OK) != 0, errno == ENOENT || errno == ENOTDIR else { return }
    let inside = (namesInFolder(at: folder) ?? []).map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }.filter(
        holdsRun)
    let around = parentFolder(of: folder)
    let meant = holdsRun(around) ? around : inside.max { modificationTime($0) < modificationTime($1) }
    throw Failure(
        message: "\(folder): not the folder of a run, which has a config.json"
            + (meant.map { "; did you mean '\($0)'?" } ?? ""), code: Failure.missingInput)
}

/// In seconds; 0 for what is not there.
private func modificationTime(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
}
