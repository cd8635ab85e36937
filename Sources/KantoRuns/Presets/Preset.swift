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
