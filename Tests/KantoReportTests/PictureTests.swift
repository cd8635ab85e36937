import KantoData
import KantoTensor
import Testing

@testable import KantoReport

@Suite struct PictureTests {
    private static func tiles(_ count: Int, side: Int, channels: Int = 1) -> SampleTiles {
        SampleTiles(
            height: side, width: side, channels: channels,
            pixels: (0..<count * side * side * channels).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 / 7) })
    }

    /// A picture is about 32 pixels wide, or as wide as it is; large ones are made smaller.
    @Test(.enabled(if: PNG.isAvailable), arguments: [(8, 1, 263), (28, 1, 231), (32, 3, 263), (64, 3, 519), (128, 3, 519), (1, 1, 263)])
    func sheets(_ side: Int, _ channels: Int, _ width: Int) throws {
        let sheet = try SampleSheet(Self.tiles(16, side: side, channels: channels))
        #expect(sheet.width == width && sheet.source.hasPrefix("data:image/png;base64,iVBOR"))
    }

    @Test(.enabled(if: PNG.isAvailable)) func gapsAreTransparentAndPicturesAreNot() throws {
        let bytes = try PNG.bytes(
            of: Picture(width: 2, height: 1, channels: 1, pixels: [255, 254]), hidesWhite: true, name: "test")
        // libpng lays what is transparent over black.
        #expect(try PNG.read(bytes: bytes, name: "test").pixels == [0, 254])
        let color = try PNG.bytes(
            of: Picture(width: 2, height: 1, channels: 3, pixels: [255, 255, 255, 255, 255, 254]), hidesWhite: true, name: "test")
        #expect(try PNG.read(bytes: color, name: "test").pixels == [0, 0, 0, 255, 255, 254])
    }

    @Test func valuesBecomeLevels() {
        let tiles = SampleTiles([-2, -1, 0, 1, 2, .nan], height: 1, width: 6, channels: 1, brightness: ValueRange(-1, 1))
        #expect(tiles.pixels == [0, 0, 128, 255, 255, 0] && tiles.count == 1)
        #expect(SampleTiles(height: 2, width: 2, channels: 1, pixels: [0, 100, 100, 200]).shrunk(by: 2).pixels == [100])
    }

    @Test func aCopyIsFound() throws {
        let real = Self.tiles(40, side: 4)
        let neighbors = try #require(try NearestNeighbors(real))
        let found = try neighbors.nearest(to: real.tiles(7..<9))
        #expect(found.map(\.index) == [7, 8] && found.allSatisfy { $0.distance < 5e-3 })
        // By the definition.
        func distance(_ a: Int, _ b: Int) -> Double {
            zip(real.tiles(a..<a + 1).pixels, real.tiles(b..<b + 1).pixels).reduce(0) {
                $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) / 255 / 255
            }.squareRoot()
        }
        let own = (0..<40).map { a in (0..<40).filter { $0 != a }.map { distance(a, $0) }.min()! }.sorted()
        #expect(abs(neighbors.usual - percentile(own, 50)) < 1e-3 && abs(neighbors.nearlyCopied - percentile(own, 1)) < 1e-3)
        #expect(try NearestNeighbors(Self.tiles(3, side: 4)) == nil)
    }

    @Test func pointsOutsideAreLeftOut() {
        #expect(PlanePicture.dots([0, 0, 1, 1, 5, 0, .nan, 0, -1, -0.5], reach: 1) == "M500 500h0M1000 0h0M0 750h0")
    }

    /// Texts can be read on the page in light and in dark: a contrast of 5 to 1, by the formula of WCAG 2.
    @Test func colorsHaveContrast() throws {
        let style = pageStyle
        let schemes = style.components(between: "{", and: "}").filter { $0.contains("--page:") && $0.contains("--good:") }
        #expect(schemes.count >= 2)
        for scheme in schemes.prefix(2) {
            var colors: [String: Double] = [:]
            for part in scheme.split(separator: ";") {
                let words = part.split(separator: ":")
                guard words.count == 2, let value = Int(words[1].dropFirst(), radix: 16), words[1].first == "#", words[1].count == 7 else { continue }
                colors[words[0].filter { $0 == "-" || $0.isLetter }] = Self.luminance(value)
            }
            let page = try #require(colors["--page"])
            for name in ["--ink", "--soft", "--a", "--b", "--c", "--d", "--e", "--f", "--good", "--warn", "--bad"] {
                let color = try #require(colors[name], "\(name)")
                #expect((max(color, page) + 0.05) / (min(color, page) + 0.05) >= 5, "\(name)")
            }
        }
    }

    private static func luminance(_ color: Int) -> Double {
        func linear(_ channel: Int) -> Double {
            let value = Double(channel & 255) / 255
            return value <= 0.03928 ? value / 12.92 : power((value + 0.055) / 1.055)
        }
        func power(_ x: Double) -> Double {
            // x^2.4 = x² · x^(2/5); the fifth root by Newton's method.
            var root = 1.0
            for _ in 0..<60 { root -= (root * root * root * root * root - x) / (5 * root * root * root * root) }
            return x * x * root * root
        }
        return 0.2126 * linear(color >> 16) + 0.7152 * linear(color >> 8) + 0.0722 * linear(color)
    }
}

extension String {
    fileprivate func components(between start: Character, and end: Character) -> [String] {
        split(separator: end).compactMap { part in part.lastIndex(of: start).map { String(part[part.index(after: $0)...]) } }
    }
}
