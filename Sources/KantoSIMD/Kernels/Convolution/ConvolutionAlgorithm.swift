import KantoABI

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
    /// That depends on the problem alone, so that any number of threads finds the same bits.
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

    /// The same by tiles, transforms included, which take as long as so many multiply-adds for each of their numbers:
    ///
    ///     ratio of the times, filtered and direct        by this rule    measured (Zen 3, one thread): forward, input, weights
    ///     5x5 s2   32x32   64 to 128, 192 samples             .58             .61  .60  .68
    ///     5x5 s2   16x16  128 to 256, 192                     .60             .68  .72  .70
    ///     5x5 s2    8x8   256 to 512, 192                     .72             .80  .80  .80
    ///     5x5 s2   14x14   64 to 128, 150                     .86             .81  .83  .93
    ///     5x5 s2    7x7   128 to 256, 150                     .81             .88  .77  .95
    ///     3x3 s1   16x16  128 to 128, 64                      .56             .63  .62  .70
    ///     4x4 s2   32x32   64 to 64, 128                      .70             .71  .72  .80
    private func filteredCost(outputs: Int, isWeightGradient: Bool) -> Double {
        let (y, x) = (vertical.filteredForward(outputs: outputs), horizontal.filteredForward(outputs: outputs))
        let tiles = Double(batch) * Double(y.tileCount) * Double(x.tileCount)
        let elements = Double(y.elementCount) * Double(x.elementCount)
        let products = Double(y.pointCount) * Double(x.pointCount)
        let (inner, outer) = (Double(groupChannels), Double(groupOutputChannels))
        // With padding up to whole vectors.
        let padding = Double(roundUp(groupChannels, to: Lanes.scalarCount)) / inner
        let transforms = 10 / outer + 10 * products / (elements * inner) + 10 / tiles
        return tiles * elements * padding * (1 + transforms * (isWeightGradient ? 2 : 1))
    }
}

extension FilteredPlan {
    /// For people.
    var tileName: StaticString { parts[0].vertical.outputs == 2 ? filteredTileName : relaxedTileName }
}
