import KantoTensor
import Synchronization

/// A tensor of a layer that changes: trained by an optimizer, or kept up by the layer itself. A graph that is still alive
/// keeps the old values.
public final class Parameter: Sendable {
    /// Whether gradients reach it.
    public let isTrainable: Bool
    private let state: Mutex<Tensor>

    /// - Parameter isTrainable: whether an optimizer may move it; state that a layer keeps is not.
    public init(_ value: Tensor, isTrainable: Bool = true) {
        self.isTrainable = isTrainable
        state = Mutex(isTrainable ? value.tracked() : value.detached())
    }

    /// The current value, tracked if it is trainable.
    public var value: Tensor {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = isTrainable ? newValue.tracked() : newValue.detached() } }
    }

    /// Of its value.
    public var shape: [Int] { value.shape }

    /// Changes the value, in place where nothing else refers to it.
    ///
    /// - Precondition: called inside `Kernels.run` if `body` runs kernels.
    func update<R>(_ body: (inout Tensor) throws -> R) rethrows -> R {
        try state.withLock { tensor in try body(&tensor) }
    }
}
