import KantoData
import KantoPictures
import KantoRuns

/// What a run shows of its samples at one iteration.
struct SampleFrame {
    let iteration: Int
    /// Of pictures.
    var sheet: SampleSheet?
    /// Four of them below each other.
    var strip: SampleSheet?
    /// Of points of a plane.
    var plane: PlanePicture?

    /// What it adds to a page, in bytes.
    var size: Int { (sheet?.source.utf8.count ?? 0) + (strip?.source.utf8.count ?? 0) + (plane?.size ?? 0) }
}

/// A run's samples through time, from the files of its folder. What was read once is kept, so that a run that goes on adds a frame
/// to it; old frames are dropped, every second one, where all of them would make a page too large.
struct SampleFilm {
    /// In the order of their iterations.
    private(set) var frames: [SampleFrame] = []
    /// The pictures of the last frame, as they are.
    private(set) var latest: SampleTiles?
    private var latestIteration = 0
    /// The critic around the samples of the last frame that has it.
    private(set) var latestView: CriticView?
    /// A frame without its file: what is wrong with it, for people.
    private(set) var faults: [String] = []
    private var known: Set<String> = []

    /// Of all frames, in bytes.
    static let mostBytes = 400 << 10
    /// Of colored pictures and large ones, earlier frames show so many.
    static let picturesOfEarlierFrames = 16
    /// Pictures of this many values and more are large.
    private static let largePicture = 32 * 32 * 3

    /// Takes in the frames that are new in the folder.
    ///
    /// - Parameter last: the run's last iteration; what is of a later one was overtaken when the run went on from before it.
    mutating func update(folder: String, _ configuration: RunConfiguration, last: Int) {
        faults = []
        let names = (try? namesInFolder(folder + "/samples")) ?? []
        let files = names.filter { $0.hasSuffix(".png") || $0.hasSuffix(".safetensors") }
        let stems = Set(files.map { String($0.prefix { $0 != "." }) })
        let dated = stems.compactMap { name in
            Run.iteration(ofSnapshot: name, ofRun: folder).map { (iteration: $0, name: name) }
        }.filter { $0.iteration <= last }.sorted { ($0.iteration, $0.name) < ($1.iteration, $1.name) }
        frames.removeAll { $0.iteration > last }
        for (index, (iteration, name)) in dated.enumerated() {
            let isLast = index == dated.count - 1
            let key = "\(name) \(iteration)"
            guard isLast || !known.contains(key) && !frames.contains(where: { $0.iteration == iteration }) else { continue }
            known.insert(key)
            do { try add(name, iteration, of: folder, configuration, isLast: isLast) } catch { faults.append("\(error)") }
        }
        thin()
    }

    private mutating func add(
        _ name: String, _ iteration: Int, of folder: String, _ configuration: RunConfiguration, isLast: Bool
    ) throws {
        var frame = SampleFrame(iteration: iteration)
        let path = CriticView.path(ofSnapshot: name, ofRun: folder)
        if isRegularFile(path) {
            let view = try CriticView(contentsOf: path)
            if isLast { latestView = view }
            frame.plane = try view.plane.map { try PlanePicture($0) }
        }
        if let tiles = try Self.tiles(name, of: folder, configuration.networks.sampleShape) {
            if isLast {
                // The last frame is shown whole; the one before was so at its time.
                if let before = latest, let place = frames.firstIndex(where: { $0.iteration == latestIteration }) {
                    frames[place].sheet = try SampleSheet(Self.ofEarlierFrame(before))
                }
                (latest, latestIteration) = (tiles, iteration)
            }
            frame.sheet = try SampleSheet(isLast ? tiles : Self.ofEarlierFrame(tiles))
            frame.strip = try SampleSheet(tiles.tiles(SampleSheet.columns..<SampleSheet.columns + 4), columns: 1)
        }
        frames.removeAll { $0.iteration == iteration }
        guard frame.sheet != nil || frame.plane != nil else { return }
        frames.append(frame)
        frames.sort { $0.iteration < $1.iteration }
    }

    /// Takes in a view of a run whose folder has none.
    ///
    /// - Throws: `DataError` if this build cannot draw it.
    mutating func add(_ view: CriticView) throws {
        latestView = view
        guard let plane = view.plane else { return }
        var frame = SampleFrame(iteration: view.iteration)
        frame.plane = try PlanePicture(plane)
        frames = frames.filter { $0.iteration < view.iteration } + [frame]
    }

    private static func ofEarlierFrame(_ tiles: SampleTiles) -> SampleTiles {
        tiles.size >= largePicture ? tiles.tiles(0..<picturesOfEarlierFrames) : tiles
    }

    private static func tiles(_ name: String, of folder: String, _ shape: [Int]) throws -> SampleTiles? {
        let path = "\(folder)/samples/\(name).png"
        guard PNG.isAvailable, shape.count == 3, isRegularFile(path) else { return nil }
        let picture = try PNG.read(contentsOf: path)
        guard
            let found = ImageGrid.tiles(of: picture, height: shape[0], width: shape[1], columns: Run.Snapshot.columnCount)
        else {
            throw DataError(.badInput, "\(path): \(picture.width)x\(picture.height) pixels are no grid of pictures of \(shape)")
        }
        return SampleTiles(height: shape[0], width: shape[1], channels: picture.channels, pixels: found.pixels)
    }

    /// Drops every second of the older frames, but for the first and the last, until the rest is small enough.
    private mutating func thin() {
        while frames.count > 4, frames.reduce(0, { $0 + $1.size }) > Self.mostBytes {
            let count = frames.count
            frames = frames.enumerated().filter { $0.offset == 0 || (count - 1 - $0.offset) % 2 == 0 }.map(\.element)
        }
    }
}
