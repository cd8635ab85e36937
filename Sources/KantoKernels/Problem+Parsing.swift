import KantoABI

extension Problem {
    /// Reads the one-line form of a problem, which `description` prints.
    ///
    /// The op comes first, then the element type (f32 if left out), then words in any order; `strides` takes the word behind
    /// it. What may be left out: `batch1` or, of a convolution, `n1`, `s1`, `p0`, `d1` and `g1`; `strides`, for dense operands;
    /// what an epilogue does not have. Usual names of the same thing are understood too: `conv2d`, `float32`, `abs`, and a
    /// leaky ReLU of slope 0 is `relu`.
    ///
    /// - Throws: `KernelError.problem`, which says which word is wrong and what was expected.
    public init(parsing line: String) throws(KernelError) {
        let words = try ProblemWords(line)
        self = try words.problem()
        _ = try operands()
    }
}

/// The words of a line, each known to its op and there once.
private struct ProblemWords {
    /// A word that an op knows by its first letters.
    struct Form {
        let name: String
        /// As it stands in a line.
        let sample: String
        let meaning: String
        init(_ name: String, _ sample: String, _ meaning: String) {
            (self.name, self.sample, self.meaning) = (name, sample, meaning)
        }
    }

    private struct Word {
        let position: Int
        let text: String
    }

    let op: Op
    private let type: ElementType
    private let outputType: ElementType
    private let forms: [Form]
    /// By the name of their form; the value is what stands behind the name.
    private var found: [String: (word: Word, value: String)] = [:]

