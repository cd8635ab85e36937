import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// The optimizers against torch.optim 2.15 in float64, three steps on the loss Σ x⁴ / 4 from x = (1, −2, 0.5).
@Suite struct OptimizerTests {
    @Test(arguments: Case.all) func threeStepsAsTorch(_ test: Case) throws {
        let parameter = Parameter(try Tensor([1.0, -2, 0.5] as [Double], shape: [3]))
        let optimizer = try test.make([parameter])
        for _ in 0..<3 {
            let x = parameter.value
            let loss = try (x.square().square() * 0.25).sum()
            try optimizer.update(with: gradients(of: loss, withRespectTo: [x], isDifferentiable: false))
        }
        for (value, expected) in zip(parameter.value.doubles, test.expected) { #expect(abs(value - expected) < 1e-12) }
        #expect(optimizer.stepCount == 3)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable ([Parameter]) throws -> Optimizer
        let expected: [Double]

        static let all = [
            Case(testDescription: "Adam", make: { try Adam($0, learningRate: 0.1, beta1: 0.5, beta2: 0.9) }, expected: [0.7199909789869029, -1.708792215122821, 0.24640578119999662]),
            Case(testDescription: "AdamW", make: { try AdamW($0, learningRate: 0.1, weightDecay: 0.2) }, expected: [0.6571086961919386, -1.5925595257433653, 0.20250766385732016]),
            Case(testDescription: "RMSProp", make: { try RMSProp($0, learningRate: 0.01, decay: 0.9) }, expected: [0.9287176026575703, -1.9274522493401327, 0.43134555297920063]),
            Case(testDescription: "SGD", make: { try SGD($0, learningRate: 0.05, momentum: 0.9) }, expected: [0.7510095476937423, -0.47141196328959983, 0.46602455017214334]),
        ]
    }

    @Test func gradientsThatDoNotFitMoveNothing() throws {
        let parameters = [Parameter(try Tensor([1.0] as [Double], shape: [1])), Parameter(try Tensor([2.0] as [Double], shape: [1]))]
        let optimizer = try SGD(parameters, learningRate: 1)
        #expect(throws: TensorError("optimizer", "1 gradients for 2 parameters")) {
            try optimizer.update(with: [Tensor([1.0] as [Double], shape: [1])])
        }
        #expect(throws: TensorError("optimizer", "gradient 1 has the shape [2], its parameter [1]")) {
            try optimizer.update(with: [Tensor([1.0] as [Double], shape: [1]), Tensor([1.0, 1] as [Double], shape: [2])])
        }
        #expect(try parameters.map { try $0.value.item() } == [1, 2] && optimizer.stepCount == 0)
    }

    @Test func weightDecayIsDecoupled() throws {
        let parameter = Parameter(try Tensor([8.0] as [Double], shape: [1]))
        let optimizer = try SGD([parameter], learningRate: 0.5, weightDecay: 0.25)
        try optimizer.update(with: [Tensor([2.0] as [Double], shape: [1])])
        #expect(try parameter.value.item() == 8 * (1 - 0.5 * 0.25) - 0.5 * 2)
    }

    @Test func aGraphKeepsTheValuesFromBeforeAStep() throws {
        let parameter = Parameter(try Tensor([3.0] as [Double], shape: [1]))
        let before = parameter.value
        let square = try before.square()
        try SGD([parameter], learningRate: 1).update(with: [Tensor([1.0] as [Double], shape: [1])])
        #expect(try parameter.value.item() == 2)
        #expect(try gradient(of: square, withRespectTo: before).item() == 6)
    }

    @Test func schedules() {
        let linear = LearningRateSchedule.linearDecay(over: 4), cosine = LearningRateSchedule.cosineDecay(over: 4, to: 0.5)
        #expect((0...6).map(linear.factor) == [1, 0.75, 0.5, 0.25, 0, 0, 0])
        #expect(cosine.factor(at: 0) == 1 && abs(cosine.factor(at: 2) - 0.75) < 1e-15)
        #expect(cosine.factor(at: 4) == 0.5 && cosine.factor(at: 100) == 0.5)
        #expect(LearningRateSchedule.constant.factor(at: 1_000_000) == 1)
        #expect(LearningRateSchedule.linearDecay(over: 0).factor(at: 0) == 0)
    }

    @Test func aScheduleScalesTheRate() throws {
        let parameter = Parameter(try Tensor([0.0] as [Double], shape: [1]))
        let optimizer = try SGD([parameter], learningRate: 1, schedule: .linearDecay(over: 4))
        var path: [Double] = []
        for _ in 0..<5 {
            try optimizer.update(with: [Tensor([-1.0] as [Double], shape: [1])])
            path.append(try parameter.value.item())
        }
        #expect(path == [1, 1.75, 2.25, 2.5, 2.5])
    }

    @Test func averagesFollowTheValues() throws {
        let parameter = Parameter(try Tensor([1.0, 2] as [Double], shape: [2]))
        let average = try ExponentialMovingAverage(of: [parameter], decay: 0.75)
        parameter.value = try Tensor([5.0, 10] as [Double], shape: [2])
        try average.update()
        #expect(average.averages[0].doubles == [2, 4])
        #expect(average.applied { parameter.value.doubles } == [2, 4])
        #expect(parameter.value.doubles == [5, 10])
        try average.update()
        #expect(average.averages[0].doubles == [2.75, 5.5])
    }
}
