import KantoNN
import KantoTensor
import Testing

@Suite struct CrossEntropyTests {
    /// torch.nn.functional.cross_entropy in float64, and the gradient: softmax less one-hot, over the rows.
    @Test func valueAndGradient() throws {
        let logits = try Tensor([1.0, 2, 3, -1, 0.5, 0] as [Double], shape: [2, 3]).tracked()
        let loss = try softmaxCrossEntropy(logits, labels: [2, 0])
        // Rows: log(e¹ + e² + e³) − 3 and log(e⁻¹ + e^0.5 + 1) + 1.
        #expect(abs(try loss.item() - (0.40760596444438013 + 2.1041306053367284) / 2) < 1e-12)
        let found = try gradient(of: loss, withRespectTo: logits).doubles
        let expected = [0.09003057317038046, 0.24472847105479767, 0.6652409557748219 - 1, 0.12195165230972886 - 1, 0.5465493872661796, 0.3314989604240915]
        for (found, expected) in zip(found, expected) { #expect(abs(found - expected / 2) < 1e-9) }
    }

    @Test func extremeScores() throws {
        let logits = try Tensor([3000, 0, -3000, -3001, -3002, -3000] as [Float], shape: [2, 3]).tracked()
        let loss = try softmaxCrossEntropy(logits, labels: [0, 2])
        #expect(abs(try loss.item() - 0.2038029822) < 1e-4)
        #expect(try gradient(of: loss, withRespectTo: logits).floats.allSatisfy(\.isFinite))
        #expect(throws: TensorError.self) { try softmaxCrossEntropy(logits, labels: [0]) }
        #expect(throws: TensorError.self) { try softmaxCrossEntropy(logits, labels: [0, 3]) }
        #expect(throws: TensorError.self) { try logits.sliced(0..<1).reshaped([3]).logSumExp() }
    }
}
