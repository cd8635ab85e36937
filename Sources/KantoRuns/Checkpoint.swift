import KantoData
import KantoNN
import KantoTensor

extension NumericArray {
    /// A tensor's shape and elements.
    public init(_ tensor: Tensor) throws(DataError) {
        switch tensor.elementType {
        case .float32: try self.init(shape: tensor.shape, tensor.floats)
        case .float64: try self.init(shape: tensor.shape, tensor.doubles)
        }
    }
}

extension NumericArray {
    /// The first value that is infinite or NaN.
    fileprivate var firstNonFinite: (index: Int, value: Double)? {
        func first<Value: BinaryFloatingPoint>(_ values: [Value]) -> (Int, Double)? {
            values.firstIndex { !$0.isFinite }.map { ($0, Double(values[$0])) }
        }
        return switch values {
        case .float32(let values): first(values)
        case .float64(let values): first(values)
        case .uint8: nil
        }
    }
}

/// Networks in a safetensors file: each parameter, and what the layers keep up themselves, under `<network>.<path>`.
public enum Checkpoint {
    /// - Parameters:
    ///   - networks: `["critic": critic, "generator": generator]`, say.
    ///   - metadata: kept in the file's `__metadata__`.
    /// - Throws: `DataError.cannotWrite`; an older file of the name is then still whole.
    public static func write(_ networks: KeyValuePairs<String, any Layer>, metadata: [String: String], to path: String) throws {
        try SafetensorsFile.write(arrays(of: networks), metadata: metadata, to: path)
    }

    /// What a file holds of networks.
    static func arrays(of networks: KeyValuePairs<String, any Layer>) throws -> [String: NumericArray] {
        var arrays: [String: NumericArray] = [:]
        for (name, network) in networks {
            for (path, parameter) in tensors(of: network) { arrays["\(name).\(path)"] = try NumericArray(parameter.value) }
        }
        return arrays
    }

    /// Gives a network the parameters, and the state of its layers, that a file holds for it.
    ///
    /// - Throws: `DataError` if the file is broken, or lacks one of them, or has one of another shape or with a value that is
    ///   not a finite number, as a training that failed leaves it. The network is then unchanged.
    public static func read(_ name: String, into network: any Layer, from path: String) throws {
        try read(name, into: network, from: SafetensorsFile(contentsOf: path))
    }

    static func read(_ name: String, into network: any Layer, from file: SafetensorsFile) throws {
        let values = try tensors(of: network).map { try tensor("\(name).\($0)", like: $1, in: file) }
        for (tensor, value) in zip(tensors(of: network), values) { tensor.parameter.value = value }
    }

    /// The array of a name, of a parameter's shape and element type.
    ///
    /// - Throws: `DataError` if there is none, or it has another shape or a value that is not a finite number.
    static func tensor(_ key: String, like parameter: Parameter, in file: SafetensorsFile) throws -> Tensor {
        let array = try file.array(key)
        try requireShape(parameter.shape, of: array.shape, key, in: file)
        if let fault = array.firstNonFinite {
            throw DataError(
                .badInput, "\(file.name): \(key) holds \(fault.value) at element \(fault.index), expected finite numbers only")
        }
        return switch parameter.value.elementType {
        case .float32: try Tensor(array.floats, shape: array.shape)
        case .float64: try Tensor(array.doubles, shape: array.shape)
        }
    }

    /// - Throws: `DataError` if a file lacks a parameter of a network, or has one of another shape: a description of a few bytes
    ///   can ask for any number of weights, so this is known before they are made.
    static func check(_ name: String, _ parameters: [(path: String, shape: [Int])], in file: SafetensorsFile) throws {
        for parameter in parameters {
            let key = "\(name).\(parameter.path)"
            try requireShape(parameter.shape, of: file.entry(key).shape, key, in: file)
        }
    }

    private static func requireShape(
        _ expected: [Int], of found: [Int], _ key: String, in file: SafetensorsFile
    ) throws(DataError) {
        guard found == expected else {
            throw DataError(.badInput, "\(file.name): \(key) has shape \(found), expected \(expected)")
        }
    }

    /// The first name, in alphabetical order, of an array that holds a value that is not a finite number.
    static func firstNonFinite(in arrays: [String: NumericArray]) -> String? {
        arrays.filter { $0.value.firstNonFinite != nil }.keys.min()
    }

    private static func tensors(of network: any Layer) -> [(path: String, parameter: Parameter)] {
        network.namedParameters + network.namedState.map { ($0.path, $0.state) }
    }
}
