import KantoData

/// Points of a plane, sets of them in colors of their own, on one scale in both directions.
public enum PointCloud {
    /// In pixels.
    private static let side = 640

    /// - Parameters:
    ///   - sets: x and y of each point in turn; the first set is drawn below the others. What is not finite is left out.
    public static func picture(_ sets: [(name: String, points: [Float])]) -> Picture {
        let margin = ChartStyle.margin, top = margin + ChartStyle.lineHeight
        var canvas = Canvas(width: side + 2 * margin, height: side + top + margin)
        canvas.drawLegend(sets.map(\.name), x: margin, top: margin / 2)
        let area = Canvas.Rectangle(left: margin, top: top, width: side, height: side)
        // The first set settles the scale, so that the pictures of a run can be compared; what lies far outside is at the border.
        let largest = Double(sets.first?.points.filter(\.isFinite).map(\.magnitude).max() ?? 1)
        let reach = max(largest * 1.25, .leastNormalMagnitude)
        func pixel(_ value: Float) -> Double { (min(1, max(-1, Double(value) / reach)) + 1) / 2 * Double(side - 1) }
        for (number, set) in sets.enumerated() {
            for point in stride(from: 0, to: set.points.count - 1, by: 2) {
                let (x, y) = (set.points[point], set.points[point + 1])
                guard x.isFinite, y.isFinite else { continue }
                // A square, which is quick to draw: there are thousands.
                let (column, row) = (area.left + Int(pixel(x)), area.bottom - 1 - Int(pixel(y)))
                canvas.fill(Canvas.Rectangle(left: column - 1, top: row - 1, width: 3, height: 3), ChartStyle.color(number))
            }
        }
        return canvas.picture
    }
}
