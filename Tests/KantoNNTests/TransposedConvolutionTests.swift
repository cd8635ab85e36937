import KantoKernels
import KantoNN
import KantoTensor
import Testing

/// A transposed convolution with an output padding, held against its definition.
struct TransposedConvolutionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var size = (height: 3, width: 2)
        var kernel = 3
        var stride = 1
        var padding: Window.Padding = 0
        var outputPadding = 0
        var dilation = 1
        var groups = 1

        var testDescription: String {
            "\(size) k\(kernel) s\(stride) p\(padding) output padding \(outputPadding) d\(dilation) g\(groups)"
        }
    }

    static let cases: [Case] = [
        Case(size: (1, 1), outputPadding: 1, dilation: 2),
        Case(outputPadding: 1, dilation: 2),
        Case(padding: 1, outputPadding: 1, dilation: 2),
        Case(padding: 2, outputPadding: 2, dilation: 3, groups: 2),
        Case(padding: .init(top: 0, left: 1, bottom: 2, right: 0), outputPadding: 3, dilation: 4),
        Case(kernel: 2, stride: 2, padding: 1, outputPadding: 2, dilation: 3),
        Case(
            kernel: 2, stride: 2, padding: .init(top: 1, left: 0, bottom: 0, right: 3), outputPadding: 4, dilation: 5, groups: 2),
        Case(kernel: 2, stride: 3, padding: 1, outputPadding: 2, dilation: 2),
    ]

    private func layer(_ test: Case) throws -> ConvTranspose2D {
        var random = Random(seed: 3)
        return try ConvTranspose2D(
            weight: random.normal([test.kernel, test.kernel, 6 / test.groups, 4], elementType: .float64),
            bias: random.normal([6], elementType: .float64),
            window: Window(stride: test.stride, padding: test.padding, dilation: test.dilation, groups: test.groups),
            outputPadding: test.outputPadding)
    }

    private func input(_ test: Case) throws -> Tensor {
        var random = Random(seed: 4)
        return try random.normal([2, test.size.height, test.size.width, 4], elementType: .float64)
    }

    /// Each element of the input adds its products to the places that the kernel's taps reach from it.
    @Test(arguments: cases) func eachInputIsSpreadOverTheTaps(_ test: Case) throws {
        let layer = try layer(test)
        let input = try input(test)
        let output = try layer(input)
        func extent(_ size: Int, _ before: Int, _ after: Int) -> Int {
            (size - 1) * test.stride - before - after + test.dilation * (test.kernel - 1) + 1 + test.outputPadding
        }
        let (height, width) = (
            extent(test.size.height, test.padding.top, test.padding.bottom),
            extent(test.size.width, test.padding.left, test.padding.right)
        )
        #expect(output.shape == [2, height, width, 6])

        let (x, weight, bias) = (input.doubles, layer.weight.value.doubles, layer.bias!.value.doubles)
        var expected = (0..<2 * height * width * 6).map { bias[$0 % 6] }
        let (inputsOfGroup, outputsOfGroup) = (4 / test.groups, 6 / test.groups)
        for sample in 0..<2 {
            for row in 0..<test.size.height {
                for column in 0..<test.size.width {
                    for tap in 0..<test.kernel * test.kernel {
                        let y = row * test.stride - test.padding.top + tap / test.kernel * test.dilation
                        let x0 = column * test.stride - test.padding.left + tap % test.kernel * test.dilation
                        guard (0..<height).contains(y), (0..<width).contains(x0) else { continue }
                        for i in 0..<4 {
                            for o in 0..<outputsOfGroup {
                                let channel = i / inputsOfGroup * outputsOfGroup + o
                                expected[((sample * height + y) * width + x0) * 6 + channel] +=
                                    x[((sample * test.size.height + row) * test.size.width + column) * 4 + i]
                                    * weight[(tap * outputsOfGroup + o) * 4 + i]
                            }
                        }
                    }
                }
            }
        }
        #expect(zip(output.doubles, expected).allSatisfy { abs($0 - $1) <= 1e-12 })
    }

    @Test(arguments: cases) func itsGradientsAreThoseOfDifferences(_ test: Case) throws {
        let check = LayerCheck(try layer(test), try input(test), isDifferentiable: true) { try $0().square() }
        let (first, second) = try Kernels.run { (try check.error(order: 1), try check.error(order: 2)) }
        #expect(first < 1e-7 && second < 1e-6)
    }

    @Test func anOutputPaddingThatNoGeometryHasIsRefused() throws {
        let weight = try Tensor.zeros([3, 3, 1, 4])
        let bias = try Tensor.zeros([1])
        for (window, outputPadding) in [
            (Window(), 1), (Window(stride: 2), 2), (Window(stride: 2, dilation: 3), 3), (Window(dilation: 2), -1),
        ] {
            let error = #expect(throws: TensorError.self) {
                try ConvTranspose2D(weight: weight, bias: bias, window: window, outputPadding: outputPadding)
            }
            #expect(error?.description.contains("an output padding of \(outputPadding), expected 0 up to, not including") == true)
        }
    }
}
