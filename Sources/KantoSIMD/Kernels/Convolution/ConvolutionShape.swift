import KantoABI

/// The geometry of a convolution problem in machine integers.
struct ConvolutionShape {
    let batch, height, width, channels, outputHeight, outputWidth, outputChannels: Int
    let kernelHeight, kernelWidth, groups: Int
    let dilationY, dilationX: Int
    let vertical, horizontal: ConvolutionAxis

    var groupChannels: Int { channels / groups }
    var groupOutputChannels: Int { outputChannels / groups }
    var inputSize: Int { height &* width &* channels }
    var outputSize: Int { outputHeight &* outputWidth &* outputChannels }
    var weightRows: Int { kernelHeight &* kernelWidth &* groupChannels }
    /// Whether the kernel's columns and channels of one kernel row are one run in memory, in the input and the weights.
    var hasContiguousRows: Bool { groups == 1 && dilationX == 1 }

    init(_ g: kanto_convolution) {
        batch = Int(g.batch)
        height = Int(g.height)
        width = Int(g.width)
        channels = Int(g.channels)
        outputChannels = Int(g.output_channels)
        kernelHeight = Int(g.kernel_height)
        kernelWidth = Int(g.kernel_width)
        groups = Int(g.groups)
        dilationY = Int(g.dilation_y)
        dilationX = Int(g.dilation_x)
        outputHeight = Int(
            kanto_output_extent(g.height, g.pad_top, g.pad_bottom, g.kernel_height, g.stride_y, g.dilation_y))
        outputWidth = Int(
            kanto_output_extent(g.width, g.pad_left, g.pad_right, g.kernel_width, g.stride_x, g.dilation_x))
        vertical = ConvolutionAxis(
            input: height, output: outputHeight, kernel: kernelHeight, stride: Int(g.stride_y), pad: Int(g.pad_top),
            dilation: dilationY)
        horizontal = ConvolutionAxis(
            input: width, output: outputWidth, kernel: kernelWidth, stride: Int(g.stride_x), pad: Int(g.pad_left),
            dilation: dilationX)
    }

    /// Why a problem cannot be a convolution, or nil.
    static func flaw(_ problem: UnsafePointer<kanto_problem>) -> StaticString? {
        let g = problem.pointee.convolution
        if g.stride_y < 1 || g.stride_x < 1 { return "the strides of a convolution must be at least 1" }
        if g.dilation_y < 1 || g.dilation_x < 1 { return "the dilations of a convolution must be at least 1" }
        if g.kernel_height < 1 || g.kernel_width < 1 { return "the kernel of a convolution must not be empty" }
        // Plans hold a table along each side, padding included.
        let longest = max(
            max(g.height, g.width), max(g.pad_top, g.pad_bottom), max(g.pad_left, g.pad_right),
            max(g.kernel_height, g.kernel_width))
        if longest > 1 << 24 { return "a side of the convolution is longer than 2^24" }
        if g.groups < 1 || g.channels % g.groups != 0 || g.output_channels % g.groups != 0 {
            return "the groups of a convolution must divide its channels and its output channels"
        }
        return nil
    }
}

extension ConvolutionShape {
    /// The forward convolution as a product: rows are output positions, the inner dimension is the taps inside the input.
    func forwardProduct(_ host: UnsafePointer<kanto_host>) -> Product {
        var product = makeProduct(
            host, panels: Panels(rowCount: weightRows, columnCount: groupOutputChannels),
            { axis, classes in axis.forwardClasses(classes) }, forwardStrides)
        product.groupStrideA = groupChannels
        product.groupStrideC = groupOutputChannels
        product.groupStrideBias = groupOutputChannels
        return product
    }

    /// The input gradient as a product: rows are input positions, the inner dimension is the taps by which they reach the
    /// output. With a stride, positions of one phase share their taps.
    func adjointProduct(_ host: UnsafePointer<kanto_host>) -> Product {
        var product = makeProduct(
            host,
            panels: Panels(rowCount: kernelHeight &* kernelWidth &* groupOutputChannels, columnCount: groupChannels),
            { axis, classes in axis.adjointClasses(classes) }, adjointStrides)
        product.groupStrideA = groupOutputChannels
        product.groupStrideC = groupChannels
        return product
    }

