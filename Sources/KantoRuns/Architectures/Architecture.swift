import KantoDescriptions
import KantoGAN
import KantoNN

/// A way to make a generator and a critic for samples of any shape.
///
/// To add one, add a file with a type of this protocol and a row to `ArchitectureKinds`.
public protocol Architecture: NamedDescription {
    /// - Parameters:
    ///   - shape: of a sample: [height, width, channels], each side 4 or more, or [features].
    ///   - latentSize: width of the generator's noise.
    ///   - last: what the generator ends with, so that its samples lie where the data do; nil for nothing.
    /// - Throws: `DescriptionError` if there is none for that shape.
    func networks(
        for shape: [Int], latentSize: Int, endingWith last: (any LayerKind)?
    ) throws(DescriptionError) -> NetworkPairDescription
}

/// The architectures that a configuration can name.
public enum ArchitectureKinds: KindFamily {
    /// What every architecture has beside its own keys.
    public struct Common: Describable {
        /// Width of the generator's noise.
        public var latentSize = 128

        public init() {}

        public static let keys = [DescriptionKey("latent", \Self.latentSize, in: 1...65536)]
    }
    public static let noun = "architecture"
    public static let kinds: [any NamedDescription.Type] = [
        PerceptronArchitecture.self, ConvolutionalArchitecture.self, ResidualArchitecture.self,
    ]
}

/// An architecture of a configuration: `"conv"`, or `{"name": "resnet", "width": 64, "latent": 128}`.
public typealias ArchitectureDescription = Choice<ArchitectureKinds>

extension ArchitectureDescription {
    /// The networks for samples of a shape that lie in a range; nil where they have none.
    ///
    /// - Throws: `DescriptionError` if the architecture has none for that shape.
    func networks(for shape: [Int], range: ClosedRange<Double>?) throws(DescriptionError) -> NetworkPairDescription {
        let last: (any LayerKind)? =
            switch range {
            case 0...1: Sigmoid()
            case -1...1: Tanh()
            default: nil
            }
        return try (kind as! any Architecture).networks(for: shape, latentSize: common.latentSize, endingWith: last)
    }
}

/// The sizes of pictures that a network halves, step by step, from the sample's own to one of about 4 pixels on the shorter
/// side. Odd sizes are rounded up.
struct Pyramid {
    /// The sample's own first.
    let sizes: [(height: Int, width: Int)]
    let channels: Int

    /// - Throws: `DescriptionError` if the shape is not that of a picture, or too small.
    init(_ shape: [Int], for name: String) throws(DescriptionError) {
        guard shape.count == 3, shape[0] >= 4, shape[1] >= 4 else {
            throw DescriptionError(
                "makes pictures of at least 4 rows and columns, the data's samples have the shape \(shape); mlp makes any")
        }
        channels = shape[2]
        var sizes = [(height: shape[0], width: shape[1])]
        // One halving for 4 to 11 pixels, two up to 22, three up to 45.
        let shorter = Double(min(shape[0], shape[1]))
        var left = 1
        while shorter >= Double(1 << (left + 2)) * 2.0.squareRoot() { left += 1 }
        for _ in 0..<left {
            let last = sizes[sizes.count - 1]
            sizes.append(((last.height + 1) / 2, (last.width + 1) / 2))
        }
        self.sizes = sizes
    }

    /// How often a network halves.
    var depth: Int { sizes.count - 1 }
    var smallest: (height: Int, width: Int) { sizes[depth] }
}