    init(_ line: String) throws(KernelError) {
        var words = line.split(whereSeparator: \.isWhitespace).enumerated().map { Word(position: $0 + 1, text: String($1)) }[...]
        let opNames = Op.allCases.map(\.description).joined(separator: ", ")
        guard let first = words.popFirst() else { throw .problem("an empty problem: expected an op, one of \(opNames)") }
        let opName = Self.synonymsOfOps[first.text] ?? first.text
        guard let op = Op.allCases.first(where: { $0.description == opName }) else {
            let near = nearestName(to: first.text, among: Op.allCases.map(\.description))
            throw Self.wrong(first, "expected an op, one of \(opNames)" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        self.op = op
        let types = words.first.flatMap { ElementType.named($0.text) }
        if types != nil { words.removeFirst() }
        (type, outputType) = types ?? (.float32, .float32)
        forms = Form.all(of: op)

        let synonyms = Self.synonyms(of: op)
        while let given = words.popFirst() {
            let word = Word(position: given.position, text: synonyms[given.text] ?? given.text)
            // By its letters, or as a whole where digits belong to it.
            let name =
                forms.contains { $0.name == word.text }
                ? word.text : String(word.text.prefix { $0 == "_" || ("a"..."z").contains($0) })
            guard forms.contains(where: { $0.name == name }), !name.isEmpty || word.text.hasPrefix("[") else {
                let known = (word.position == 2 ? ElementType.allCases.map(\.description) : []) + forms.map(\.sample)
                throw Self.wrong(given, "\(op) does not know it; it knows " + known.joined(separator: ", "))
            }
            var value = String(word.text.dropFirst(name.count))
            var last = word
            if name == "strides" {
                guard value.isEmpty, let next = words.popFirst() else {
                    throw Self.wrong(word, "expected strides and, as the next word, those of the inputs > those of the output")
                }
                (value, last) = (next.text, next)
            }
            if let earlier = found[name]?.word {
                let what = name.isEmpty ? "the extents were" : "\(name) was"
                throw Self.wrong(word, "\(what) given already, by word \(earlier.position)")
            }
            found[name] = (last, value)
        }
    }

    // MARK: - Ops

    func problem() throws(KernelError) -> Problem {
        switch op {
        case .matmul: try matmul().with(outputs: outputType)
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient:
            try convolution().with(outputs: outputType)
        case .unary, .binary, .ternary, .reduce, .optimize, .statistics, .random: try iteration().with(outputs: outputType)
        }
    }

    private func matmul() throws(KernelError) -> Problem {
        var problem = Problem(op, type)
        problem.raw.matmul.batch = try number("batch", or: 1)
        problem.raw.matmul.m = try number("m")
        problem.raw.matmul.n = try number("n")
        problem.raw.matmul.k = try number("k")
        if try flag("transpose_a") { problem.raw.flags |= UInt32(KANTO_FLAG_TRANSPOSE_A) }
        if try flag("transpose_b") { problem.raw.flags |= UInt32(KANTO_FLAG_TRANSPOSE_B) }
        problem.setDenseMatrices()
        let isBatch = problem.raw.matmul.batch != 1
        if let strides = try strides(
            axisCounts: isBatch ? [2] : [1, 2], inputCount: 2,
            expected: isBatch ? "batch and row strides of A;B>C, as 12,4;20,5>15,5" : "row strides of A;B>C, as 4;5>5")
        {
            problem.raw.matmul.row_stride_a = strides[0].last!
            problem.raw.matmul.row_stride_b = strides[1].last!
            problem.raw.matmul.row_stride_c = strides[2].last!
            problem.raw.matmul.batch_stride_a = strides[0].count == 2 ? strides[0][0] : 0
            problem.raw.matmul.batch_stride_b = strides[1].count == 2 ? strides[1][0] : 0
            problem.raw.matmul.batch_stride_c = strides[2].count == 2 ? strides[2][0] : 0
        }
        try readEpilogue(&problem)
        return problem
    }

    private func convolution() throws(KernelError) -> Problem {
        var problem = Problem(op, type)
        let kernel = try numbers("k", counts: [1, 2], from: 0)
        let stride = try numbers("s", counts: [1, 2], from: 1, or: [1])
        let dilation = try numbers("d", counts: [1, 2], from: 1, or: [1])
        let pads = try numbers("p", separator: ",", counts: [1, 4], from: 0, or: [0])
        problem.raw.convolution = kanto_convolution(
            batch: try number("n", or: 1), height: try number("h"), width: try number("w"), channels: try number("c"),
            output_channels: try number("o"), kernel_height: kernel.first!, kernel_width: kernel.last!,
            stride_y: stride.first!, stride_x: stride.last!, pad_top: pads[0], pad_left: pads.count == 4 ? pads[1] : pads[0],
            pad_bottom: pads.count == 4 ? pads[2] : pads[0], pad_right: pads.last!, dilation_y: dilation.first!,
            dilation_x: dilation.last!, groups: try number("g", from: 1, or: 1))
        try readEpilogue(&problem)
        return problem
    }

    private func iteration() throws(KernelError) -> Problem {
        let functions = Function.all(of: op)
        let function = try choice("function", among: functions.map { ($0.description, $0) })?.1
        guard function != nil || functions.isEmpty else {
            throw .problem("\(op) lacks its function, one of " + functions.map(\.description).joined(separator: ", "))
        }
        guard let (word, text) = found[""] else { throw missing("") }
        guard text.hasSuffix("]"),
            let extents = Self.integers(text.dropFirst().dropLast(), separator: "x", from: 0),
            extents.count <= KANTO_MAXIMUM_RANK
        else { throw Self.wrong(word, "expected the extents of at most \(KANTO_MAXIMUM_RANK) axes, as [64x128]") }

        var parameter = 0.0
        if let function {
            if function.hasSlope { parameter = try slope(function.description) } else { _ = try flag(function.description) }
        }
        guard op.hasStrides else {
            guard extents.count == 1 else { throw Self.wrong(word, "expected the number of elements, as [1000]") }
            let count = Int(extents[0])
            return op == .random ? .random(function!, type, count: count) : .optimize(function!, type, count: count)
        }
        let inputCount = Problem.inputCount(op, function)
        var dense = extents.map { _ in 1 as Int64 }
        for axis in extents.indices.dropLast().reversed() { dense[axis] = dense[axis + 1] &* extents[axis + 1] }
        let denseText = dense.map(String.init).joined(separator: ",")
        let inputs = Array(repeating: denseText, count: inputCount).joined(separator: ";")
        let strides = try strides(
            axisCounts: [extents.count], inputCount: inputCount,
            expected: "as many strides as axes, inputs > output, such as \(inputs)>\(denseText)")
        guard ![.reduce, .statistics].contains(op) || strides != nil else { throw missing("strides") }
        let all = (strides ?? Array(repeating: dense, count: inputCount + 1)).map { $0.map { Int($0) } }
        return .iteration(
            op, function, type, extents: extents.map { Int($0) }, output: all.last!, inputs: all.dropLast(),
            parameter: parameter, accumulate: try flag("accumulate"))
    }

    private func readEpilogue(_ problem: inout Problem) throws(KernelError) {
        if try flag("bias") { problem.raw.flags |= UInt32(KANTO_FLAG_BIAS) }
        if try flag("derivative") { problem.raw.flags |= UInt32(KANTO_FLAG_DERIVATIVE) }
        if try flag("accumulate") { problem.raw.flags |= UInt32(KANTO_FLAG_ACCUMULATE) }
        if let (name, precision) = try choice("precision", among: Precision.allCases.map { ($0.description, $0) }) {
            problem.raw.precision = precision.rawValue
            _ = try flag(name)
        }
        let activations = [
            ("relu", KANTO_ACTIVATION_RELU), ("leaky_relu", KANTO_ACTIVATION_LEAKY_RELU), ("tanh", KANTO_ACTIVATION_TANH),
            ("sigmoid", KANTO_ACTIVATION_SIGMOID),
        ]
        guard let (name, activation) = try choice("activation", among: activations) else { return }
        problem.raw.activation = UInt32(activation)
        if name == "leaky_relu" { problem.raw.parameter = try slope(name) } else { _ = try flag(name) }
    }

    /// The one of several words that is there, if any.
    private func choice<T>(_ what: String, among choices: [(String, T)]) throws(KernelError) -> (String, T)? {
        let named = choices.filter { found[$0.0] != nil }.sorted { position($0.0) < position($1.0) }
        guard named.count < 2 else { throw Self.wrong(found[named[1].0]!.word, "the \(what) is \(named[0].0) already") }
        return named.first
    }

    // MARK: - Values

    private func flag(_ name: String) throws(KernelError) -> Bool {
        guard let (word, value) = found[name] else { return false }
        guard value.isEmpty else { throw Self.wrong(word, "expected \(name) alone") }
        return true
    }

    private func slope(_ name: String) throws(KernelError) -> Double {
        let (word, value) = found[name]!
        guard value.hasPrefix("("), value.hasSuffix(")"), let slope = Double(value.dropFirst().dropLast()), slope.isFinite else {
            throw Self.wrong(word, "expected a slope, as \(name)(0.2)")
        }
        return slope
    }

    private func number(_ name: String, from minimum: Int64 = 0, or standard: Int64? = nil) throws(KernelError) -> Int64 {
        try numbers(name, counts: [1], from: minimum, or: standard.map { [$0] })[0]
    }

    private func numbers(
        _ name: String, separator: Character = "x", counts: [Int], from minimum: Int64, or standard: [Int64]? = nil
    ) throws(KernelError) -> [Int64] {
        guard let (word, value) = found[name] else {
            guard let standard else { throw missing(name) }
            return standard
        }
        guard let numbers = Self.integers(value[...], separator: separator, from: minimum), counts.contains(numbers.count) else {
            let form = form(name)
            throw Self.wrong(word, "expected the \(form.meaning), \(minimum) or more, as \(form.sample)")
        }
        return numbers
    }

    /// The strides of the inputs, then those of the output, axis by axis; `nil` if they are left out.
    private func strides(axisCounts: [Int], inputCount: Int, expected: String) throws(KernelError) -> [[Int64]]? {
        guard let (word, value) = found["strides"] else { return nil }
        let sides = value.split(separator: ">", omittingEmptySubsequences: false)
        // Nothing stands for no inputs, and for one of rank 0.
        let inputs =
            inputCount == 0 && sides.first!.isEmpty
            ? [] : sides.first!.split(separator: ";", omittingEmptySubsequences: false)
        let lists = inputs + sides.dropFirst()
        let strides = lists.compactMap { Self.integers($0, separator: ",", from: 0) }
        guard sides.count == 2, lists.count == inputCount + 1, strides.count == lists.count,
            axisCounts.contains(strides[0].count), strides.allSatisfy({ $0.count == strides[0].count })
        else { throw Self.wrong(word, "expected \(expected)") }
        return strides
    }

    /// Whole numbers from `minimum` up, with separators between; an empty text holds none.
    private static func integers(_ text: Substring, separator: Character, from minimum: Int64) -> [Int64]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(part) : nil
        }
        return numbers.count == parts.count && numbers.allSatisfy { $0 >= minimum } ? numbers : nil
    }

