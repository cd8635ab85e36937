import KantoData
import KantoDescriptions
import KantoGAN
import KantoNN

/// A named configuration of a run, and where it comes from.
public struct Preset: Sendable {
    /// How the command line and `config.json` name it.
    public let name: String
    /// In one line.
    public let summary: String
    /// Which data it wants.
    public let dataSummary: String
    /// Who made the data, where they are, and under which license.
    public let dataAttribution: String
    /// The publication that it follows, and where it departs from it.
    public let source: String
    /// The whole run; its `preset` is the name.
    public let configuration: RunConfiguration

    init(
        name: String, summary: String, dataSummary: String, dataAttribution: String, source: String,
        _ configure: (inout RunConfiguration) -> Void
    ) {
        (self.name, self.summary, self.source) = (name, summary, source)
        (self.dataSummary, self.dataAttribution) = (dataSummary, dataAttribution)
        var configuration = RunConfiguration()
        configuration.preset = name
        configure(&configuration)
        self.configuration = configuration
    }

    /// All presets, a row each.
    public static let all: [Preset] = [
        digits, ring8, grid25, swissroll, mnist, stackedMNIST, cifar, cifarResNet, resnet64, dcgan64, ring8Original,
        grid25Original, swissrollOriginal,
    ]

    /// - Throws: `DescriptionError`, with the nearest name.
    public init(named name: String) throws(DescriptionError) {
        guard let preset = Preset.all.first(where: { $0.name == name }) else {
            throw DescriptionError(unknown("preset", name, among: Preset.all.map(\.name)))
        }
        self = preset
    }
}

extension DataDescription {
    /// Pictures of somebody's own, brought to a size.
    ///
    /// - Parameters:
    ///   - side: rows, and columns.
    ///   - range: what the generator's last activation gives.
    static func pictures(of side: Int, channels: Int, scaledTo range: ValueRange) -> DataDescription {
        var data = DataDescription(path: "")
        (data.size, data.channels, data.scaledTo) = (PictureSize(height: side, width: side), channels, range)
        return data
    }

    /// Color pictures for a generator that ends with tanh.
    static func colorPictures(of side: Int) -> DataDescription {
        pictures(of: side, channels: 3, scaledTo: ValueRange(-1, 1))
    }
}
