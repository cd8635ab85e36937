/// A picture as differences between its resolutions (Burt and Adelson 1983), by the 5x5 binomial filter, mirrored at the borders.
///
/// Each level is the picture at that resolution less what the next lower one tells of it; the last is the picture at the lowest.
package struct LaplacianPyramid {
    /// A picture of any number of channels: [height, width, channels].
    package struct Picture: Equatable {
        package var height, width, channels: Int
        package var values: [Float]

        package init(height: Int, width: Int, channels: Int, values: [Float]) {
            (self.height, self.width, self.channels, self.values) = (height, width, channels, values)
        }
    }
    /// From the highest resolution to the lowest.
    package private(set) var levels: [Picture]

    /// No resolution below so many pixels a side is made.
    static let smallestSide = 16

    package init(_ picture: Picture) {
        levels = [picture]
        while let last = levels.last, min(last.height, last.width) >= 2 * Self.smallestSide {
            let lower = Self.halved(last)
            let told = Self.doubled(lower, height: last.height, width: last.width)
            for index in 0..<last.values.count { levels[levels.count - 1].values[index] -= told.values[index] }
            levels.append(lower)
        }
    }

    /// How many levels pictures of a size have.
    static func levelCount(height: Int, width: Int) -> Int {
        var (side, count) = (min(height, width), 1)
        while side >= 2 * smallestSide { (side, count) = ((side + 1) / 2, count + 1) }
        return count
    }

    /// Filtered, then every second row and column.
    private static func halved(_ picture: Picture) -> Picture {
        let smooth = filtered(picture, scale: 1)
        var half = Picture(
            height: (picture.height + 1) / 2, width: (picture.width + 1) / 2, channels: picture.channels, values: [])
        half.values.reserveCapacity(half.height * half.width * half.channels)
        for row in 0..<half.height {
            for column in 0..<half.width {
                let start = (2 * row * picture.width + 2 * column) * picture.channels
                half.values += smooth.values[start..<start + picture.channels]
            }
        }
        return half
    }

    /// With zeros between rows and columns, filtered.
    private static func doubled(_ picture: Picture, height: Int, width: Int) -> Picture {
        let channels = picture.channels
        var sparse = Picture(
            height: height, width: width, channels: channels,
            values: [Float](repeating: 0, count: height * width * channels))
        for row in 0..<picture.height {
            for column in 0..<picture.width {
                for channel in 0..<channels {
                    sparse.values[(2 * row * width + 2 * column) * channels + channel] =
                        picture.values[(row * picture.width + column) * channels + channel]
                }
            }
        }
        return filtered(sparse, scale: 2)
    }

    /// Along rows, then along columns.
    ///
    /// - Parameter scale: of each of the two.
    private static func filtered(_ picture: Picture, scale: Float) -> Picture {
        let weights = [1, 4, 6, 4, 1].map { Float($0) / 16 * scale }
        let (height, width, channels) = (picture.height, picture.width, picture.channels)
        func mirrored(_ place: Int, _ count: Int) -> Int {
            guard count > 1 else { return 0 }
            let period = 2 * (count - 1)
            let place = ((place % period) + period) % period
            return place < count ? place : period - place
        }
        var across = picture
        for column in 0..<width {
            let columns = (-2...2).map { mirrored(column + $0, width) }
            for row in 0..<height {
                for channel in 0..<channels {
                    var sum: Float = 0
                    for tap in 0..<5 { sum += weights[tap] * picture.values[(row * width + columns[tap]) * channels + channel] }
                    across.values[(row * width + column) * channels + channel] = sum
                }
            }
        }
        var result = picture
        for row in 0..<height {
            let rows = (-2...2).map { mirrored(row + $0, height) }
            for place in 0..<width * channels {
                var sum: Float = 0
                for tap in 0..<5 { sum += weights[tap] * across.values[rows[tap] * width * channels + place] }
                result.values[row * width * channels + place] = sum
            }
        }
        return result
    }
}
