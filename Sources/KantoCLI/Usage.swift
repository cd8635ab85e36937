import ArgumentParser
import Glibc
import KantoData
import KantoKernels

/// The words of the command line.
///
/// - Throws: `Failure` for one that is no valid text: repaired, it would name another file.
func argumentsAsText() throws -> [String] {
    try (1..<max(1, Int(CommandLine.argc))).map { index in
        let word = CommandLine.unsafeArgv[index]!
        guard let text = String(validatingCString: word) else {
            throw Failure.usage("argument \(index), '\(String(cString: word))', is not valid UTF-8: expected a name that is")
        }
        return text
    }
}

/// - Throws: `Failure` if a word stands where a command does and is none.
func checkCommandName(in words: [String]) throws {
    let (commands, rest) = commands(in: words)
    let known = commands.last!.configuration.subcommands.map { $0._commandName }
    guard let word = rest.first, !word.hasPrefix("-"), word != "help", !known.isEmpty,
        commands.last!.configuration.defaultSubcommand == nil
    else { return }
    throw Failure.usage(unknownName("unknown command", word, plural: "commands", known: known))
}

/// The commands that a command line names, from the root on, and the words behind them.
private func commands(in words: [String]) -> (commands: [any ParsableCommand.Type], rest: ArraySlice<String>) {
    var (commands, rest): ([any ParsableCommand.Type], ArraySlice<String>) = ([KantoTool.self], words[...])
    while let word = rest.first, let next = commands.last!.configuration.subcommands.first(where: { $0._commandName == word }) {
        commands.append(next)
        rest.removeFirst()
    }
    // Without a name it is the default one's words that follow.
    if let usual = commands.last!.configuration.defaultSubcommand { commands.append(usual) }
    return (commands, rest)
}

private func joinedNames(_ commands: [any ParsableCommand.Type]) -> String {
    commands.map { $0._commandName }.joined(separator: " ")
}

/// What a user types to call a command: `kanto bench steps`.
func commandPath(of command: any ParsableCommand.Type) -> String {
    func path(from root: [any ParsableCommand.Type]) -> [any ParsableCommand.Type]? {
        if root.last! == command { return root }
        return root.last!.configuration.subcommands.lazy.compactMap { path(from: root + [$0]) }.first
    }
    return joinedNames(path(from: [KantoTool.self]) ?? [KantoTool.self, command])
}

/// Ends the process as an error of a command, or of the command line, asks for.
func leave(with error: any Error) -> Never {
    switch error {
    case let code as ExitCode: exit(code.rawValue)
    case let failure as Failure:
        printError("kanto: \(RankedProcess.letFirstSpeak())\(failure.message)")
        exit(failure.code)
    default: break
    }
    let code = KantoTool.exitCode(for: error)
    if code.isSuccess {
        print(KantoTool.fullMessage(for: error))
        do { try flushOutput() } catch { leave(with: error) }
    } else {
        let words = (try? argumentsAsText()) ?? []
        printError(RankedProcess.letFirstSpeak() + usageLine(KantoTool.message(for: error), commands(in: words).commands, words))
    }
    exit(code.rawValue)
}

/// What the parser of arguments complains about, as one line that says where to read more.
private func usageLine(_ message: String, _ commands: [any ParsableCommand.Type], _ words: [String]) -> String {
    let path = joinedNames(commands)
    var text = message.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: " ")
    let lead = "Unknown option '"
    if text.hasPrefix(lead) {
        // It knows nothing of beginnings: for --iter it offers --seed.
        let name = String(text.dropFirst(lead.count).prefix { $0 != "'" })
        let near = nearestName(to: name, among: longOptions(of: commands.last!))
        text = lead + name + "'" + (near.map { "; did you mean '--\($0)'?" } ?? "")
    }
    // Of the words that an option takes it lists all, and names none.
    if let offer = text.firstRange(of: ". Please provide one of ") {
        func quoted(_ part: Substring) -> [String] {
            part.split(separator: "'", omittingEmptySubsequences: false).enumerated()
                .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
        }
        let (typed, known) = (quoted(text[..<offer.lowerBound]).first ?? "", quoted(text[offer.upperBound...]))
        let near = nearestName(to: typed, among: known).map { "; did you mean '\($0)'? Expected " }
        // Of two it says "'a' and 'b'", of more "'a', 'b' or 'c'".
        let ending = known.count == 2 ? "'\(known[0])' or '\(known[1])'" : String(text[offer.upperBound...])
        text.replaceSubrange(offer.lowerBound..., with: (near ?? "; expected ") + ending)
    }
    // --seed -1: the number is there, but looks like an option.
    let gap = "Missing value for '"
    if text.hasPrefix(gap), let place = words.firstIndex(of: String(text.dropFirst(gap.count).prefix { !" '".contains($0) })),
        words.indices.contains(place + 1)
    {
        text += ": '\(words[place + 1])' is taken for an option"
    }
    if text.hasSuffix(".") { text.removeLast() }
    let end = text.hasSuffix("?") ? " See" : "; see"
    return "\(path): " + text.prefix(1).lowercased() + text.dropFirst() + "\(end) '\(path) --help'"
}

/// The names of a command's options, without their dashes, from what it says of itself.
private func longOptions(of command: any ParsableCommand.Type) -> [String] {
    func member(_ key: String, _ value: JSONValue?) -> JSONValue? {
        guard case .object(let members)? = value else { return nil }
        return members.first { $0.key == key }?.value
    }
    func list(_ value: JSONValue?) -> [JSONValue] { if case .list(let values)? = value { values } else { [] } }
    func text(_ value: JSONValue?) -> String? { if case .text(let text)? = value { text } else { nil } }
    let help = try? JSONValue(parsing: Array(command._dumpHelp().utf8))
    return list(member("arguments", member("command", help)))
        .flatMap { list(member("names", $0)) }
        .filter { text(member("kind", $0)) == "long" }
        .compactMap { text(member("name", $0)) }
}
