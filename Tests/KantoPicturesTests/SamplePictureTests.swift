import KantoData
import KantoPictures
import KantoTensor
import Testing

@Suite struct SamplePictureTests {
    @Test(arguments: [
        ([2], SamplePicture.points), ([8, 8, 1], .grid), ([2, 3, 3], .grid), ([3], nil), ([8, 8, 2], nil), ([8, 2], nil), ([], nil),
    ] as [([Int], SamplePicture?)])
    func theShapeOfASampleSaysHowItIsDrawn(_ shape: [Int], _ expected: SamplePicture?) {
        #expect(SamplePicture(sampleShape: shape) == expected)
    }

    @Test func theBrightnessIsThatOfTheUnits() throws {
        let samples = try Tensor([-1, 0, 1, 3] as [Float], shape: [4, 1, 1, 1])
        let picture = SamplePicture.grid.picture(of: samples, brightness: ValueRange(-1, 1), columns: 4)
        #expect(Set(picture.pixels) == [0, 128, 255])
        #expect((picture.width, picture.height) == (4 * 49 + 1, 50))
    }

    @Test func pointsAreDrawnOverTheData() throws {
        let points = try Tensor([0, 0, 1, 1] as [Float], shape: [2, 2])
        let alone = SamplePicture.points.picture(of: points, brightness: ValueRange(0, 1))
        #expect(alone == PointCloud.picture([("generated", [0, 0, 1, 1])]))
        let data = try Tensor([2, -2] as [Float], shape: [1, 2])
        let both = SamplePicture.points.picture(of: points, beside: data, brightness: ValueRange(0, 1))
        #expect(both == PointCloud.picture([("data", [2, -2]), ("generated", [0, 0, 1, 1])]))
    }
}
