import KantoTensor

extension GoldenLayer {
    /// The shape of a sample behind this layer, from that before it: [features] or [channels, height, width].
    ///
    /// - Parameter room: more elements than this the layer may not give, its padded input included; less by them afterwards.
    /// - Throws: `Mismatch` if the layer does not take such samples, or gives too many elements.
    func sampleShape(after shape: [Int], room: inout Int) throws(Mismatch) -> [Int] {
        let result = try sampleShape(shape, &room)
        try Self.take(result, from: &room, "gives samples")
        return result
    }

    private static func take(_ shape: [Int], from room: inout Int, _ what: String) throws(Mismatch) {
        let count = shape.reduce(1, *)
        guard count <= room else {
            throw Mismatch(
                "\(what) of shape \(shape), more than the \(room) elements a sample that are left to a file of this size")
        }
        room -= count
    }

    private func sampleShape(_ shape: [Int], _ room: inout Int) throws(Mismatch) -> [Int] {
        func requireImage(_ name: String, channels: Int? = nil) throws(Mismatch) {
            guard shape.count == 3, shape[0] == channels ?? shape[0] else {
                throw Mismatch(
                    "\(name): takes samples of shape [\(channels.map { "\($0)" } ?? "channels"), height, width], gets \(shape)")
            }
        }
        switch self {
        case .dense(let inputs, let outputs):
            guard shape == [inputs] else {
                let hint = shape.count == 3 ? #"; put ["flatten"] before it"# : ""
                throw Mismatch("dense: takes samples of shape [\(inputs)], gets \(shape)" + hint)
            }
            return [outputs]
        case .convolution(let inputs, let outputs, let kernel, let window):
            try requireImage("conv", channels: inputs)
            let reach = window.dilation * (kernel - 1) + 1
            let steps = shape[1...].map { $0 + 2 * window.padding.top - reach }
            guard steps.allSatisfy({ $0 >= 0 }) else {
                throw Mismatch(
                    "conv: its kernel reaches over \(reach) rows and columns, the padded samples of shape \(shape) are smaller")
            }
            try Self.take([inputs] + shape[1...].map { $0 + 2 * window.padding.top }, from: &room, "conv: reads padded samples")
            return [outputs] + steps.map { $0 / window.stride + 1 }
        case .activation: return shape
        case .flatten: return [shape.reduce(1, *)]
        case .averagePool(let size):
            try requireImage("avg_pool")
            guard shape[1] >= size, shape[2] >= size else {
                throw Mismatch("avg_pool: its windows of \(size) x \(size) are larger than samples of shape \(shape)")
            }
            return [shape[0], shape[1] / size, shape[2] / size]
        case .upsample(let factor):
            try requireImage("upsample")
            return [shape[0], shape[1] * factor, shape[2] * factor]
        case .layerNorm(let expected):
            guard shape == expected else { throw Mismatch("layer_norm: takes samples of shape \(expected), gets \(shape)") }
            return shape
        case .groupNorm(_, let channels):
            guard shape.first == channels else {
                throw Mismatch("group_norm: takes samples of \(channels) channels, gets \(shape)")
            }
            return shape
        case .instanceNorm(let channels):
            try requireImage("instance_norm", channels: channels)
            return shape
        case .residual(let main, let shortcut):
            var branches: [[Int]] = []
            for (name, layers) in [("main", main), ("shortcut", shortcut)] {
                branches.append(
                    try Mismatch.within(name) { () throws(Mismatch) in
                        try layers.sampleShape(after: shape, room: &room)
                    })
            }
            guard branches[0] == branches[1] else {
                throw Mismatch("residual: main gives samples of shape \(branches[0]), the shortcut \(branches[1])")
            }
            return branches[0]
        }
    }
}

extension [GoldenLayer] {
    /// The shape of a sample behind all layers.
    ///
    /// - Throws: `Mismatch`, which names the layer.
    func sampleShape(after shape: [Int], room: inout Int) throws(Mismatch) -> [Int] {
        var shape = shape
        for (index, layer) in enumerated() {
            try Mismatch.within("layer \(index)") { () throws(Mismatch) in
                shape = try layer.sampleShape(after: shape, room: &room)
            }
        }
        return shape
    }
}
