/// Samples that stand in files one after the other, each as many numbers of one type: IDX, CIFAR, .npy, .npz, CSV. They keep
/// their type in memory and are converted when they are read; what is larger than memory may hold stays in its file.
struct ArrayDataset: Dataset {
    let count: Int
    let sampleShape: [Int]
    let labels: [Int]?
    let classNames: [String]?
    let featureNames: [String]?
    let valueRange: ValueRange?
    let notes: [String]
    private let records: Records
    private let map: AffineMap
    /// How pictures stand that are not row by row: their sizes and, of each, how far one step goes.
    private let order: PictureOrder?
    /// Nil where samples are as they stand.
    private let fit: PictureFit?
    /// Whether each value must be checked when it is read, because nobody looked at all of them before.
    private let isUnchecked: Bool

    /// What a reader of a format knows.
    struct Parts {
        var records: Records
        /// One sample's as it stands: [n], or two or three sizes in the order of `layout`, which may leave out the channels.
        var shape: [Int]
        var layout = PictureLayout.heightWidthChannels
        var labels: [Int]?
        var classNames: [String]?
        var featureNames: [String]?
        var notes: [String] = []
    }

    /// - Throws: `DataError` if values are not finite or not in the range that is declared, or if there are no samples.
    init(_ parts: Parts, _ description: DataDescription) throws {
        let name = parts.records.name
        guard parts.records.count > 0, parts.shape.allSatisfy({ $0 > 0 }) else {
            throw DataError(.badInput, "\(name): holds no samples: \(parts.records.count) of shape \(parts.shape)")
        }
        let native = try Self.pictureShape(parts, description)
        if let native {
            let size = description.size ?? PictureSize(height: native[0], width: native[1])
            let fit = try PictureFit(native, to: [size.height, size.width, description.channels ?? native[2]], name: name)
            self.fit = fit.isIdentity ? nil : fit
            sampleShape = fit.target
            order = parts.shape.count > 1 && parts.layout != .heightWidthChannels ? PictureOrder(native, parts.layout) : nil
        } else {
            guard description.size == nil, description.channels == nil else {
                throw DataError(
                    .badInput,
                    "\(name): holds rows of \(parts.shape[0]) numbers, which data.size and data.channels do not make pictures")
            }
            (sampleShape, fit, order) = (parts.shape, nil, nil)
        }
        records = parts.records
        count = records.count
        (classNames, featureNames) = (parts.classNames, parts.featureNames)
        labels = parts.labels
        var notes = parts.notes
        let values = try ValueSurvey(records, description, isPicture: native != nil, notes: &notes)
        (map, valueRange, isUnchecked) = (values.map, values.range, !values.isWhole)
        self.notes = notes
    }

    /// [height, width, channels] of what is a picture.
    private static func pictureShape(_ parts: Parts, _ description: DataDescription) throws -> [Int]? {
        let shape = parts.shape
        switch shape.count {
        case 2: return parts.layout == .widthHeightChannels ? [shape[1], shape[0], 1] : shape + [1]
        case 3:
            return switch parts.layout {
            case .heightWidthChannels: shape
            case .channelsHeightWidth: [shape[1], shape[2], shape[0]]
            case .widthHeightChannels: [shape[1], shape[0], shape[2]]
            }
        case 1:
            // Rows of 784 numbers are pictures of 28x28, if somebody says so.
            guard let size = description.size, checkedProduct(size.height * size.width, description.channels ?? 1) == shape[0]
            else { return nil }
            return [size.height, size.width, description.channels ?? 1]
        default:
            throw DataError(
                .badInput,
                "\(parts.records.name): a sample has the shape \(shape); expected [n], [height, width] or [height, width, channels]"
            )
        }
    }

    func read(_ indexes: ArraySlice<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        checkRequest(indexes, buffer)
        guard var output = buffer.baseAddress else { return }
        let size = sampleSize
        for index in indexes {
            try records.withRecord(index) { bytes in convert(bytes.baseAddress!, into: output) }
            if isUnchecked { try check(UnsafeBufferPointer(start: output, count: size), index) }
            output += size
        }
    }

