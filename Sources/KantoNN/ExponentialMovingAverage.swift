import KantoKernels
import KantoTensor

/// A running average of parameters: average = decay · average + (1 − decay) · value after each step, starting from the values
/// at its making. A generator's samples are often drawn with it (Karras et al. 2018; Yazıcı et al. 2019).
public final class ExponentialMovingAverage {
    /// Those whose values are averaged.
    public let parameters: [Parameter]
    /// The share of the average that a step keeps.
    public let decay: Double
    /// In the order of the parameters.
    public private(set) var averages: [Tensor]

    /// - Parameter decay: 0 follows the values at once, 1 never moves.
    /// - Throws: `TensorError` if the decay is out of that range.
    public init(of parameters: [Parameter], decay: Double = 0.999) throws {
        guard (0...1).contains(decay) else {
            throw TensorError("moving average", "a decay of \(decay), expected a number from 0 to 1")
        }
        self.parameters = parameters
        self.decay = decay
        averages = parameters.map { $0.value.detached() }
    }

    /// Goes on from averages of earlier.
    ///
    /// - Parameter averages: in the order of the parameters.
    /// - Throws: `TensorError` if there is not one of its shape for each parameter. Then nothing has changed.
    public func restore(_ averages: [Tensor]) throws {
        let isAsExpected =
            averages.count == parameters.count
            && zip(averages, parameters).allSatisfy { $0.shape == $1.shape && $0.elementType == $1.value.elementType }
        guard isAsExpected else {
            throw TensorError(
                "moving average", "averages of shapes \(averages.map(\.shape)), expected \(parameters.map(\.shape))")
        }
        self.averages = averages
    }

    /// Takes in the current values.
    public func update() throws {
        try Kernels.run {
            for (index, parameter) in parameters.enumerated() {
                try averages[index].move(toward: parameter.value, by: 1 - decay)
            }
        }
    }

    /// Runs `body` with the averages in the place of the parameters' values, which come back afterwards.
    public func applied<R>(_ body: () throws -> R) rethrows -> R {
        let values = parameters.map(\.value)
        for (parameter, average) in zip(parameters, averages) { parameter.value = average }
        defer { for (parameter, value) in zip(parameters, values) { parameter.value = value } }
        return try body()
    }
}
