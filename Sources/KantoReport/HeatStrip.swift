import Glibc

/// The spread of gradient norms over a run as cells of one color in eight opacities, and as bars beside it.
struct HeatStrip {
    let history: NormHistory
    private static let levels = 8

    /// Cells of equal opacity are joined along the run.
    ///
    /// - Parameters:
    ///   - range: of norms, from the bottom to the top.
    ///   - width: what the plot spans, in columns; more than there are where another run is longer.
    func cells(_ range: AxisRange, width: Double) -> String {
        let levels = opacityLevels
        var paths = [PathText](repeating: PathText(), count: Self.levels + 1)
        for bin in 0..<NormHistory.binCount {
            var column = 0
            while column < levels.count {
                let level = levels[column][bin]
                var end = column
                while end < levels.count, levels[end][bin] == level { end += 1 }
                if level > 0 {
                    paths[level].append("M")
                    paths[level].append(column)
                    paths[level].append(" ")
                    paths[level].append(NormHistory.binCount - 1 - bin)
                    paths[level].append("h")
                    paths[level].append(end - column)
                    paths[level].append("v")
                    paths[level].append(1)
                    paths[level].append("H")
                    paths[level].append(column)
                    paths[level].append("z")
                }
                column = end
            }
        }
        let drawn = (1...Self.levels).filter { !paths[$0].isEmpty }.map { level in
            let opacity = 0.07 + 0.78 * pow(Double(level) / Double(Self.levels), 1.4)
            return "<path fill-opacity=\"\(NumberText.signed(opacity, 2))\" d=\"\(paths[level].text)\"/>"
        }
        return Self.svg("cells", Self.viewBox(range, width: width), drawn.joined())
    }

    /// By the square root of a norm's share of its column; the 98th percentile of all shares, and more, is the darkest.
    private var opacityLevels: [[Int]] {
        let shares = history.columns.map { column in
            let total = Double(max(1, column.reduce(0, +)))
            return column.map { Double($0) / total }
        }
        let top = percentile(shares.flatMap { $0 }.filter { $0 > 0 }.sorted(), 98)
        return shares.map { column in
            column.map { share in
                guard share > 0 else { return 0 }
                return max(1, min(Self.levels, Int((share / top).squareRoot() * Double(Self.levels) + 0.999_999)))
            }
        }
    }

    /// The bars of the run's last tenth.
    func bars(_ range: AxisRange, index: Int, color: String) -> String {
        let counts = history.late
        let most = Double(max(1, counts.max() ?? 1))
        var path = PathText()
        for (bin, count) in counts.enumerated() where count > 0 {
            path.append("M")
            path.append(0)
            path.append(" ")
            path.append(NormHistory.binCount - 1 - bin)
            path.append("h")
            path.append(Double(count) / most, decimals: 3)
            path.append("v")
            path.append(0.86, decimals: 2)
            path.append("H")
            path.append(0)
            path.append("z")
        }
        return Self.svg("marg \(color)", Self.viewBox(range, width: 1), "<path class=\"m\(index)\" d=\"\(path.text)\"/>")
    }

    private static func svg(_ name: String, _ viewBox: String, _ content: String) -> String {
        "<svg class=\"\(name)\" viewBox=\"\(viewBox)\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\(content)</svg>"
    }

    private static func viewBox(_ range: AxisRange, width: Double) -> String {
        let top = Double(NormHistory.binCount) - range.upper / NormHistory.binWidth
        var text = PathText()
        for (index, (number, decimals)) in [(0, 0), (top, 2), (width, 3), (range.span / NormHistory.binWidth, 2)].enumerated() {
            if index > 0 { text.append(" ") }
            text.append(number, decimals: decimals)
        }
        return text.text
    }
}
