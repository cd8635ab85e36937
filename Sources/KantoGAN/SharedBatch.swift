import KantoCommunication
import KantoTensor

/// A batch that several ranks compute, each its rows.
///
/// Losses and penalties are functions of the scores and norms of the whole batch, which every rank has: few numbers. So they are
/// what they are on one rank, whatever function they are and however the rows are shared out, and each rank's derivatives in its
/// own rows need no weights. Only the gradients of parameters, which are sums over rows, are then summed over the ranks.
struct SharedBatch: Sendable {
    let communicator: Communicator
    let share: RowShare

    /// What all ranks have of one number a row, from this rank's: of one batch, or of several one behind the other. Other ranks'
    /// rows are constants, so the gradient of what is made of it is that in the own rows. It is not to be differentiated
    /// twice.
    func whole(_ own: Tensor) throws -> Tensor {
        guard let places = share.places(ofRows: own.shape.first ?? 0) else {
            throw TensorError(
                "ranks",
                "\(own.shape) for a rank that has \(share.own.count) rows of a batch: expected a multiple, one number a row")
        }
        let (count, width) = (share.own.count, share.total)
        let others = try withoutGradient {
            var parts: [Tensor] = []
            for (index, place) in places.enumerated() {
                let rows = try own.detached().sliced(index * count..<(index + 1) * count)
                let before = place.lowerBound - index * width
                parts.append(try rows.padded(axis: 0, before: before, after: width - before - count))
            }
            return try Tensor.concatenated(parts).allReduced(by: communicator)
        }
        var parts: [Tensor] = []
        for (index, place) in places.enumerated() {
            parts += [
                try others.sliced(index * width..<place.lowerBound), try own.sliced(index * count..<(index + 1) * count),
                try others.sliced(place.upperBound..<(index + 1) * width),
            ]
        }
        return try Tensor.concatenated(parts.filter { $0.shape[0] > 0 })
    }
}

extension SharedBatch? {
    /// What all ranks have of one number a row; a process alone has all of them.
    func whole(_ own: Tensor) throws -> Tensor { try self?.whole(own) ?? own }
}
