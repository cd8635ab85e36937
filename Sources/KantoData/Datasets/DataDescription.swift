import KantoDescriptions

/// Where a run's data are and how they are read, as its configuration has it: `{"path": "faces", "size": 64}`, or the path
/// alone.
public struct DataDescription: Describable {
    /// A file, a folder, or the name of a set that Kanto makes: digits, ring8, grid25, swissroll.
    public var path = "digits"
    /// The name of a format, for data that are not told by their content.
    public var format: String?
    /// The pictures' height and width after they are cropped around the center and resized; nil to take them as they are.
    public var size: PictureSize?
    /// 1 (gray), 3 (red, green, blue) or as many as the data have; nil to take them as they are.
    public var channels: Int?
    /// What the data's own values lie in: black and white of pictures, `[0, 16]` say. Nil for 0...255 where they are bytes,
    /// and otherwise what is found in them; rows of numbers are then standardized.
    public var range: ValueRange?
    /// What `range` becomes for training. It is the range of the generator's last activation: -1...1 for tanh.
    public var scaledTo = ValueRange(0, 1)
    /// Whether half of the pictures that training sees are mirrored.
    public var flip = false
    /// Whether training adds to each value of a picture, a whole number in the data's own units, what is between it and the next
    /// one: a number from U[0, 1), each time another (Theis et al. 2016, section 3.1).
    public var dequantize = false
    /// A file with one class a sample (IDX, .npy or a text with a name a line), or the column of a CSV file that is a class.
    public var labels: String?
    /// Which array of an .npz file is the samples; nil for the one that looks like it.
    public var array: String?
    /// How the pictures of an IDX, .npy or .npz file order their dimensions.
    public var layout = PictureLayout.heightWidthChannels
    /// How many pictures, drawn by lot, are the channels of one sample, as three digits are in stacked MNIST; nil for pictures one
    /// by one.
    public var stacked: Int?
    /// What is held out from training, for the critic's loss on samples that it is not trained on; nil for nothing.
    public var heldOut: HeldOut?

    public init() {}

    /// Data that are read as they are.
    ///
    /// - Parameter path: a file, a folder, or the name of a set that Kanto makes.
    public init(path: String) { self.path = path }

    public static let keys: [DescriptionKey<Self>] = [
        DescriptionKey("path", \.path),
        DescriptionKey("format", \.format, expected: "one of the formats \(DatasetFormat.names)") { name in
            name.map { name in DatasetFormat.all.contains { $0.name == name } } ?? true
        },
        DescriptionKey("size", \.size),
        DescriptionKey("channels", \.channels, expected: "a whole number from 1 to 1024") { $0.map { 1...1024 ~= $0 } ?? true },
        DescriptionKey("range", \.range), DescriptionKey("scaled_to", \.scaledTo), DescriptionKey("flip", \.flip),
        DescriptionKey("dequantize", \.dequantize),
        DescriptionKey("labels", \.labels), DescriptionKey("array", \.array), DescriptionKey("layout", \.layout),
        DescriptionKey("stacked", \.stacked, expected: "a whole number from 2 to 16") { $0.map { 2...16 ~= $0 } ?? true },
        DescriptionKey("held_out", \.heldOut),
    ]

    /// - Throws: `DescriptionError`, which names the key and what was expected.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        switch value {
        case .text(let path), .word(let path): self.init(path: path)
        default: try self.init(value, alsoValid: [])
        }
    }
}

/// How an array orders a picture's dimensions.
public enum PictureLayout: String, DescriptionConvertible, CaseIterable {
    case heightWidthChannels = "hwc"
    /// As PyTorch has them.
    case channelsHeightWidth = "chw"
    /// With rows and columns exchanged, as EMNIST is published.
    case widthHeightChannels = "whc"
}

/// The size of pictures: `64` in a description, or `[48, 64]`, the height and the width.
public struct PictureSize: DescriptionConvertible {
    /// In pixels.
    public var height: Int
    /// In pixels.
    public var width: Int

    /// - Parameters:
    ///   - height: in pixels.
    ///   - width: in pixels.
    public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    /// In pixels; four times of what a network can be thought to make.
    private static let largest = 1 << 14

    /// - Throws: `DescriptionError`, which says what was expected.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        // A side alone, or a list of two: a word of a command line may be either.
        let sides: [Int]
        do throws(DescriptionError) { sides = [try Int(value)] } catch {
            do throws(DescriptionError) { sides = try [Int](value) } catch { throw Self.unexpected(value) }
        }
        guard 1...2 ~= sides.count, sides.allSatisfy({ 1...Self.largest ~= $0 }) else { throw Self.unexpected(value) }
        self.init(height: sides[0], width: sides[sides.count - 1])
    }

    private static func unexpected(_ value: DescriptionValue) -> DescriptionError {
        DescriptionError("expected a side of 1 to \(largest) pixels, or [height, width], found \(value)")
    }

    /// A side alone where both are equal.
    public func described(isWhole: Bool) -> DescriptionValue {
        height == width ? .integer(Int128(height)) : .list([.integer(Int128(height)), .integer(Int128(width))])
    }
}

/// Two different numbers, the smaller first: `[0, 255]` in a description.
public struct ValueRange: DescriptionConvertible {
    /// The smallest value.
    public let lower: Double
    /// The largest value.
    public let upper: Double

    /// - Precondition: lower < upper, both finite.
    public init(_ lower: Double, _ upper: Double) {
        precondition(lower < upper && (upper - lower).isFinite, "\(lower)...\(upper) is no range")
        (self.lower, self.upper) = (lower, upper)
    }

    /// - Throws: `DescriptionError`, which says what was expected.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        let ends: [Double]
        do throws(DescriptionError) { ends = try [Double](value) } catch { throw Self.unexpected(value) }
        guard ends.count == 2, ends[0] < ends[1], (ends[1] - ends[0]).isFinite else { throw Self.unexpected(value) }
        self.init(ends[0], ends[1])
    }

    private static func unexpected(_ value: DescriptionValue) -> DescriptionError {
        DescriptionError("expected the smallest and the largest value, such as [0, 255], found \(value)")
    }

    /// The two values.
    public func described(isWhole: Bool) -> DescriptionValue {
        .list([lower.described(isWhole: isWhole), upper.described(isWhole: isWhole)])
    }
}

extension ValueRange: CustomStringConvertible {
    /// `0...255`
    public var description: String { "\(decimal(lower))...\(decimal(upper))" }
}