    // MARK: - Errors

    private func position(_ name: String) -> Int { found[name]!.word.position }

    private func form(_ name: String) -> Form { forms.first { $0.name == name }! }

    private func missing(_ name: String) -> KernelError {
        .problem("\(op) lacks the \(form(name).meaning), as \(form(name).sample)")
    }

    private static func wrong(_ word: Word, _ expected: String) -> KernelError {
        .problem("word \(word.position), '\(word.text)': \(expected)")
    }
}

extension ProblemWords {
    private static let synonymsOfOps = ["conv2d": "conv2d_forward", "convolution": "conv2d_forward", "gemm": "matmul"]

    /// What an op's functions are called elsewhere.
    private static func synonyms(of op: Op) -> [String: String] {
        switch op {
        case .unary:
            [
                "relu": "leaky_relu(0)", "abs": "absolute", "identity": "copy", "expm1": "exp_minus_one", "log1p": "log_one_plus",
            ]
        case .binary:
            [
                "relu_gradient": "leaky_relu_gradient(0)", "sub": "subtract", "mul": "multiply", "div": "divide",
                "max": "maximum", "min": "minimum",
            ]
        case .ternary: ["where": "select", "fma": "multiply_add"]
        case .reduce: ["max": "maximum", "min": "minimum", "dot": "sum_of_products"]
        default: [:]
        }
    }
}

