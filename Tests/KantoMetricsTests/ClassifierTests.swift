import KantoData
import KantoMetrics
import KantoNN
import KantoTensor
import Testing

@Suite struct ClassifierTests {
    /// It learns the digits, the same way each time, and its features keep them apart.
    @Test func digits() throws {
        let digits = try ImageSet.digits()
        let pictures = try Tensor(digits.pixels, shape: [digits.count, 8, 8, 1])
        let labels = try #require(digits.labels)
        let classifier = try Classifier(trainedOn: pictures, labels: labels, classCount: 10, seed: 1)
        #expect(classifier.accuracy > 0.95, "\(classifier.accuracy)")
        let features = try classifier.features(of: pictures)
        #expect(features.shape == [digits.count, 64])
        let told = try classifier.labels(of: pictures)
        #expect(zip(told, labels).count { $0 == $1 } > digits.count * 98 / 100)
        let (again, third) = try (
            Classifier(trainedOn: pictures, labels: labels, classCount: 10, steps: 20, seed: 1),
            Classifier(trainedOn: pictures, labels: labels, classCount: 10, steps: 20, seed: 1)
        )
        #expect(zip(again.network.parameters, third.network.parameters).allSatisfy { $0.value.floats == $1.value.floats })
    }

    @Test func layersForAnySize() throws {
        for (shape, convolutions) in [([8, 8, 1], 2), ([28, 28, 1], 2), ([64, 64, 3], 3), ([7, 40, 2], 2), ([1, 1, 1], 0)] {
            let description = Classifier.description(for: shape, classCount: 3)
            #expect(try description.outputShape() == [3])
            #expect(description.layers.count == 2 * convolutions + 4, "\(shape)")
        }
        #expect(throws: TensorError.self) {
            try Classifier(trainedOn: Tensor.zeros([5, 8, 8, 1]), labels: [0, 1, 0, 1, 0], classCount: 2, seed: 1)
        }
    }
}
