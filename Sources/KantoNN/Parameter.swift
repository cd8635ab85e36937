import KantoTensor
import Synchronization

/// A trainable tensor of a layer. An optimizer gives it new values; a graph that is still alive keeps the old ones.
public final class Parameter: Sendable {
    private let state: Mutex<Tensor>

    public init(_ value: Tensor) { state = Mutex(value.tracked()) }

    /// The current value, tracked.
    public var value: Tensor {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue.tracked() } }
    }

    public var shape: [Int] { value.shape }

    /// Changes the value, in place where nothing else refers to it.
    ///
    /// - Precondition: called on the kernel thread (inside `Kernels.run`) if `body` runs kernels.
    func update<R>(_ body: (inout Tensor) throws -> R) rethrows -> R {
        try state.withLock { tensor in try body(&tensor) }
    }
}
