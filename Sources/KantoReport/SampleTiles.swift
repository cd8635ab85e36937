import KantoData

/// Pictures of one size, a byte a value.
struct SampleTiles: Equatable {
    let count: Int
    let height: Int
    let width: Int
    /// 1 or 3.
    let channels: Int
    /// [count, height, width, channels].
    let pixels: [UInt8]

    /// Values as training has them.
    init(_ values: [Float], height: Int, width: Int, channels: Int, brightness: ValueRange) {
        let factor = 255 / (brightness.upper - brightness.lower)
        let pixels = values.map { value in
            let level = (Double(value) - brightness.lower) * factor
            // NaN is black.
            return level > 0 ? UInt8(min(255, level.rounded())) : 0
        }
        self.init(height: height, width: width, channels: channels, pixels: pixels)
    }

    init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
        (self.height, self.width, self.channels, self.pixels) = (height, width, channels, pixels)
        count = pixels.count / (height * width * channels)
    }

    var size: Int { height * width * channels }

    func tiles(_ range: Range<Int>) -> SampleTiles {
        let range = range.clamped(to: 0..<count)
        return SampleTiles(
            height: height, width: width, channels: channels,
            pixels: Array(pixels[range.lowerBound * size..<range.upperBound * size]))
    }

    /// Each pixel the mean of a square of so many.
    func shrunk(by factor: Int) -> SampleTiles {
        guard factor > 1 else { return self }
        let (newHeight, newWidth) = (height / factor, width / factor)
        var small: [UInt8] = []
        small.reserveCapacity(count * newHeight * newWidth * channels)
        for tile in 0..<count {
            for y in 0..<newHeight {
                for x in 0..<newWidth {
                    for channel in 0..<channels {
                        var sum = 0
                        for dy in 0..<factor {
                            for dx in 0..<factor {
                                let row = (tile * height + y * factor + dy) * width + x * factor + dx
                                sum += Int(pixels[row * channels + channel])
                            }
                        }
                        small.append(UInt8((sum + factor * factor / 2) / (factor * factor)))
                    }
                }
            }
        }
        return SampleTiles(height: newHeight, width: newWidth, channels: channels, pixels: small)
    }
}
