/// A series in buckets of equal size, each with its lowest, highest and mean value, so that no spike is lost. Values that are not
/// finite are passed over; a bucket of none but them is NaN.
package struct Buckets: Equatable {
    /// The most that a curve is drawn from.
    package static let most = 800

    /// How many values a bucket holds, but for the last one.
    package let size: Int
    /// How many values there were.
    package let valueCount: Int
    package private(set) var lowest: [Double] = []
    package private(set) var highest: [Double] = []
    package private(set) var mean: [Double] = []

    package init(_ values: [Double], atMost most: Int = Buckets.most) {
        size = Self.size(values.count, atMost: most)
        valueCount = values.count
        for start in stride(from: 0, to: values.count, by: size) {
            var (low, high, sum, count) = (Double.infinity, -Double.infinity, 0.0, 0)
            for value in values[start..<min(start + size, values.count)] where value.isFinite {
                (low, high, sum, count) = (min(low, value), max(high, value), sum + value, count + 1)
            }
            lowest.append(count > 0 ? low : .nan)
            highest.append(count > 0 ? high : .nan)
            mean.append(count > 0 ? sum / Double(count) : .nan)
        }
    }

    /// The smallest power of two that leaves at most so many buckets: a growing run merges pairs.
    package static func size(_ count: Int, atMost most: Int) -> Int {
        var size = 1
        while size * most < count { size *= 2 }
        return size
    }
}