extension ElementType {
    private var synonym: String { self == .float32 ? "float32" : "float64" }

    /// The types of the inputs and of the outputs, as `f32` or, where they differ, `f32>f64`.
    fileprivate static func named(_ text: String) -> (inputs: ElementType, outputs: ElementType)? {
        let types = text.split(separator: ">", omittingEmptySubsequences: false).map { name in
            allCases.first { [$0.description, $0.synonym].contains(String(name)) }
        }
        guard types.count <= 2, let inputs = types.first!, let outputs = types.last! else { return nil }
        return (inputs, outputs)
    }
}

extension ProblemWords.Form {
    fileprivate static func all(of op: Op) -> [Self] {
        let accumulate = Self("accumulate", "accumulate", "addition to the output")
        let epilogue =
            [
                Self("bias", "bias", "bias"), Self("derivative", "derivative", "multiplication by the activation's derivative"),
                Self("relu", "relu", "activation"),
                Self("leaky_relu", "leaky_relu(0.2)", "activation"), Self("tanh", "tanh", "activation"),
                Self("sigmoid", "sigmoid", "activation"), accumulate,
            ] + Precision.allCases.map { Self($0.description, $0.description, "precision") }
        switch op {
        case .matmul:
            return [
                Self("batch", "batch8", "number of products"), Self("m", "m50", "rows of C"), Self("n", "n128", "columns of C"),
                Self("k", "k64", "inner size"), Self("transpose_a", "transpose_a", "layout of A"),
                Self("transpose_b", "transpose_b", "layout of B"), Self("strides", "strides 64;128>128", "row strides"),
            ] + epilogue
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient:
            return [
                Self("n", "n50", "batch size"), Self("h", "h14", "height of the input"), Self("w", "w14", "width of the input"),
                Self("c", "c64", "number of input channels"), Self("k", "k5x5", "height and width of the kernel"),
                Self("s", "s2 or s2x1", "stride"), Self("p", "p2 or p1,2,1,2 (top, left, bottom, right)", "padding"),
                Self("d", "d2 or d2x1", "dilation"), Self("g", "g2", "number of groups"),
                Self("o", "o128", "number of output channels"),
            ] + epilogue
        case .unary, .binary, .ternary, .reduce, .optimize, .statistics, .random:
            let functions = Function.all(of: op).map { function in
                Self(function.description, function.hasSlope ? "\(function)(0.2)" : function.description, "function")
            }
            let extents = Self("", op.hasStrides ? "[64x128]" : "[1000]", "extents")
            let inputs = Array(repeating: "128,1", count: Problem.inputCount(op, nil)).joined(separator: ";")
            let strides =
                [.reduce, .statistics].contains(op)
                ? Self("strides", "strides \(inputs)>1,0", "strides (an axis with 0 in the output is reduced)")
                : Self("strides", "strides \(inputs)>128,1", "strides")
            return functions + [extents] + (op.hasStrides ? [strides, accumulate] : [])
        }
    }
}
