import KantoABI

/// `out = act(0 + bias + (accumulate ? old : 0))`: the result where the inner dimension is empty, which oneDNN refuses
/// or leaves unwritten. A matrix of `rows` x `columns`, `batch` times; the bias has `columns` elements.
struct EpilogueOfZero {
    let batch: Int64
    let rows: Int64
    let columns: Int64
    let batchStride: Int64
    let rowStride: Int64
    var hasBias = false
    var accumulates = false
    var activation = Activation.none

    func run(_ arguments: kanto_arguments) {
        let output = arguments.outputs.0!.assumingMemoryBound(to: Float.self)
        let bias = hasBias ? arguments.inputs.2!.assumingMemoryBound(to: Float.self) : nil
        for matrix in 0..<Int(batch) {
            for row in 0..<Int(rows) {
                let start = output + matrix * Int(batchStride) + row * Int(rowStride)
                for column in 0..<Int(columns) {
                    start[column] = activation((bias?[column] ?? 0) + (accumulates ? start[column] : 0))
                }
            }
        }
    }
}
