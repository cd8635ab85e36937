// Descriptions on top of others: a configuration on a preset, a word of the command line on a configuration.

extension DescriptionValue {
    /// The keys that tell kinds apart. Another kind starts from its own defaults.
    private static let nameKeys = ["name", "layer"]

    /// This on top of another: objects key by key, all else in its place.
    public func merged(over base: DescriptionValue) -> DescriptionValue {
        guard case .object(let own) = self else { return self }
        guard case .object(let others) = base.asObject, own.isOfKind(others) else { return self }
        return .object(own.merging(others) { $0.merged(over: $1) })
    }

    /// Whether it has keys.
    package var isObject: Bool { if case .object = self { true } else { false } }

    /// The value at a dotted path; nil where nothing is.
    public func value(at path: String) -> DescriptionValue? {
        path.split(separator: ".").reduce(Optional(self)) { value, name in
            if case .object(let members)? = value { members[String(name)] } else { nil }
        }
    }

    /// Sets the value at a dotted path, such as `regularizer.weight`, and makes the objects on the way.
    ///
    /// - Throws: `DescriptionError` if a name of the path is empty, or leads into something that has no keys.
    public mutating func set(_ path: String, to value: DescriptionValue) throws(DescriptionError) {
        let names = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !names.contains("") else { throw DescriptionError("expected names with dots between", at: path) }
        try set(names[...], to: value)
    }

    /// Sets several values: names of kinds first, since another kind starts from its own defaults.
    public mutating func set(_ values: [(path: String, value: DescriptionValue)]) throws(DescriptionError) {
        func namesAKind(_ path: String) -> Bool { Self.nameKeys.contains { path.hasSuffix("." + $0) } }
        for (path, value) in values where namesAKind(path) { try set(path, to: value) }
        for (path, value) in values where !namesAKind(path) { try set(path, to: value) }
    }

    private mutating func set(_ names: ArraySlice<String>, to value: DescriptionValue) throws(DescriptionError) {
        guard let name = names.first else {
            self = value
            return
        }
        try DescriptionError.within(name) { () throws(DescriptionError) in
            if case .list(var values) = self {
                guard let index = Int(name), values.indices.contains(index) else {
                    throw DescriptionError("expected a position from 0 to \(values.count - 1)")
                }
                try values[index].set(names.dropFirst(), to: value)
                self = .list(values)
                return
            }
            guard case .object(var members) = asObject else { throw DescriptionError("there are no keys in \(self)") }
            if names.count == 1, Self.nameKeys.contains(name), members[name]?.asText != value.asText { members = [:] }
            var member = members[name] ?? .object([:])
            try member.set(names.dropFirst(), to: value)
            members[name] = member
            self = .object(members)
        }
    }

    /// A kind that is named alone as the object that it stands for.
    private var asObject: DescriptionValue {
        if case .null = self { return .object([:]) }
        return asText.map { .object(["name": .text($0)]) } ?? self
    }

    private var asText: String? {
        switch self {
        case .text(let text), .word(let text): text
        default: nil
        }
    }
}

extension [String: DescriptionValue] {
    /// Whether nothing says that these are of another kind.
    fileprivate func isOfKind(_ other: [String: DescriptionValue]) -> Bool {
        ["name", "layer"].allSatisfy { key in
            guard let own = self[key], let others = other[key] else { return true }
            return own == others
        }
    }
}