    private func convert(_ source: UnsafeRawPointer, into output: UnsafeMutablePointer<Float>) {
        let count = records.valueCount
        guard order != nil || fit != nil else { return map.apply(records.format, source, count: count, into: output) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count * (order != nil && fit != nil ? 2 : 1)) { buffer in
            let values = buffer.baseAddress!
            map.apply(records.format, source, count: count, into: values)
            guard let order else { return fit!.apply(values, into: output) }
            let pixels = fit == nil ? output : values + count
            order.sort(values, into: pixels)
            fit?.apply(pixels, into: output)
        }
    }

    private func check(_ sample: UnsafeBufferPointer<Float>, _ index: Int) throws {
        // Rounding may leave the range by a little.
        let bounds =
            valueRange.map { range in
                let slack = 1e-5 * (range.upper - range.lower)
                return Float(range.lower - slack)...Float(range.upper + slack)
            } ?? -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude
        guard let value = sample.first(where: { !bounds.contains($0) }) else { return }
        throw DataError(
            .badInput,
            "\(records.place(of: index)): holds a value that training would see as \(value); expected "
                + (valueRange.map { "what lies in \($0)" } ?? "a finite number"))
    }

    var units: SampleUnits { SampleUnits(map, columns: featureNames, brightness: valueRange) }
}

/// Where the numbers of a picture stand that is not in the order of rows, columns and channels.
private struct PictureOrder: Sendable {
    private let height: Int
    private let width: Int
    private let channels: Int
    /// From a row, a column, a channel to the next.
    private let steps: (row: Int, column: Int, channel: Int)

    /// - Parameter shape: [height, width, channels].
    init(_ shape: [Int], _ layout: PictureLayout) {
        (height, width, channels) = (shape[0], shape[1], shape[2])
        steps =
            switch layout {
            case .heightWidthChannels: (width * channels, channels, 1)
            case .channelsHeightWidth: (width, 1, height * width)
            case .widthHeightChannels: (channels, height * channels, 1)
            }
    }

    func sort(_ values: UnsafePointer<Float>, into pixels: UnsafeMutablePointer<Float>) {
        var place = 0
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    pixels[place] = values[row * steps.row + column * steps.column + channel * steps.channel]
                    place += 1
                }
            }
        }
    }
}

/// Samples of equal size in one or several files.
struct Records: Sendable {
    struct Part: Sendable {
        let source: ByteSource
        /// Where the first number of the first sample stands, in bytes.
        let start: Int
        let count: Int
    }

    /// What messages call all of it.
    let name: String
    let parts: [Part]
    let format: NumberFormat
    /// In a sample.
    let valueCount: Int
    /// From one sample to the next, in bytes.
    let stride: Int

    /// - Precondition: the parts hold what they say.
    init(name: String, parts: [Part], format: NumberFormat, valueCount: Int, stride: Int? = nil) {
        (self.name, self.parts, self.format, self.valueCount) = (name, parts, format, valueCount)
        self.stride = stride ?? valueCount * format.type.size
    }

    var count: Int { parts.reduce(0) { $0 + $1.count } }

    var isInMemory: Bool { parts.allSatisfy { $0.source.isInMemory } }

    private func locate(_ index: Int) -> (part: Part, offset: Int) {
        var index = index
        for part in parts {
            if index < part.count { return (part, part.start + index * stride) }
            index -= part.count
        }
        preconditionFailure("there is no sample \(index)")
    }

    /// Lends the bytes of a sample.
    func withRecord<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        let (part, offset) = locate(index)
        return try part.source.withBytes(offset..<offset + valueCount * format.type.size, body)
    }

    /// For messages: the file, the byte where it starts, and its number.
    func place(of index: Int) -> String {
        let (part, offset) = locate(index)
        return "\(part.source.name): byte \(offset): sample \(index)"
    }
}
