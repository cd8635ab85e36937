/// A number that pictures are made of.
protocol PictureElement: BitwiseCopyable {
    var float: Float { get }
}
extension UInt8: PictureElement { var float: Float { Float(self) } }
extension Float: PictureElement { var float: Float { self } }

/// Cuts a picture around its center to the shape that is wanted, resizes it, and makes it gray or colored.
///
/// Where a side shrinks, each pixel is the mean of the area that it covers, parts of pixels included; where it grows, it is
/// interpolated linearly between the centers of the two nearest, and outside of them their own value. Both are sums with
/// weights of 1 in all, so that values stay in their range.
struct PictureFit: Sendable {
    private let source: [Int]
    /// [height, width, channels] of what is made.
    let target: [Int]
    private let rows: Axis
    private let columns: Axis

    /// - Parameters:
    ///   - source: [height, width, channels] of what there is.
    ///   - target: of what is wanted; its channels are the source's, or gray becomes any number, or three become gray.
    /// - Throws: `DataError`, which begins with `name`, if such channels are not made.
    init(_ source: [Int], to target: [Int], name: String) throws(DataError) {
        guard target[2] == source[2] || source[2] == 1 || (source[2] == 3 && target[2] == 1) else {
            throw DataError(
                .badInput,
                "\(name): its pictures have \(source[2]) channels, of which \(target[2]) cannot be made; set data.channels to \(source[2])"
            )
        }
        self.source = source
        self.target = target
        // The largest part that is as wide for its height as what is wanted: h · W : w · H.
        let (height, width) = (source[0], source[1])
        let cutWidth = min(width, max(1, (2 * height * target[1] + target[0]) / (2 * target[0])))
        let cutHeight = min(height, max(1, (2 * width * target[0] + target[1]) / (2 * target[1])))
        rows = Axis(start: (height - cutHeight) / 2, count: cutHeight, to: target[0])
        columns = Axis(start: (width - cutWidth) / 2, count: cutWidth, to: target[1])
    }

    /// Whether nothing changes.
    var isIdentity: Bool { source == target }

    /// - Parameters:
    ///   - picture: source[0] · source[1] · source[2] numbers.
    ///   - output: room for target[0] · target[1] · target[2].
    func apply<Element: PictureElement>(_ picture: UnsafePointer<Element>, into output: UnsafeMutablePointer<Float>) {
        let rowSize = target[1] * source[2]
        withUnsafeTemporaryAllocation(of: Float.self, capacity: (rows.count + 1) * rowSize) { buffer in
            // Rows first become as wide as wanted, then as many.
            let narrowed = buffer.baseAddress!
            let line = narrowed + rows.count * rowSize
            columns.weights.withUnsafeBufferPointer { weights in
                for row in 0..<rows.count {
                    let start = (rows.start + row) * source[1] * source[2]
                    narrow(picture + start, weights, into: narrowed + row * rowSize)
                }
            }
            rows.weights.withUnsafeBufferPointer { weights in
                for row in 0..<target[0] {
                    let first = rows.firsts[row] - rows.start
                    let places = rows.places[row]..<rows.places[row + 1]
                    for column in 0..<rowSize { line[column] = weights[places.lowerBound] * narrowed[first * rowSize + column] }
                    for place in places.dropFirst() {
                        let weight = weights[place]
                        let source = narrowed + (first + place - places.lowerBound) * rowSize
                        for column in 0..<rowSize { line[column] += weight * source[column] }
                    }
                    mix(line, into: output + row * target[1] * target[2])
                }
            }
        }
    }

    /// One row, as wide as wanted.
    private func narrow<Element: PictureElement>(
        _ line: UnsafePointer<Element>, _ weights: UnsafeBufferPointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        let channels = source[2]
        for column in 0..<target[1] {
            let (first, places) = (columns.firsts[column], columns.places[column]..<columns.places[column + 1])
            for channel in 0..<channels {
                var sum: Float = 0
                var position = first * channels + channel
                for place in places {
                    sum += weights[place] * line[position].float
                    position += channels
                }
                output[column * channels + channel] = sum
            }
        }
    }

    /// A row of pixels, with the channels that are wanted.
    private func mix(_ line: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
        let (from, to) = (source[2], target[2])
        for pixel in 0..<target[1] {
            if from == to {
                for channel in 0..<to { output[pixel * to + channel] = line[pixel * to + channel] }
            } else if from == 1 {
                for channel in 0..<to { output[pixel * to + channel] = line[pixel] }
            } else {
                // Luma of ITU-R BT.601, as television and Pillow have it.
                output[pixel] = 0.299 * line[3 * pixel] + 0.587 * line[3 * pixel + 1] + 0.114 * line[3 * pixel + 2]
            }
        }
    }
}

/// One side of a picture: which pixels of the old make one of the new, and how much each counts.
private struct Axis: Sendable {
    /// The part that is used.
    let start: Int
    let count: Int
    /// The first old pixel of each new one.
    private(set) var firsts: [Int] = []
    /// Where the weights of each new pixel start; one more for the end.
    private(set) var places: [Int] = [0]
    private(set) var weights: [Float] = []

    init(start: Int, count: Int, to size: Int) {
        (self.start, self.count) = (start, count)
        let scale = Double(count) / Double(size)
        for place in 0..<size {
            let (first, weights) = size < count ? Self.area(place, scale, count) : Self.line(place, scale, count)
            firsts.append(start + first)
            self.weights += weights
            places.append(self.weights.count)
        }
    }

    /// The part of each pixel that lies under a new one.
    private static func area(_ place: Int, _ scale: Double, _ count: Int) -> (Int, [Float]) {
        let (begin, end) = (Double(place) * scale, min(Double(place + 1) * scale, Double(count)))
        let first = min(Int(begin), count - 1)
        // What only rounding reaches is no part.
        let last = max(first, min(count, Int((end - 1e-9).rounded(.up))) - 1)
        let parts = (first...last).map { max(0, min(Double($0 + 1), end) - max(Double($0), begin)) }
        let whole = parts.reduce(0, +)
        return (first, parts.map { Float($0 / whole) })
    }

    /// Two neighbors, or one at the edge.
    private static func line(_ place: Int, _ scale: Double, _ count: Int) -> (Int, [Float]) {
        let center = min(max((Double(place) + 0.5) * scale - 0.5, 0), Double(count - 1))
        let first = Int(center)
        let share = center - Double(first)
        return share > 0 ? (first, [Float(1 - share), Float(share)]) : (first, [1])
    }
}