    struct RowStrides {
        var rowA, columnA, sampleA, rowC, columnC, sampleC: Int
        /// Of one group of A.
        var channels: Int
        /// Whether the taps of a kernel row are walked as one run.
        var joinsColumns: Bool
    }

    /// Of the input, A, and the output, C.
    var forwardStrides: RowStrides {
        RowStrides(
            rowA: width &* channels, columnA: channels, sampleA: inputSize, rowC: outputWidth &* outputChannels,
            columnC: outputChannels, sampleC: outputSize, channels: groupChannels, joinsColumns: hasContiguousRows)
    }

    /// Of the output's gradient, A, and the input's, C.
    var adjointStrides: RowStrides {
        RowStrides(
            rowA: outputWidth &* outputChannels, columnA: outputChannels, sampleA: outputSize, rowC: width &* channels,
            columnC: channels, sampleC: inputSize, channels: groupOutputChannels, joinsColumns: false)
    }

    @inline(__always)
    private func makeProduct(
        _ host: UnsafePointer<kanto_host>, panels: Panels,
        _ classify: (ConvolutionAxis, UnsafeMutablePointer<AxisClass>) -> Int, _ strides: RowStrides
    ) -> Product {
        let axes = AxisClasses(self, limit: max(height, width, outputHeight, outputWidth, 1), classify)
        var product = Product(
            panels: panels,
            classes: UnsafeMutablePointer<RowClass>.allocate(capacity: max(axes.pairCount, 1)))
        product.groupCount = groups
        product.groupStrideB = panels.size
        for y in 0..<axes.verticalCount {
            for x in 0..<axes.horizontalCount {
                product.append(makeClass(axes.vertical[y], axes.horizontal[x], strides))
            }
        }
        product.fit(host, countA: batch &* strides.sampleA)
        axes.deallocate()
        return product
    }

    /// The positions of two classes in all samples: where their first tap reads A, and where they stand in C.
    func positions(_ y: AxisClass, _ x: AxisClass, _ strides: RowStrides) -> RowGrid {
        var grid = RowGrid()
        grid.count = batch &* y.count &* x.count
        grid.middleCount = y.count
        grid.innerCount = x.count
        grid.offsetA = y.source &* strides.rowA &+ x.source &* strides.columnA
        grid.outerStrideA = strides.sampleA
        grid.middleStrideA = y.sourceStep &* strides.rowA
        grid.innerStrideA = x.sourceStep &* strides.columnA
        grid.offsetC = y.start &* strides.rowC &+ x.start &* strides.columnC
        grid.outerStrideC = strides.sampleC
        grid.middleStrideC = y.step &* strides.rowC
        grid.innerStrideC = x.step &* strides.columnC
        return grid
    }

    private func makeClass(_ y: AxisClass, _ x: AxisClass, _ strides: RowStrides) -> RowClass {
        var made = RowClass()
        made.rows = positions(y, x, strides)
        made.firstRowB = (y.firstTap &* kernelWidth &+ x.firstTap) &* strides.channels
        made.walk.outerCount = y.tapCount
        made.walk.outerStrideA = y.sourceTapStep &* strides.rowA
        made.walk.outerStrideB = y.tapStep &* kernelWidth &* strides.channels
        made.walk.innerStrideB = 1
        if strides.joinsColumns {
            made.walk.innerCount = x.tapCount &* strides.channels
        } else {
            made.walk.middleCount = x.tapCount
            made.walk.middleStrideA = x.sourceTapStep &* strides.columnA
            made.walk.middleStrideB = x.tapStep &* strides.channels
            made.walk.innerCount = strides.channels
        }
        if made.walk.isEmpty { made.rows.offsetA = 0 }
        return made
    }
}

extension Product {
    /// Packs a convolution's weights, group by group, as this product reads them.
    func packWeights(
        _ host: UnsafePointer<kanto_host>, _ weights: UnsafePointer<Float>, _ layout: PanelSource, groupStride: Int,
        into packed: UnsafeMutablePointer<Float>
    ) {
        packInParallel(
            host,
            PackJob(
                panels: panels, layout: layout, groupCount: groupCount, groupStrideSource: groupStride,
                groupStridePacked: panels.size, source: weights, packed: packed))
    }
}
