import KantoKernels
import Testing

@testable import KantoCLI

/// Shares of the machine's limits, and what they say where the limits are none.
struct BenchRowTests {
    private func row(_ line: String, milliseconds: Double, multiplyAdds: Double = 200, memory: Double = 20) throws -> BenchRow {
        var row = BenchRow(problem: try Problem(parsing: line), backend: "simd", threadCount: 1)
        var timings = Timings()
        timings.append(milliseconds / 1e3)
        (row.timings, row.multiplyAddLimit, row.memoryLimit) = (timings, multiplyAdds, memory)
        return row
    }

    @Test func aShareIsThatOfTheBound() throws {
        // 2 * 1000^3 operations in 20 ms: 100 of 200 GFLOP/s.
        let product = try row("matmul m1000 n1000 k1000", milliseconds: 20)
        #expect(abs(product.share! - 0.5) < 1e-9 && !product.isImplausible)
        // 8e8 bytes in 80 ms: 10 of 20 GB/s.
        let copy = try row("unary copy [100000000]", milliseconds: 80)
        #expect(abs(copy.share! - 0.5) < 1e-9 && !copy.isImplausible)
        #expect(copy.jsonLine(relativeTo: nil).contains("\"bound\": \"memory\""))
    }

    /// 1 x 1 of 3 x 3 taps is inside.
    @Test func paddingIsNoWork() throws {
        let problem = try Problem(parsing: "conv2d_forward n8 h1 w1 c64 k3x3 p1 o64")
        #expect(problem.floatingPointOperations == 2 * 8 * 64 * 64 * 9)
        #expect(problem.floatingPointOperationsInside == 2 * 8 * 64 * 64)
        for line in ["conv2d_forward n2 h9 w7 c3 k5x3 s2x3 p2,1,0,3 d2x1 o4", "conv2d_weight_gradient n1 h4 w5 c2 k2x2 o2 g2"] {
            let problem = try Problem(parsing: line), c = problem.raw.convolution, geometry = Convolution2D(raw: c)
            var count = 0
            for y in 0..<Int64(geometry.outputHeight) {
                for x in 0..<Int64(geometry.outputWidth) {
                    for i in 0..<c.kernel_height {
                        for j in 0..<c.kernel_width {
                            let row = y * c.stride_y - c.pad_top + i * c.dilation_y
                            let column = x * c.stride_x - c.pad_left + j * c.dilation_x
                            count += 0..<c.height ~= row && 0..<c.width ~= column ? 1 : 0
                        }
                    }
                }
            }
            let work = 2 * Double(count) * Double(c.batch * c.output_channels * c.channels / c.groups)
            #expect(problem.floatingPointOperationsInside == work, "\(line)")
        }
    }

    /// A limit of 0.5 GFLOP/s made a share of 25,000%.
    @Test func anImpossibleShareIsNotShown() throws {
        var product = try row("matmul m1000 n1000 k1000", milliseconds: 16, multiplyAdds: 0.5)
        #expect(product.isImplausible)
        product.isBusy = true
        #expect(product.share == nil && product.limitText?.contains("the machine was busy") == true)
        let cells = product.cells(relativeTo: nil)
        #expect(cells[1].hasSuffix("16.000 ms") && cells[4].hasSuffix("—") && !cells.contains { $0.contains("%") })
        let line = product.jsonLine(relativeTo: nil)
        #expect(line.contains("\"busy\": true") && !line.contains("share") && !line.contains("limit"))
        var half = try row("matmul m1000 n1000 k1000", milliseconds: 20)
        half.availability = 0.5
        #expect(half.limitText == "200.0 GFLOP/s of multiply-adds (the machine was busy: in the median 50% of it)")
        // The noise of two measurements is no reason.
        #expect(try !row("matmul m1000 n1000 k1000", milliseconds: 10 / 1.04).isImplausible)
        #expect(try row("matmul m1000 n1000 k1000", milliseconds: 10 / 1.06).isImplausible)
        #expect(try row("unary copy [1000000000]", milliseconds: 100).isImplausible)
    }

    @Test func whatACacheHoldsIsSaid() throws {
        let copy = try row("unary copy [1000]", milliseconds: 1e-4)
        #expect(!copy.isImplausible && copy.share == nil && copy.cells(relativeTo: nil)[4].hasSuffix("in cache"))
        #expect(copy.jsonLine(relativeTo: nil).contains("\"bound\": \"cache\""))
    }
}
