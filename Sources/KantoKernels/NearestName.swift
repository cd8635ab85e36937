/// The name that somebody may have meant who wrote another: one that begins with it, or holds it, or is a few slips of the
/// fingers away; nil where none is near.
package func nearestName(to name: String, among known: [String]) -> String? {
    let typed = normalized(name)
    // The time is that of the product of two lengths.
    guard !typed.isEmpty, typed.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in known {
        let text = normalized(candidate)
        var distance = slips(typed, text)
        if typed.count > 1, text.starts(with: typed) {
            distance = min(distance, 1)
        } else if typed.count > 3, holds(text, typed) {
            distance = min(distance, 2)
        }
        let allowed = typed.count > 1 ? max(1, max(typed.count, text.count) / 3) : 0
        if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

/// That a name is unknown, which one is near, and which there are.
///
/// - Parameters:
///   - lead: `there is no preset`, say; the name follows in quotes.
///   - plural: what the known names are: `presets`.
package func unknownName(_ lead: String, _ name: String, plural: String, known: [String]) -> String {
    let list = "he \(plural) are \(known.joined(separator: ", "))"
    guard let near = nearestName(to: name, among: known) else { return "\(lead) '\(name)'; t\(list)" }
    return "\(lead) '\(name)'; did you mean '\(near)'? T\(list)"
}

/// Small letters, one sign for what stands between words, and no dashes before an option.
private func normalized(_ name: String) -> [Character] {
    Array(name.lowercased().drop { $0 == "-" }.map { $0 == "-" || $0 == " " ? "_" : $0 })
}

private func holds(_ text: [Character], _ part: [Character]) -> Bool {
    text.indices.contains { text[$0...].starts(with: part) }
}

/// How many characters must be put in, left out, replaced, or swapped with the next, to make one text of the other
/// (Damerau 1964, no part changed twice).
private func slips(_ a: [Character], _ b: [Character]) -> Int {
    var earlier: [Int] = []
    var above = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var least = min(row[j] + 1, above[j + 1] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, earlier[j - 1] + 1) }
            row.append(least)
        }
        (earlier, above) = (above, row)
    }
    return above[b.count]
}
