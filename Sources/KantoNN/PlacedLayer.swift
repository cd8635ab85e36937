import KantoTensor

/// A layer and where it stands in a network, as parameters' paths say it: `2.main.0`.
package struct PlacedLayer: CustomStringConvertible {
    package let layer: any Layer
    let path: String
    /// What the whole is called in errors: `critic`.
    private let network: String

    package init(_ layer: any Layer, network: String) { self.init(layer, path: "", network: network) }

    private init(_ layer: any Layer, path: String, network: String) {
        self.layer = layer
        self.path = path
        self.network = network
    }

    private func part(_ name: String, _ layer: any Layer) -> PlacedLayer {
        PlacedLayer(layer, path: path.isEmpty ? name : "\(path).\(name)", network: network)
    }

    /// The layers that it lists as what it is made of.
    package var children: [PlacedLayer] { layer.children.map(part) }

    /// It and all that it is made of, also what it stores without listing it.
    ///
    /// - Throws: `TensorError` if a layer stores a parameter that it does not list, which no optimizer would move and no
    ///   checkpoint hold. It names the property.
    package func all() throws -> [PlacedLayer] {
        var found = [self]
        for child in children { found += try child.all() }
        if Self.complete.contains(ObjectIdentifier(type(of: layer))) { return found }
        let listed = Set(layer.children.map { Identity($0.layer) })
        let parameters = Set(layer.parameters.map(ObjectIdentifier.init))
        for stored in StoredParts(of: layer).parts {
            let isComplete: Bool
            switch stored.value {
            case .parameter(let parameter):
                isComplete = !parameter.isTrainable || parameters.contains(ObjectIdentifier(parameter))
            case .layer(let layer):
                if listed.contains(Identity(layer)) { continue }
                isComplete = layer.parameters.allSatisfy { parameters.contains(ObjectIdentifier($0)) }
                if isComplete { found += try part(stored.path, layer).all() }
            }
            guard isComplete else {
                let list = if case .layer = stored.value { "children" } else { "namedParameters" }
                throw TensorError(
                    network,
                    "\(self) has a property \(stored.path) with parameters that it does not list: no optimizer moves them and no "
                        + "checkpoint holds them. Put it into the layer's `\(list)`")
            }
        }
        return found
    }

    /// Layers of Kanto that critics have, which list all that they store: a look into them at each step would take longer than
    /// all else that is asked of a critic.
    private static let complete = Set(
        ([
            Sequential.self, Residual.self, Dense.self, Conv2D.self, ReLU.self, LeakyReLU.self, Tanh.self, SmoothELU.self,
            GELU.self,
            SiLU.self, Softplus.self, Flatten.self, Reshape.self, AveragePool.self, LayerNorm.self, GroupNorm.self,
            InstanceNorm.self, ClassConcatenation.self, ClassProjection.self,
        ] as [any Layer.Type]).map { ObjectIdentifier($0) })

    /// For errors.
    package var description: String {
        path.isEmpty ? "the \(network) (\(type(of: layer)))" : "layer \(path) (\(type(of: layer)))"
    }
}

/// What tells a layer, a value as a rule, from others: its type and parameters.
private struct Identity: Hashable {
    private let type: ObjectIdentifier
    private let parameters: [ObjectIdentifier]

    init(_ layer: any Layer) {
        type = ObjectIdentifier(Swift.type(of: layer))
        parameters = layer.parameters.map(ObjectIdentifier.init)
    }
}

/// The layers and parameters in the stored properties of a layer, whatever it lists: those in arrays, dictionaries, optionals,
/// tuples and values of other types too, but not what is in those layers.
private struct StoredParts {
    enum Part {
        case layer(any Layer)
        case parameter(Parameter)
    }

    private(set) var parts: [(path: String, value: Part)] = []

    init(of layer: any Layer) {
        var mirror: Mirror? = Mirror(reflecting: layer)
        while let current = mirror {
            collect(current, path: "")
            mirror = current.superclassMirror
        }
    }

    private mutating func collect(_ mirror: Mirror, path: String) {
        for (index, child) in mirror.children.enumerated() {
            // The element of an optional, an enumeration's payload and the parts of a dictionary's pair stand where these do.
            let isNamed = mirror.displayStyle == .struct || mirror.displayStyle == .class || mirror.displayStyle == .tuple
            let isElement = mirror.displayStyle == .collection || mirror.displayStyle == .dictionary
            let name = isNamed ? child.label ?? "\(index)" : isElement ? "\(index)" : ""
            let place = path.isEmpty || name.isEmpty ? path + name : "\(path).\(name)"
            switch child.value {
            case let layer as any Layer: parts.append((place, .layer(layer)))
            case let parameter as Parameter: parts.append((place, .parameter(parameter)))
            case is Tensor: break
            default:
                let inner = Mirror(reflecting: child.value)
                // Objects may point in circles, and numbers come in large arrays of one type.
                if inner.displayStyle == nil, isElement { return }
                if inner.displayStyle != nil, inner.displayStyle != .class { collect(inner, path: place) }
            }
        }
    }
}
