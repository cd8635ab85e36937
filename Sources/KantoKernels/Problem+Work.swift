import KantoABI

extension Problem {
    /// Floating-point operations of a matmul or convolution, all taps counted, padding too; 0 for other ops.
    public var floatingPointOperations: Double {
        switch op {
        case .matmul:
            return 2 * Double(raw.matmul.batch) * Double(raw.matmul.m) * Double(raw.matmul.n) * Double(raw.matmul.k)
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient:
            let geometry = Convolution2D(raw: raw.convolution), c = raw.convolution
            return operations(
                verticalTaps: Double(geometry.outputHeight) * Double(c.kernel_height),
                horizontalTaps: Double(geometry.outputWidth) * Double(c.kernel_width))
        default: return 0
        }
    }

    /// The same without the taps that fall into the padding, which a kernel may skip: what it must do at least.
    public var floatingPointOperationsInside: Double {
        switch op {
        case .convolution2DForward, .convolution2DInputGradient, .convolution2DWeightGradient:
            let geometry = Convolution2D(raw: raw.convolution), c = raw.convolution
            return operations(
                verticalTaps: Self.tapsInside(
                    c.height, outputs: Int64(geometry.outputHeight), kernel: c.kernel_height, stride: c.stride_y, pad: c.pad_top,
                    dilation: c.dilation_y),
                horizontalTaps: Self.tapsInside(
                    c.width, outputs: Int64(geometry.outputWidth), kernel: c.kernel_width, stride: c.stride_x, pad: c.pad_left,
                    dilation: c.dilation_x))
        default: return floatingPointOperations
        }
    }

    private func operations(verticalTaps: Double, horizontalTaps: Double) -> Double {
        let c = raw.convolution
        let channels = Double(c.channels / max(1, c.groups))
        return 2 * Double(c.batch) * Double(c.output_channels) * verticalTaps * horizontalTaps * channels
    }

    /// Taps of all outputs along one axis that fall inside the input.
    private static func tapsInside(
        _ extent: Int64, outputs: Int64, kernel: Int64, stride: Int64, pad: Int64, dilation: Int64
    ) -> Double {
        var count: Int64 = 0
        for tap in 0..<kernel {
            // The input's position is output * stride + shift.
            let shift = tap * dilation - pad
            let first = shift < 0 ? (-shift + stride - 1) / stride : 0
            let end = extent > shift ? (extent - 1 - shift) / stride + 1 : 0
            count += max(0, min(outputs, end) - first)
        }
        return Double(count)
    }
}
