import KantoData
import KantoKernels
import KantoNN
import KantoTensor

/// One layer of a golden file's critic, with its numbers. Shapes here are PyTorch's.
indirect enum GoldenLayer: Sendable {
    case dense(inputs: Int, outputs: Int)
    case convolution(inputs: Int, outputs: Int, kernel: Int, Window)
    case activation(any Layer)
    case flatten
    case averagePool(size: Int)
    case upsample(factor: Int)
    /// The shape of a sample.
    case layerNorm([Int])
    case groupNorm(groups: Int, channels: Int)
    case instanceNorm(channels: Int)
    case residual(main: [GoldenLayer], shortcut: [GoldenLayer])

    /// The layers that can be read, as the file writes them.
    private static let forms: KeyValuePairs = [
        "dense": #"["dense", inputs, outputs]"#,
        "conv": #"["conv", inputs, outputs, kernel, stride, padding, dilation = 1, groups = 1]"#,
        "leaky_relu": #"["leaky_relu", slope]"#,
        "relu": #"["relu"]"#,
        "elu": #"["elu"]"#,
        "gelu": #"["gelu"]"#,
        "silu": #"["silu"]"#,
        "tanh": #"["tanh"]"#,
        "sigmoid": #"["sigmoid"]"#,
        "softplus": #"["softplus"]"#,
        "flatten": #"["flatten"]"#,
        "avg_pool": #"["avg_pool", size]"#,
        "upsample": #"["upsample", factor]"#,
        "layer_norm": #"["layer_norm", [channels, height, width]]"#,
        "group_norm": #"["group_norm", groups, channels]"#,
        "instance_norm": #"["instance_norm", channels]"#,
        "residual": #"["residual", [layers …], [layers …]]"#,
    ]

    /// - Throws: `Mismatch`, which says what was expected.
    init(_ value: JSONValue) throws(Mismatch) {
        guard case .list(let items) = value, case .text(let kind)? = items.first else {
            throw Mismatch(#"expected a list that starts with the layer's name, such as ["relu"]"#)
        }
        guard let form = Self.forms.first(where: { $0.key == kind })?.value else {
            throw Mismatch(unknownName("unknown layer", kind, plural: "layers", known: Self.forms.map(\.key)))
        }
        let arguments = items.dropFirst()
        let (numbers, lists) = (arguments.compactMap(\.number), arguments.compactMap(\.list))
        func integer(_ number: Double, _ name: String, from least: Int = 1) throws(Mismatch) -> Int {
            guard let integer = Int(exactly: number), (least...Self.largestNumber).contains(integer) else {
                throw Mismatch(
                    "\(kind): \(name) is \(number), expected a whole number from \(least) to \(Self.largestNumber)")
            }
            return integer
        }
        let isNumbers = numbers.count == arguments.count, isLists = lists.count == arguments.count
        switch (kind, isNumbers ? numbers.count : -1, isLists ? lists.count : -1) {
        case ("dense", 2, _):
            self = .dense(inputs: try integer(numbers[0], "inputs"), outputs: try integer(numbers[1], "outputs"))
        case ("conv", 5...7, _):
            let window = Window(
                stride: try integer(numbers[3], "stride"), padding: Window.Padding(try integer(numbers[4], "padding", from: 0)),
                dilation: numbers.count > 5 ? try integer(numbers[5], "dilation") : 1,
                groups: numbers.count > 6 ? try integer(numbers[6], "groups") : 1)
            let (inputs, outputs) = (try integer(numbers[0], "inputs"), try integer(numbers[1], "outputs"))
            guard inputs % window.groups == 0, outputs % window.groups == 0 else {
                throw Mismatch(
                    "conv: the groups (\(window.groups)) do not divide both inputs (\(inputs)) and outputs (\(outputs))")
            }
            self = .convolution(inputs: inputs, outputs: outputs, kernel: try integer(numbers[2], "kernel"), window)
        case ("leaky_relu", 1, _):
            guard numbers[0] >= 0 else { throw Mismatch("leaky_relu: slope is \(numbers[0]), expected a number from 0 up") }
            self = .activation(LeakyReLU(numbers[0]))
        case ("relu", 0, _): self = .activation(ReLU())
        case ("elu", 0, _): self = .activation(ELU())
        case ("gelu", 0, _): self = .activation(GELU())
        case ("silu", 0, _): self = .activation(SiLU())
        case ("tanh", 0, _): self = .activation(Tanh())
        case ("sigmoid", 0, _): self = .activation(Sigmoid())
        case ("softplus", 0, _): self = .activation(Softplus())
        case ("flatten", 0, _): self = .flatten
        case ("avg_pool", 1, _): self = .averagePool(size: try integer(numbers[0], "size"))
        case ("upsample", 1, _): self = .upsample(factor: try integer(numbers[0], "factor"))
        case ("layer_norm", _, 1) where [1, 3].contains(lists[0].count):
            var shape: [Int] = []
            for item in lists[0] { shape.append(try integer(item.number ?? .nan, "an extent")) }
            self = .layerNorm(shape)
        case ("group_norm", 2, _):
            let (groups, channels) = (try integer(numbers[0], "groups"), try integer(numbers[1], "channels"))
            guard channels % groups == 0 else {
                throw Mismatch("group_norm: the groups (\(groups)) do not divide the channels (\(channels))")
            }
            self = .groupNorm(groups: groups, channels: channels)
        case ("instance_norm", 1, _): self = .instanceNorm(channels: try integer(numbers[0], "channels"))
        case ("residual", _, 2):
            self = .residual(main: try Self.layers(lists[0], in: "main"), shortcut: try Self.layers(lists[1], in: "shortcut"))
        default: throw Mismatch("expected \(form)")
        }
    }

    private static func layers(_ values: [JSONValue], in branch: String) throws(Mismatch) -> [GoldenLayer] {
        var layers: [GoldenLayer] = []
        for (index, value) in values.enumerated() {
            try Mismatch.within("\(branch), layer \(index)") { () throws(Mismatch) in layers.append(try GoldenLayer(value)) }
        }
        return layers
    }

    /// No layer has more of anything; up to it no number of elements of a sample overflows.
    private static let largestNumber = 65536

    /// The parameters' names and shapes.
    var parameters: [(name: String, shape: [Int])] {
        switch self {
        case .dense(let inputs, let outputs): [("weight", [outputs, inputs]), ("bias", [outputs])]
        case .convolution(let inputs, let outputs, let kernel, let window):
            [("weight", [outputs, inputs / window.groups, kernel, kernel]), ("bias", [outputs])]
        case .layerNorm(let shape): [("weight", shape), ("bias", shape)]
        case .groupNorm(_, let channels), .instanceNorm(let channels): [("weight", [channels]), ("bias", [channels])]
        case .residual(let main, let shortcut):
            [("main", main), ("shortcut", shortcut)].flatMap { branch, layers in
                layers.parameters.map { ("\(branch).\($0.path)", $0.shape) }
            }
        case .activation, .flatten, .averagePool, .upsample: []
        }
    }

    /// The layer of Kanto, with parameters in Kanto's layouts, asked for by name.
    func layer(_ parameter: (String) throws -> Tensor) throws -> any Layer {
        switch self {
        case .dense: return Dense(weight: try parameter("weight"), bias: try parameter("bias"))
        case .convolution(_, _, _, let window):
            return Conv2D(weight: try parameter("weight"), bias: try parameter("bias"), window: window)
        case .activation(let activation): return activation
        case .flatten: return Flatten(isChannelsFirst: true)
        case .averagePool(let size): return AveragePool(size)
        case .upsample(let factor): return Upsample(factor)
        case .layerNorm: return LayerNorm(weight: try parameter("weight"), bias: try parameter("bias"))
        case .groupNorm(let groups, _):
            return GroupNorm(groups: groups, weight: try parameter("weight"), bias: try parameter("bias"))
        case .instanceNorm: return InstanceNorm(weight: try parameter("weight"), bias: try parameter("bias"))
        case .residual(let main, let shortcut):
            return Residual(
                main: try main.sequential { try parameter("main.\($0)") },
                shortcut: try shortcut.sequential { try parameter("shortcut.\($0)") })
        }
    }
}

extension [GoldenLayer] {
    /// The parameters' paths, as in `0.weight`, and shapes.
    var parameters: [(path: String, shape: [Int])] {
        enumerated().flatMap { index, layer in layer.parameters.map { ("\(index).\($0.name)", $0.shape) } }
    }

    /// The layers of Kanto, with parameters asked for by path.
    func sequential(_ parameter: (String) throws -> Tensor) throws -> Sequential {
        Sequential(try enumerated().map { index, layer in try layer.layer { try parameter("\(index).\($0)") } })
    }
}

/// What does not fit, for people; who catches it adds the file and the place.
struct Mismatch: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }

    /// Puts a place before what does not fit in it.
    static func within<R>(_ place: String, _ body: () throws(Mismatch) -> R) throws(Mismatch) -> R {
        do { return try body() } catch { throw Mismatch("\(place): \(error.reason)") }
    }
}

extension JSONValue {
    var number: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    var list: [JSONValue]? { if case .list(let list) = self { list } else { nil } }
}
