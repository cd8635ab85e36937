import KantoDescriptions
import KantoNN
import KantoTensor

/// How a generator and a critic are told the class of a sample.
///
/// To add a way that configurations can name, add a row to `ConditioningKinds`.
public protocol Conditioning: NamedDescription {
    /// A new critic from the description of one that is told nothing.
    ///
    /// - Throws: `DescriptionError` if the description does not suit the way.
    func makeCritic(_ critic: NetworkDescription, classCount: Int, using random: inout Random) throws -> any Layer
}

/// Classes as further channels of the critic's input (Mirza and Osindero 2014).
public struct ConcatConditioning: Conditioning {
    public static let name = "concat"

    public init() {}

    public func makeCritic(_ critic: NetworkDescription, classCount: Int, using random: inout Random) throws -> any Layer {
        ClassConcatenation(try critic.widened(by: classCount).makeNetwork(using: &random), classCount: classCount)
    }
}

/// A score for each class from the same features (Miyato and Koyama 2018): the critic ends with a dense layer, beside which
/// the class has one of its own.
public struct ProjectionConditioning: Conditioning {
    public static let name = "projection"

    public init() {}

    public func makeCritic(_ critic: NetworkDescription, classCount: Int, using random: inout Random) throws -> any Layer {
        guard let last = critic.layers.last?.layer as? Dense.Description, last.outputs == 1 else {
            throw DescriptionError("projection wants a critic whose last layer is {\"layer\": \"dense\", \"outputs\": 1}")
        }
        let features = NetworkDescription(input: critic.input, layers: critic.layers.dropLast())
        let size = try features.outputShape()[0]
        let layers = try features.makeNetwork(using: &random)
        let output = try last.makeLayer(for: [size], using: &random) as! Dense
        let embedding = try last.initializer.weights(
            [classCount, size], incoming: Double(size), outgoing: 1, using: &random)
        return try ClassProjection(features: layers, output: output, embedding: embedding)
    }
}

/// The ways that a configuration can name.
public enum ConditioningKinds: KindFamily {
    /// What every way has.
    public struct Common: Describable {
        /// The names of the classes, in their order. A run fills them in from the labels of its data.
        public var classes: [String] = []

        public init() {}
        /// - Parameter classes: their names, in their order.
        public init(classes: [String]) { self.classes = classes }

        public static let keys = [DescriptionKey("classes", \Self.classes)]
    }
    public static let noun = "conditioning"
    public static let kinds: [any NamedDescription.Type] = [ConcatConditioning.self, ProjectionConditioning.self]
}

/// A way of a configuration: `"projection"`. The generator is told the class as further numbers behind its noise, the critic
/// as the way says.
public typealias ConditioningDescription = Choice<ConditioningKinds>

extension ConditioningDescription {
    /// Describes a way.
    ///
    /// - Parameter classes: their names, in their order.
    public init(_ conditioning: any Conditioning, classes: [String] = []) {
        self.init(kind: conditioning, common: ConditioningKinds.Common(classes: classes))
    }
    /// The names of the classes, in their order.
    public var classes: [String] {
        get { common.classes }
        set { common.classes = newValue }
    }

    func makeCritic(_ critic: NetworkDescription, using random: inout Random) throws -> any Layer {
        try (kind as! any Conditioning).makeCritic(critic, classCount: try classCount(), using: &random)
    }

    func makeGenerator(_ generator: NetworkDescription, using random: inout Random) throws -> any Layer {
        let count = try classCount()
        return ClassConcatenation(try generator.widened(by: count).makeNetwork(using: &random), classCount: count)
    }

    /// By their paths in what `makeGenerator` makes.
    func generatorParameterShapes(_ generator: NetworkDescription) throws(DescriptionError) -> [(path: String, shape: [Int])] {
        try generator.widened(by: classCount()).parameterShapes().map { ("network.\($0.path)", $0.shape) }
    }

    private func classCount() throws(DescriptionError) -> Int {
        guard !classes.isEmpty else { throw DescriptionError("there are no classes", at: "conditioning.classes") }
        return classes.count
    }
}

extension NetworkDescription {
    /// The same layers for samples of more channels.
    fileprivate func widened(by channels: Int) -> NetworkDescription {
        NetworkDescription(input: input.dropLast() + [(input.last ?? 0) + channels], layers: layers)
    }
}
