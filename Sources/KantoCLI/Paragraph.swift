/// A text behind a label, broken between words so that no line is wider than a terminal, and indented below the text's beginning.
///
/// - Parameter width: of the terminal; nil for a text in one line. A word that is wider has a line of its own.
func paragraph(_ label: String, _ text: String, width: Int?) -> String {
    guard let width else { return label + text }
    let indent = String(repeating: " ", count: label.count)
    var lines = [label]
    for word in text.split(separator: " ") {
        let isFirst = lines[lines.count - 1].count == label.count
        if isFirst || lines[lines.count - 1].count + 1 + word.count <= width {
            lines[lines.count - 1] += (isFirst ? "" : " ") + word
        } else {
            lines.append(indent + word)
        }
    }
    return lines.joined(separator: "\n")
}
