import FoundationEssentials

/// One layer of a golden file's critic, with its numbers. Shapes here are PyTorch's.
enum GoldenLayer: Sendable {
    case dense(inputs: Int, outputs: Int)
    case convolution(inputs: Int, outputs: Int, kernel: Int, Window)
    case activation(any ActivationLayer)
    case flatten

    /// The layers that can be read, as the file writes them.
    private static let forms: KeyValuePairs = [
        "dense": #"["dense", inputs, outputs]"#,
        "conv": #"["conv", inputs, outputs, kernel, stride, padding, dilation = 1, groups = 1]"#,
        "leaky_relu": #"["leaky_relu", slope]"#,
        "relu": #"["relu"]"#,
        "tanh": #"["tanh"]"#,
        "sigmoid": #"["sigmoid"]"#,
        "flatten": #"["flatten"]"#,
    ]

    /// - Throws: `Mismatch`, which says what was expected.
    init(_ value: JSONValue) throws(Mismatch) {
        guard case .list(let items) = value, case .text(let kind)? = items.first else {
            throw Mismatch(#"expected a list that starts with the layer's name, such as ["relu"]"#)
        }
        guard let form = Self.forms.first(where: { $0.key == kind })?.value else {
            throw Mismatch("unknown layer '\(kind)'; known are \(Self.forms.map(\.key).joined(separator: ", "))")
        }
        let numbers = items.dropFirst().compactMap(\.number)
        func integer(_ index: Int, _ name: String, from least: Int = 1) throws(Mismatch) -> Int {
            guard let integer = Int(exactly: numbers[index]), (least...Self.largestNumber).contains(integer) else {
                throw Mismatch(
                    "\(kind): \(name) is \(numbers[index]), expected a whole number from \(least) to \(Self.largestNumber)")
            }
            return integer
        }
        switch (kind, numbers.count == items.count - 1 ? numbers.count : -1) {
        case ("dense", 2):
            self = .dense(inputs: try integer(0, "inputs"), outputs: try integer(1, "outputs"))
        case ("conv", 5...7):
            let window = Window(
                stride: try integer(3, "stride"), padding: Window.Padding(try integer(4, "padding", from: 0)),
                dilation: numbers.count > 5 ? try integer(5, "dilation") : 1,
                groups: numbers.count > 6 ? try integer(6, "groups") : 1)
            let (inputs, outputs) = (try integer(0, "inputs"), try integer(1, "outputs"))
            guard inputs % window.groups == 0, outputs % window.groups == 0 else {
                throw Mismatch(
                    "conv: the groups (\(window.groups)) do not divide both inputs (\(inputs)) and outputs (\(outputs))")
            }
            self = .convolution(inputs: inputs, outputs: outputs, kernel: try integer(2, "kernel"), window)
        case ("leaky_relu", 1):
            guard numbers[0] >= 0 else { throw Mismatch("leaky_relu: slope is \(numbers[0]), expected a number from 0 up") }
            self = .activation(LeakyReLU(numbers[0]))
        case ("relu", 0): self = .activation(ReLU())
        case ("tanh", 0): self = .activation(Tanh())
        case ("sigmoid", 0): self = .activation(Sigmoid())
        case ("flatten", 0): self = .flatten
        default: throw Mismatch("expected \(form)")
        }
    }

    /// No layer has more of anything; up to it no number of elements of a sample overflows.
    private static let largestNumber = 65536

    /// The shape of a sample behind this layer, from that before it: [features] or [channels, height, width].
    ///
    /// - Throws: `Mismatch` if the layer does not take such samples.
    func sampleShape(after shape: [Int]) throws(Mismatch) -> [Int] {
        switch self {
        case .dense(let inputs, let outputs):
            guard shape == [inputs] else {
                let hint = shape.count == 3 ? #"; put ["flatten"] before it"# : ""
                throw Mismatch("dense: takes samples of shape [\(inputs)], gets \(shape)" + hint)
            }
            return [outputs]
        case .convolution(let inputs, let outputs, let kernel, let window):
            guard shape.count == 3, shape[0] == inputs else {
                throw Mismatch("conv: takes samples of shape [\(inputs), height, width], gets \(shape)")
            }
            let reach = window.dilation * (kernel - 1) + 1
            let room = shape[1...].map { $0 + 2 * window.padding.top - reach }
            guard room.allSatisfy({ $0 >= 0 }) else {
                throw Mismatch(
                    "conv: its kernel reaches over \(reach) rows and columns, the padded samples of shape \(shape) are smaller")
            }
            return [outputs] + room.map { $0 / window.stride + 1 }
        case .activation: return shape
        case .flatten: return [shape.reduce(1, *)]
        }
    }

    /// The parameters' names and shapes.
    var parameters: [(name: String, shape: [Int])] {
        switch self {
        case .dense(let inputs, let outputs): [("weight", [outputs, inputs]), ("bias", [outputs])]
        case .convolution(let inputs, let outputs, let kernel, let window):
            [("weight", [outputs, inputs / window.groups, kernel, kernel]), ("bias", [outputs])]
        case .activation, .flatten: []
        }
    }

    /// The layer of Kanto, with parameters in Kanto's layouts, asked for by name.
    func layer(_ parameter: (String) throws -> Tensor) rethrows -> any Layer {
        switch self {
        case .dense: Dense(weight: try parameter("weight"), bias: try parameter("bias"))
        case .convolution(_, _, _, let window):
            Conv2D(weight: try parameter("weight"), bias: try parameter("bias"), window: window)
        case .activation(let activation): activation
        case .flatten: Flatten(isChannelsFirst: true)
        }
    }
}

/// What does not fit, for people; who catches it adds the file and the place.
struct Mismatch: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// The part of JSON that a list of layers is made of.
enum JSONValue: Decodable, Sendable {
    case number(Double)
    case text(String)
    case list([JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .list(try container.decode([JSONValue].self))
        }
    }

    var number: Double? { if case .number(let number) = self { number } else { nil } }
}
