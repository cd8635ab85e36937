import KantoKernels

/// The three convolution ops.
package let convolutionOps: [Op] = [.convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient]

let convolutionProblems: [TestProblem] = {
    var problems: [Problem] = []
    for (index, geometry) in convolutionGeometries.enumerated() {
        let forward = Problem.convolution(.convolution2DForward, .float32, geometry)
        let inputGradient = Problem.convolution(.convolution2DInputGradient, .float32, geometry)
        let weightGradient = Problem.convolution(.convolution2DWeightGradient, .float32, geometry)
        problems.append(forward)
        problems.append(forward.ending(with: epilogues[(7 * index + 14) % epilogues.count]))
        problems.append(forward.ending(with: derivatives[index % derivatives.count]))
        problems.append(inputGradient.ending(with: derivatives[(index + 3) % derivatives.count]))
        for accumulate in [false, true] {
            problems.append(inputGradient.ending(with: Epilogue(accumulate: accumulate)))
            problems.append(weightGradient.ending(with: Epilogue(accumulate: accumulate)))
            problems.append(weightGradient.ending(with: Epilogue(bias: true, accumulate: accumulate)))
        }
    }
    // Of less precision: what minimal filtering serves with larger tiles.
    for (index, geometry) in filteredGeometries.enumerated() {
        let forward = Problem.convolution(.convolution2DForward, .float32, geometry).with(.relaxed)
        problems.append(forward.ending(with: epilogues[(5 * index + 1) % epilogues.count]))
        for accumulate in [false, true] {
            for op in convolutionOps.dropFirst() {
                let gradient = Problem.convolution(op, .float32, geometry).with(.relaxed)
                problems.append(gradient.ending(with: Epilogue(accumulate: accumulate)))
            }
        }
    }
    for op in convolutionOps { problems += [.convolution(op, .float32, padded), .convolution(op, .float32, empty)] }
    for epilogue in epilogues {
        for geometry in [small, grouped] {
            problems.append(Problem.convolution(.convolution2DForward, .float32, geometry).ending(with: epilogue))
        }
    }
    for derivative in derivatives {
        for geometry in [small, grouped] + narrow {
            for op in convolutionOps.dropLast() {
                problems.append(Problem.convolution(op, .float32, geometry).ending(with: derivative))
            }
        }
    }
    return problems.map { TestProblem($0) }
}()

private let small = Convolution2D(
    batch: 2, height: 6, width: 7, channels: 5, outputChannels: 19, kernel: (3, 3), stride: (2, 1), padding: (1, 1, 0, 1))
private let grouped = Convolution2D(
    batch: 2, height: 5, width: 5, channels: 6, outputChannels: 8, kernel: (3, 3), padding: (1, 1, 1, 1), groups: 2)

/// One input channel, one output channel, 1x1, a single position with taps apart: where a backend may go other ways.
private let narrow = [
    Convolution2D(
        batch: 3, height: 8, width: 8, channels: 1, outputChannels: 16, kernel: (5, 5), stride: (2, 2), padding: (2, 2, 2, 2)),
    Convolution2D(batch: 3, height: 8, width: 8, channels: 16, outputChannels: 1, kernel: (3, 3), padding: (1, 1, 1, 1)),
    Convolution2D(batch: 2, height: 5, width: 5, channels: 20, outputChannels: 12, kernel: (1, 1)),
    Convolution2D(
        batch: 1, height: 6, width: 6, channels: 5, outputChannels: 16, kernel: (3, 3), stride: (4, 4), padding: (1, 1, 1, 1),
        dilation: (2, 2)),
]

/// Mostly padding.
private let padded = Convolution2D(
    batch: 1, height: 8, width: 8, channels: 3, outputChannels: 5, kernel: (3, 3), stride: (2500, 2500),
    padding: (2500, 2500, 2500, 2500))
/// An input that is nothing but padding.
private let empty = Convolution2D(
    batch: 1, height: 0, width: 4, channels: 3, outputChannels: 4, kernel: (3, 3), padding: (2, 2, 2, 2))
