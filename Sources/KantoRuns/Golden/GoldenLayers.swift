import KantoDescriptions
import KantoNN

/// The layers of a golden file, positional lists such as `["conv", 1, 8, 5, 2, 2]`, read as a network's description.
///
/// A list states more than a description does: the channels or features that a layer takes, or the shape of a sample. Those are
/// held against the shapes that the description gives.
struct GoldenLayers {
    private(set) var layers: [LayerDescription] = []
    /// The shape of a sample behind the layers: [features], or [height, width, channels].
    private(set) var output: [Int]
    /// How many more elements the layers may give for each sample.
    private var room: Int

    /// - Parameters:
    ///   - list: what the file states.
    ///   - input: the shape of a sample before the layers.
    ///   - room: more elements than this all layers together may not give for a sample, padded inputs included.
    /// - Throws: `DescriptionError`, which names the layer by its position.
    init(_ list: [DescriptionValue], input: [Int], room: Int) throws(DescriptionError) {
        (output, self.room) = (input, room)
        for (index, value) in list.enumerated() {
            try DescriptionError.within("\(index)") { () throws(DescriptionError) in try append(value) }
        }
    }

    private mutating func append(_ value: DescriptionValue) throws(DescriptionError) {
        guard case .list(let items) = value, case .text(let name)? = items.first else {
            throw DescriptionError(#"expected a list that starts with the layer's name, such as ["relu"], found \#(value)"#)
        }
        guard let form = Form.all.first(where: { $0.name == name }) else {
            throw DescriptionError(unknown("layer", name, among: Form.all.map(\.name)))
        }
        let values = items.dropFirst()
        guard (form.keys.count - form.optionalCount...form.keys.count).contains(values.count) else {
            throw DescriptionError("expected \(form)")
        }
        var stated = Dictionary(uniqueKeysWithValues: zip(form.keys, values))
        let (inputs, shape) = (stated.removeValue(forKey: Form.inputs), stated.removeValue(forKey: Form.shape))
        let layer: LayerDescription
        if name == Residual.Description.name {
            layer = try residual(stated)
        } else {
            stated.merge(form.implied) { $1 }
            stated[LayerKinds.nameKey] = .text(name)
            layer = try LayerDescription(.object(stated))
        }
        let result = try layer.outputShape(for: output)
        try DescriptionError.naming(name) { () throws(DescriptionError) in
            if let inputs { try check(inputs, key: Form.inputs, against: output.last ?? 0) }
            if let shape { try check(shape, key: Form.shape, against: Self.channelsFirst(output)) }
            if let padded = (layer.layer as? Conv2D.Description)?.paddedShape(of: output) {
                try take(padded, "reads padded samples")
            }
            try take(result, "gives samples")
        }
        output = result
        layers.append(layer)
    }

    private mutating func residual(_ branches: [String: DescriptionValue]) throws(DescriptionError) -> LayerDescription {
        var read: [String: [LayerDescription]] = [:]
        for name in ["main", "shortcut"] {
            guard case .list(let list)? = branches[name] else {
                throw DescriptionError("\(Residual.Description.name): expected a list of layers", at: name)
            }
            try DescriptionError.within(name) { () throws(DescriptionError) in
                let branch = try GoldenLayers(list, input: output, room: room)
                (read[name], room) = (branch.layers, branch.room)
            }
        }
        return LayerDescription(Residual.Description(main: read["main"]!, shortcut: read["shortcut"]!))
    }

    /// - Throws: `DescriptionError` if the list states another number or shape than that of the samples it gets.
    private func check<Value: DescriptionConvertible>(
        _ stated: DescriptionValue, key: String, against expected: Value
    ) throws(DescriptionError) {
        let found = try DescriptionError.within(key) { () throws(DescriptionError) in try Value(stated) }
        guard found == expected else {
            throw DescriptionError("expected \(expected), for samples of shape \(output), found \(found)", at: key)
        }
    }

    private mutating func take(_ shape: [Int], _ what: String) throws(DescriptionError) {
        let count = shape.reduce(1, *)
        guard count <= room else {
            throw DescriptionError(
                "\(what) of shape \(shape), more than the \(room) elements a sample that are left to a file of this size")
        }
        room -= count
    }

    /// A sample's shape as PyTorch has it: [features], or [channels, height, width].
    private static func channelsFirst(_ sample: [Int]) -> [Int] { Array(sample.suffix(1) + sample.dropLast()) }
}

/// What a golden file writes of a kind of layer behind its name: values for the keys of its description, by position.
private struct Form: Sendable, CustomStringConvertible {
    let name: String
    let keys: [String]
    /// How many of the last keys may be left out.
    var optionalCount = 0
    /// What PyTorch's layer is beside what is stated.
    var implied: [String: DescriptionValue] = [:]

    /// The features or channels that the layer takes: no key of a description, where they follow from the shapes.
    static let inputs = "inputs"
    /// The shape of a sample, [channels, height, width]: likewise.
    static let shape = "shape"

    static let all = [
        Form(name: "dense", keys: [inputs, "outputs"]),
        Form(name: "conv", keys: [inputs, "channels", "kernel", "stride", "padding", "dilation", "groups"], optionalCount: 2),
        Form(name: "leaky_relu", keys: ["slope"]), Form(name: "relu", keys: []), Form(name: "elu", keys: []),
        Form(name: "gelu", keys: []), Form(name: "silu", keys: []), Form(name: "tanh", keys: []), Form(name: "sigmoid", keys: []),
        Form(name: "softplus", keys: []),
        Form(name: "flatten", keys: [], implied: ["channels_first": .boolean(true)]),
        Form(name: "avg_pool", keys: ["size"]), Form(name: "upsample", keys: ["factor"]),
        Form(name: "layer_norm", keys: [shape], implied: ["affine": .text("element")]),
        Form(name: "group_norm", keys: ["groups", inputs]), Form(name: "instance_norm", keys: [inputs]),
        Form(name: "residual", keys: ["main", "shortcut"]),
    ]

    /// As the file has it: `["conv", inputs, channels, …]`.
    var description: String {
        let last = keys.dropFirst(keys.count - optionalCount).map { "\($0) = 1" }
        return "[" + (["\"\(name)\""] + keys.dropLast(optionalCount) + last).joined(separator: ", ") + "]"
    }
}

extension Conv2D.Description {
    /// The shape of a sample with its padding around it.
    fileprivate func paddedShape(of sample: [Int]) -> [Int]? {
        guard case .sides(let sides) = padding, sample.count == 3 else { return nil }
        return [sample[0] + sides.top + sides.bottom, sample[1] + sides.left + sides.right, sample[2]]
    }
}
