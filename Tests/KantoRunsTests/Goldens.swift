import FoundationEssentials
import KantoData
import KantoRuns

/// The golden files of this target.
enum Goldens {
    static let names = [
        "mlp_relu", "conv_leaky", "one_sided", "r1", "conv_layer_norm", "conv_smooth", "conv_instance_norm", "residual",
        "mlp_gelu_layer_norm", "mlp_elu_residual", "conv_dilated", "conv_groups", "depthwise_dilated_r1", "conv_group_norm",
        "upsample_pool", "pool_remainder", "residual_two_norms", "residual_nested_r1",
    ]

    static func path(_ name: String) -> String { folder + "/Goldens/\(name).safetensors" }

    private static let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!))
}

/// The arrays and texts of a golden file, to be changed.
struct EditableGolden {
    var arrays: [String: NumericArray]
    var metadata: [String: String]

    init(_ name: String) throws {
        let file = try SafetensorsFile(contentsOf: Goldens.path(name))
        arrays = Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.array($0)) })
        metadata = file.metadata
    }

    /// Adds to the element of largest magnitude.
    mutating func move(_ array: String, by offset: Double) throws {
        var values = arrays[array]!.doubles
        let index = values.indices.max { abs(values[$0]) < abs(values[$1]) }!
        values[index] += offset
        try set(array, to: values)
    }

    /// Replaces the elements.
    mutating func set(_ array: String, to values: [Double]) throws {
        arrays[array] = try NumericArray(shape: arrays[array]!.shape, values)
    }

    /// Reads it as a file.
    func file() throws -> GoldenFile {
        let folder = FileManager.default.temporaryDirectory.path
        let path = "\(folder)/kanto-golden-\(UInt64.random(in: 0 ... .max)).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try SafetensorsFile.write(arrays, metadata: metadata, to: path)
        return try GoldenFile(contentsOf: path)
    }
}
