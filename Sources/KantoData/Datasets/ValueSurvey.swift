import KantoDescriptions

/// A look at all values before training: whether they are finite, what they lie in, and so what training makes of them.
struct ValueSurvey {
    let map: AffineMap
    /// What the values for training lie in; nil where they are standardized.
    let range: ValueRange?
    /// Whether all values were looked at.
    let isWhole: Bool

    /// How much of a file is looked at where the rest must not be known, in bytes.
    private static let firstLook = 1 << 26

    /// - Throws: `DataError` for the first value that is not finite or not in the range that is declared.
    init(_ records: Records, _ description: DataDescription, isPicture: Bool, notes: inout [String]) throws {
        // Bytes lie in 0...255 and truth values in 0...1; others must be seen, unless a range is declared.
        let typeRange: ValueRange? =
            switch records.format.type {
            case .uint8 where isPicture: ValueRange(0, 255)
            case .boolean where isPicture: ValueRange(0, 1)
            default: nil
            }
        let declared = description.range ?? typeRange
        let count =
            records.isInMemory || declared == nil ? records.count : min(records.count, max(1, Self.firstLook / records.stride))
        isWhole = count == records.count || (description.range == nil && typeRange != nil)

        var seen = Extremes()
        var columns = isPicture || declared != nil ? nil : ColumnStatistics(count: records.valueCount)
        for index in 0..<count {
            try records.withRecord(index) { bytes in
                seen.add(records.format, bytes, index: index)
                columns?.add(records.format, bytes)
            }
            if seen.hasNonFinite {
                throw DataError(
                    .badInput, "\(records.place(of: index)): holds a value that is not a finite number (NaN or infinity)")
            }
        }
        if let range = description.range {
            for (value, index) in [(seen.smallest, seen.smallestIndex), (seen.largest, seen.largestIndex)]
            where !(range.lower...range.upper ~= value) {
                throw DataError(
                    .badInput,
                    "\(records.place(of: index)): holds \(decimal(value)), which is not in \(range), the range that data.range declares"
                )
            }
        }

        if let columns {
            map = AffineMap(means: columns.means, deviations: columns.deviations)
            range = nil
            let still = columns.deviations.indices.filter { columns.deviations[$0] == 0 }
            if !still.isEmpty {
                notes.append(
                    "\(records.name): \(still.count) of \(columns.means.count) columns hold one value only, the first of them column \(still[0] + 1)"
                )
            }
        } else if let declared {
            map = AffineMap(declared, onto: description.scaledTo)
            range = description.scaledTo
            if typeRange != nil, description.range == nil, declared.upper == 255, seen.largest < 64 {
                let largest = decimal(seen.largest)
                notes.append(
                    "\(records.name): its values are bytes, taken as 0...255, but the largest "
                        + (count < records.count ? "of the first \(count) samples " : "")
                        + "is \(largest): pictures are nearly black"
                        + (seen.largest > 0 ? "; if \(largest) is white, set data.range to [0, \(largest)]" : ""))
            }
        } else if seen.smallest < seen.largest, (seen.largest - seen.smallest).isFinite {
            let found = ValueRange(seen.smallest, seen.largest)
            map = AffineMap(found, onto: description.scaledTo)
            range = description.scaledTo
            notes.append(
                "\(records.name): its values lie in \(found), as read from the data, and become \(description.scaledTo); data.range declares another range"
            )
        } else {
            let found =
                seen.smallest < seen.largest
                ? "values go from \(seen.smallest) to \(seen.largest)" : "all values are \(decimal(seen.smallest))"
            throw DataError(.badInput, "\(records.name): \(found); data.range must say what black and white are")
        }
        guard (map.multipliers + map.offsets).allSatisfy(\.isFinite) else {
            throw DataError(.badInput, "\(records.name): its values are too large, or their range too small, to compute with")
        }
    }
}

private struct Extremes {
    var (smallest, largest) = (Double.infinity, -Double.infinity)
    var (smallestIndex, largestIndex) = (0, 0)
    var hasNonFinite = false

    mutating func add(_ format: NumberFormat, _ bytes: UnsafeRawBufferPointer, index: Int) {
        var (low, high) = (Double.infinity, -Double.infinity)
        // Zero times anything finite is zero.
        var doubt = 0.0
        format.forEach(bytes.baseAddress!, count: bytes.count / format.type.size) { _, value in
            low = min(low, value)
            high = max(high, value)
            doubt += value * 0
        }
        if format.type.isFloatingPoint, doubt != 0 { hasNonFinite = true }
        if low < smallest { (smallest, smallestIndex) = (low, index) }
        if high > largest { (largest, largestIndex) = (high, index) }
    }
}

/// Mean and deviation of each column, by Welford's sums, which lose nothing where a mean is large.
private struct ColumnStatistics {
    private(set) var means: [Double]
    private var squares: [Double]
    private var count = 0.0

    init(count: Int) {
        means = Array(repeating: 0, count: count)
        squares = means
    }

    var deviations: [Double] { squares.map { ($0 / count).squareRoot() } }

    mutating func add(_ format: NumberFormat, _ bytes: UnsafeRawBufferPointer) {
        count += 1
        let count = count
        means.withUnsafeMutableBufferPointer { means in
            squares.withUnsafeMutableBufferPointer { squares in
                format.forEach(bytes.baseAddress!, count: means.count) { column, value in
                    let difference = value - means[column]
                    means[column] += difference / count
                    squares[column] += difference * (value - means[column])
                }
            }
        }
    }
}
