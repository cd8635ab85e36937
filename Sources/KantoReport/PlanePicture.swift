import Glibc
import KantoData

/// Points of a plane over the critic's scores, for a drawing of 1000 by 1000 units.
struct PlanePicture {
    /// The path of the generated points: dots.
    let points: String
    /// The scores in ten steps of gray, white where they are low, as an address that holds a picture; nil without libpng.
    let surface: String?
    /// The path of the lines from generated to real points.
    let lines: String
    /// The path of the critic's input gradient along them, as arrows.
    let arrows: String
    let reach: Double

    /// What it adds to a page, in bytes.
    var size: Int { points.utf8.count + (surface?.utf8.count ?? 0) + lines.utf8.count + arrows.utf8.count }

    init(_ plane: CriticView.Plane) throws(DataError) {
        reach = plane.reach
        points = Self.dots(plane.points, reach: plane.reach)
        surface = PNG.isAvailable ? try Self.surface(plane.scores) : nil
        (lines, arrows) = Self.slopes(plane)
    }

    private static let extent = 1000.0

    /// The path of dots; what lies outside, or is no number, is left out.
    static func dots(_ points: [Float], reach: Double) -> String {
        var path = PathText()
        for index in stride(from: 0, to: points.count - 1, by: 2) {
            guard let (x, y) = place(points[index], points[index + 1], reach), 0...1000 ~= x, 0...1000 ~= y else { continue }
            path.append("M")
            path.append(x)
            path.append(" ")
            path.append(y)
            path.append("h")
            path.append(0)
        }
        return path.text
    }

    private static func place(_ x: Float, _ y: Float, _ reach: Double) -> (Int, Int)? {
        let (column, row) = ((Double(x) / reach + 1) * extent / 2, (1 - Double(y) / reach) * extent / 2)
        guard abs(column) < 1e6, abs(row) < 1e6 else { return nil }
        return (Int(column.rounded()), Int(row.rounded()))
    }

    /// How long the arrow of a gradient of norm 1 is, and the longest, in units of the drawing.
    static let (unit, longest) = (55.0, 140.0)

    private static func slopes(_ plane: CriticView.Plane) -> (lines: String, arrows: String) {
        var lines = PathText(), arrows = PathText()
        func append(_ points: [(x: Double, y: Double)], to path: inout PathText) {
            for (index, point) in points.enumerated() {
                path.append(index == 0 ? "M" : "L")
                path.append(Int(point.x.rounded()))
                path.append(" ")
                path.append(Int(point.y.rounded()))
            }
        }
        for end in plane.ends {
            guard let a = place(end[0], end[1], plane.reach), let b = place(end[2], end[3], plane.reach) else { continue }
            append([(Double(a.0), Double(a.1)), (Double(b.0), Double(b.1))], to: &lines)
        }
        for slope in plane.slopes {
            let (dx, dy) = (Double(slope[2]), -Double(slope[3]))
            let norm = (dx * dx + dy * dy).squareRoot()
            guard let start = place(slope[0], slope[1], plane.reach), norm > 1e-6, norm.isFinite else { continue }
            let length = min(longest, unit * norm), head = min(14, length * 0.5)
            let (x, y) = (Double(start.0), Double(start.1)), (ux, uy) = (dx / norm, dy / norm)
            let tip = (x: x + ux * length, y: y + uy * length)
            append([(x, y), tip], to: &arrows)
            func side(_ sign: Double) -> (x: Double, y: Double) {
                (tip.x - head * (ux * 0.85 - sign * uy * 0.5), tip.y - head * (uy * 0.85 + sign * ux * 0.5))
            }
            append([side(1), tip, side(-1)], to: &arrows)
        }
        return (lines.text, arrows.text)
    }

    // MARK: The scores

    private static let levels = 10
    /// Pixels a cell of the grid, in each direction.
    private static let scale = 6

    /// Between the 2nd and the 98th percentile, drawn smoothly.
    private static func surface(_ scores: [Float]) throws(DataError) -> String {
        let side = CriticView.Plane.side
        let finite = scores.lazy.filter(\.isFinite).map(Double.init).sorted()
        guard !finite.isEmpty else { return "" }
        let (low, high) = (percentile(finite, 2), percentile(finite, 98))
        let lowest = Float(finite[0])
        // The topmost row has the largest y.
        let rows = (0..<side).map { row in
            enlarged(scores[(side - 1 - row) * side..<(side - row) * side].map { $0.isFinite ? $0 : lowest })
        }
        let width = side * scale
        var pixels = [UInt8](repeating: 255, count: width * width)
        let factor = Float(levels) / Float(max(high - low, 1e-9))
        for column in 0..<width {
            for (row, value) in enlarged(rows.map { $0[column] }).enumerated() {
                let level = max(0, min(Float(levels - 1), ((value - Float(low)) * factor).rounded(.down)))
                pixels[row * width + column] = UInt8(255 - 255 * level / Float(levels - 1))
            }
        }
        return try pictureSource(Picture(width: width, height: width, channels: 1, pixels: pixels))
    }

    /// Values of cells at the centers of `scale` times as many, by Catmull and Rom's cubic.
    private static func enlarged(_ values: [Float]) -> [Float] {
        let last = values.count - 1
        return (0..<values.count * scale).map { place in
            let position = (Float(place) + 0.5) / Float(scale) - 0.5
            let cell = Int(position.rounded(.down)), t = position - Float(cell)
            func value(_ offset: Int) -> Float { values[max(0, min(last, cell + offset))] }
            let (a, b, c, d) = (value(-1), value(0), value(1), value(2))
            return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        }
    }
}
