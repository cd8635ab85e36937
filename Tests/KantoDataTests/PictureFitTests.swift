import Testing

@testable import KantoData

/// By hand. Against Pillow 13: at most 1 of 255 from its BOX at whole ratios, and from its BILINEAR when enlarging.
@Suite struct PictureFitTests {
    private func fit(_ picture: [UInt8], _ source: [Int], to target: [Int]) throws -> [Float] {
        var output = [Float](repeating: -1, count: target.reduce(1, *))
        try PictureFit(source, to: target, name: "a").apply(picture, into: &output)
        return output
    }

    @Test func whatFitsStays() throws {
        #expect(try fit([1, 2, 3, 4, 5, 6], [2, 3, 1], to: [2, 3, 1]) == [1, 2, 3, 4, 5, 6])
        #expect(try PictureFit([2, 3, 1], to: [2, 3, 1], name: "a").isIdentity)
    }

    @Test func shrinkingIsTheMeanOfAnArea() throws {
        #expect(try fit([0, 2, 4, 6, 8, 10, 12, 14], [2, 4, 1], to: [1, 2, 1]) == [5, 9])
        // Three pixels to two: each new one takes one and a half.
        let row = try fit([3, 6, 12, 3, 6, 12, 3, 6, 12], [3, 3, 1], to: [2, 2, 1])
        #expect(isClose(row, [4, 10, 4, 10], 1e-5))
        #expect(try fit([10, 1, 20, 2, 30, 3, 40, 4], [2, 2, 2], to: [1, 1, 2]) == [25, 2.5])
    }

    @Test func enlargingGoesInALine() throws {
        #expect(
            try fit([0, 100, 0, 100], [2, 2, 1], to: [4, 4, 1])
                == Array(repeating: [0, 25, 75, 100] as [Float], count: 4).flatMap(\.self))
        #expect(try fit([7], [1, 1, 1], to: [2, 2, 1]) == [7, 7, 7, 7])
    }

    @Test func theMiddleIsKept() throws {
        #expect(try fit([9, 1, 2, 9, 9, 3, 4, 9], [2, 4, 1], to: [2, 2, 1]) == [1, 2, 3, 4])
        #expect(try fit([9, 9, 1, 2, 3, 4, 9, 9], [4, 2, 1], to: [2, 2, 1]) == [1, 2, 3, 4])
        // Of what cannot be halved, one pixel less stays before.
        #expect(try fit([1, 2, 3, 4], [1, 4, 1], to: [1, 1, 1]) == [2])
    }

    @Test func colors() throws {
        #expect(try fit([10, 20], [1, 2, 1], to: [1, 2, 3]) == [10, 10, 10, 20, 20, 20])
        #expect(isClose(try fit([100, 0, 0, 0, 100, 0, 0, 0, 100], [1, 3, 3], to: [1, 3, 1]), [29.9, 58.7, 11.4], 1e-4))
        #expect(
            dataError { _ = try fit([1, 2], [1, 1, 2], to: [1, 1, 3]) }?.description.contains(
                "have 2 channels, of which 3 cannot be made") == true)
    }

    @Test(arguments: [(1, 1), (1, 9), (9, 1), (7, 5), (5, 7), (64, 28), (28, 64), (1000, 3)]) func valuesStayInTheirRange(
        from: Int, to: Int
    ) throws {
        let white = try fit([UInt8](repeating: 255, count: from * from), [from, from, 1], to: [to, to, 1])
        #expect(white.allSatisfy { abs($0 - 255) < 1e-3 })
    }
}
