import KantoDescriptions
import KantoKernels
import KantoTensor

/// Layers one behind the other. An activation behind a layer that can end with it is computed in that layer's kernel.
///
/// Paths are positions: the weight of layer 2 is `2.weight`. A layer may stand in several places; it has one weight there, listed
/// under the first.
public struct Sequential: Layer {
    /// From the input to the output.
    public let layers: [any Layer]

    /// - Parameter layers: from the input to the output.
    public init(_ layers: any Layer...) { self.layers = layers }
    /// - Parameter layers: from the input to the output.
    public init(_ layers: [any Layer]) { self.layers = layers }

    /// - Throws: `TensorError`, which names the layer by its position and type.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        var value = input
        var index = 0
        while index < layers.count {
            let layer = layers[index]
            try within("layer \(index) (\(type(of: layer)))") {
                if let layer = layer as? any LayerWithEpilogue, index + 1 < layers.count,
                    let next = layers[index + 1] as? any ActivationLayer
                {
                    value = try layer(value, activation: next.activation)
                    index += 2
                } else {
                    value = try layer(value)
                    index += 1
                }
            }
        }
        return value
    }

    public var children: [(name: String, layer: any Layer)] { layers.enumerated().map { ("\($0)", $1) } }
}

/// main(x) + shortcut(x) (He et al. 2016). Paths begin with `main.` and `shortcut.`.
public struct Residual: Layer {
    /// The layers whose output is added.
    public let main: Sequential
    /// Without layers it is the identity.
    public let shortcut: Sequential

    /// - Parameters:
    ///   - main: the layers whose output is added.
    ///   - shortcut: what the input goes through to meet it; nothing by itself.
    public init(main: Sequential, shortcut: Sequential = Sequential()) {
        self.main = main
        self.shortcut = shortcut
    }

    /// - Throws: `TensorError`, which names the branch, or both shapes if they differ.
    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        let sum = (try within("main") { try main(input) }, try within("shortcut") { try shortcut(input) })
        guard sum.0.shape == sum.1.shape else {
            throw TensorError("residual", "main gives \(sum.0.shape), the shortcut \(sum.1.shape); both must have the same shape")
        }
        return try sum.0 + sum.1
    }

    public var children: [(name: String, layer: any Layer)] { [("main", main), ("shortcut", shortcut)] }
}

/// Puts a place before the operation that an error names.
private func within<R>(_ place: String, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as TensorError {
        throw TensorError("\(place), \(error.operation)", error.reason)
    }
}

extension Residual {
    /// `{"layer": "residual", "main": [layers …], "shortcut": [layers …]}`; without a shortcut it is the identity.
    public struct Description: LayerKind {
        /// The layers whose output is added.
        public var main: [LayerDescription] = []
        /// What the input goes through to meet it.
        public var shortcut: [LayerDescription] = []

        public init() {}
        /// - Parameters:
        ///   - main: the layers whose output is added.
        ///   - shortcut: what the input goes through to meet it.
        public init(main: [LayerDescription], shortcut: [LayerDescription] = []) { (self.main, self.shortcut) = (main, shortcut) }

        public static let name = "residual"
        public static let keys = [
            DescriptionKey("main", \Self.main, isRequired: true), DescriptionKey("shortcut", \Self.shortcut),
        ]

        public func outputShape(for input: [Int]) throws(DescriptionError) -> [Int] {
            func shape(_ name: String, _ layers: [LayerDescription]) throws(DescriptionError) -> [Int] {
                try DescriptionError.within(name) { () throws(DescriptionError) in try layers.shapes(from: input).last! }
            }
            let (ofMain, ofShortcut) = (try shape("main", main), try shape("shortcut", shortcut))
            guard ofMain == ofShortcut else {
                throw DescriptionError("main gives samples of shape \(ofMain), the shortcut \(ofShortcut)")
            }
            return ofMain
        }

        public func makeLayer(for input: [Int], using random: inout Random) throws -> any Layer {
            Residual(
                main: try main.makeLayers(for: input, using: &random),
                shortcut: try shortcut.makeLayers(for: input, using: &random))
        }

        /// Each branch with the shapes along it; none if its layers do not fit each other.
        private func branches(from input: [Int]) -> [(name: String, layers: [LayerDescription], shapes: [[Int]])] {
            [("main", main), ("shortcut", shortcut)].map { ($0, $1, (try? $1.shapes(from: input)) ?? []) }
        }

        public func parameterShapes(for input: [Int]) -> [(path: String, shape: [Int])] {
            branches(from: input).flatMap { branch in
                branch.layers.parameterShapes(along: branch.shapes).map { ("\(branch.name).\($0.path)", $0.shape) }
            }
        }

        public func forwardProblems(for input: [Int], batchSize: Int) -> [Problem] {
            branches(from: input).flatMap { $0.layers.forwardProblems(along: $0.shapes, batchSize: batchSize) }
        }

        public func summary(for input: [Int]) -> String {
            "(\(main.summary(for: input)))" + (shortcut.isEmpty ? "" : " + (\(shortcut.summary(for: input)))")
        }
    }
}
