import Glibc

/// A file of events that TensorBoard reads, without TensorFlow: numbers, histograms and pictures, each at a step.
///
/// Events are held back until `flush`, until there are many, or for some seconds.
///
/// Source: event.proto and summary.proto in https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
public final class EventFile {
    /// What is written under a name.
    public enum Value {
        case number(Double)
        /// Counts in bins: each ends where its limit is, and begins at the one before.
        case histogram(limits: [Double], counts: [Int], least: Double, largest: Double)
        case picture(Picture)
    }
    /// The file's path.
    public let path: String
    private let file: OutputFile
    private var pending: [UInt8] = []
    private var lastFlush = 0.0

    /// Makes a file in a folder, beside those that earlier processes made.
    ///
    /// - Parameter step: the first one that is written. What earlier files hold from there on, TensorBoard forgets.
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public init(inFolder folder: String, from step: Int = 0) throws(DataError) {
        var name = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&name, name.count - 1) == 0
        let host = isKnown ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "localhost"
        var time = Int(Self.now)
        var (path, descriptor): (String, Int32)
        // Files are read in the order of their names: a process that begins in the same second takes the next one.
        repeat {
            path = "\(folder)/events.out.tfevents.\(time).\(host.replacing("/", with: "-"))"
            descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            time += 1
        } while descriptor < 0 && errno == EEXIST
        guard descriptor >= 0 else {
            throw DataError(.cannotWrite, "\(path): cannot be opened for writing: \(systemMessage())")
        }
        self.path = path
        file = OutputFile(descriptor: descriptor, path: path)
        add(at: 0) { $0.add(3, "brain.Event:2") }
        if step > 0 {
            var session = ProtobufMessage()
            session.add(1, Self.sessionStarts)
            add(at: step) { $0.add(7, session) }
        }
        try flush()
    }

    deinit {
        try? flush()
        close(file.descriptor)
    }

    /// - Parameters:
    ///   - values: with the names that TensorBoard shows them under; what stands before a `/` is their group.
    ///   - step: the iteration, say.
    /// - Throws: `DataError` of kind `.cannotWrite`, also for a picture if this build has no libpng.
    public func add(_ values: [(name: String, value: Value)], at step: Int) throws(DataError) {
        var summary = ProtobufMessage()
        for (name, value) in values {
            var message = ProtobufMessage()
            message.add(1, name)
            switch value {
            case .number(let number): message.add(2, Float(number))
            case .histogram(let limits, let counts, let least, let largest):
                message.add(5, Self.histogram(limits, counts, least, largest))
            case .picture(let picture):
                var image = ProtobufMessage()
                image.add(1, picture.height)
                image.add(2, picture.width)
                // As many channels: 1 is gray, 3 is red, green, blue.
                image.add(3, picture.channels)
                image.add(4, try PNG.bytes(of: picture, name: path))
                message.add(4, image)
            }
            summary.add(1, message)
        }
        add(at: step) { $0.add(5, summary) }
        if pending.count > Self.mostPending || Self.now - lastFlush > Self.longestWait { try flush() }
    }

    /// Hands what was added to the system.
    ///
    /// - Throws: `DataError` of kind `.cannotWrite`.
    public func flush() throws(DataError) {
        defer { (pending, lastFlush) = ([], Self.now) }
        try file.append(pending)
    }

    private static let mostPending = 1 << 16
    /// In seconds.
    private static let longestWait = 5.0
    private static let sessionStarts = 1

    private func add(at step: Int, _ content: (inout ProtobufMessage) -> Void) {
        var event = ProtobufMessage()
        event.add(1, Self.now)
        event.add(2, step)
        content(&event)
        pending += Record.framed(event.bytes)
    }

    /// Sums are those of the middles of the bins.
    private static func histogram(_ limits: [Double], _ counts: [Int], _ least: Double, _ largest: Double) -> ProtobufMessage {
        var (sum, squares, start) = (0.0, 0.0, least)
        for (limit, count) in zip(limits, counts) {
            let middle = (max(start, least) + min(limit, largest)) / 2
            if count > 0 {
                sum += Double(count) * middle
                squares += Double(count) * middle * middle
            }
            start = limit
        }
        var message = ProtobufMessage()
        message.add(1, least)
        message.add(2, largest)
        message.add(3, Double(counts.reduce(0, +)))
        message.add(4, sum)
        message.add(5, squares)
        message.add(6, limits)
        message.add(7, counts.map(Double.init))
        return message
    }

    /// Seconds since 1970.
    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
