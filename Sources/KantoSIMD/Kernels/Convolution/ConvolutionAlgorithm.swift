import KantoABI
import KantoShims

/// How a convolution is to be computed.
enum ConvolutionAlgorithm {
    /// As is faster by `filteredOutputs`.
    case any
    /// As a sum over all taps.
    case direct
    /// By minimal filtering, or not at all.
    case filtered
}

extension ConvolutionShape {
    /// Outputs of a tile along each axis by which a problem is to be computed; nil for direct sums. If there is a refusal, by neither.
    ///
    /// That depends on the problem and the processor's maker alone, so that any number of threads finds the same bits.
    func filteredOutputs(
        _ problem: UnsafePointer<kanto_problem>, _ algorithm: ConvolutionAlgorithm
    ) -> (outputs: Int?, refusal: StaticString?) {
        let isRelaxed = problem.pointee.precision == UInt32(KANTO_PRECISION_RELAXED)
        // Who asks again with float32 gets what is faster of the others.
        let otherwise: StaticString? = isRelaxed ? "no kernel here is faster for being less exact" : nil
        if algorithm == .direct { return (nil, otherwise) }
        let isForced = algorithm == .filtered
        guard vertical.isFiltered, horizontal.isFiltered else {
            return (nil, isForced ? "minimal filtering serves 2 or 3 taps of stride 1 and 4 to 6 of stride 2, dense" : otherwise)
        }
        let isWeightGradient = problem.pointee.op == UInt32(KANTO_OP_CONV2D_WEIGHT_GRADIENT)
        guard min(groupChannels, groupOutputChannels) >= 16, batch > 0, outputHeight > 0, outputWidth > 0,
            !isWeightGradient || batch &* outputHeight &* outputWidth >= 256
        else {
            // Errors are those of a whole tile: more than an output's own where its sum has few terms.
            return (
                nil, isForced ? "minimal filtering serves 16 and more channels, and weight gradients of 256 positions" : otherwise
            )
        }
        let outputs = isRelaxed ? 4 : 2
        if isForced { return (outputs, nil) }
        let cost = filteredCost(outputs: outputs, isWeightGradient: isWeightGradient)
        guard cost < 0.95 * directCost else { return (nil, otherwise) }
        return isRelaxed && cost > 0.95 * filteredCost(outputs: 2, isWeightGradient: isWeightGradient)
            ? (nil, otherwise) : (outputs, nil)
    }

    /// Multiply-adds for each pair of channels: the taps that meet the input.
    private var directCost: Double {
        Double(batch) * Double(vertical.validTapCount) * Double(horizontal.validTapCount)
    }

    /// The same by tiles, transforms included, which take as long as so many multiply-adds for each of their numbers. Where vectors
    /// are added by what multiplies them, as on Intel's, transforms take twice as long, and hide less of what products wait for:
    ///
    ///     ratio of the times, filtered and direct     by this rule    measured: forward, input, weights
    ///                                                                  Zen 3, one thread; Emerald Rapids, AVX-512, two
    ///     5x5 s2   32x32   64 to 128, 192 samples  .58; .75, .88      .61  .60  .68; .69  .74  .92
    ///     5x5 s2   16x16  128 to 256, 192          .60; .73, .81      .68  .72  .70; .71  .78  .76
    ///     5x5 s2    8x8   256 to 512, 192          .72; .84, .90      .80  .80  .80; .84  .88  .89
    ///     5x5 s2   14x14   64 to 128, 150          .86; 1.1, 1.3      .81  .83  .93; 1.0  1.1  1.3
    ///     5x5 s2    7x7   128 to 256, 150          .81; 1.0, 1.1      .88  .77  .95; 1.0  1.0  1.1
    ///     3x3 s1   16x16  128 to 128, 64           .56; .71, .86      .63  .62  .70; .60  .63  .95
    ///     4x4 s2   32x32   64 to 64, 128           .70; .92, 1.2      .71  .72  .80; .80  1.0  1.1
    private func filteredCost(outputs: Int, isWeightGradient: Bool) -> Double {
        let (y, x) = (vertical.filteredForward(outputs: outputs), horizontal.filteredForward(outputs: outputs))
        let tiles = Double(batch) * Double(y.tileCount) * Double(x.tileCount)
        let elements = Double(y.elementCount) * Double(x.elementCount)
        let pairs = Double(y.pointCount) * Double(x.pointCount)
        let (inner, outer) = (Double(groupChannels), Double(groupOutputChannels))
        // With padding up to whole vectors.
        let padding = Double(roundUp(groupChannels, to: Lanes.scalarCount)) / inner
        let (product, number) = kanto_cpu_has_separate_adders() ? (1.0, 10.0) : (1.15, 20.0)
        let transforms = number * (1 / outer + pairs / (elements * inner) + 1 / tiles)
        return tiles * elements * padding * (product + transforms * (isWeightGradient ? 2 : 1))
    }
}

extension FilteredPlan {
    /// For people.
    var tileName: StaticString { parts[0].vertical.outputs == 2 ? filteredTileName : relaxedTileName }
}
