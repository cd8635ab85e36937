/// One of several kinds of a thing, such as a layer or an optimizer, which descriptions tell apart by name.
public protocol NamedDescription: Describable {
    /// How descriptions name it.
    static var name: String { get }
}

extension NamedDescription {
    public static var name: String { "\(Self.self)" }
    public static var keys: [DescriptionKey<Self>] { [] }
}

/// The kinds that there are of a thing, a row each.
public protocol KindFamily {
    /// Keys that all kinds have.
    associatedtype Common: Describable = NoCommonKeys
    /// What they are kinds of, for errors: "layer".
    static var noun: String { get }
    /// The key under which a description names its kind.
    static var nameKey: String { get }
    static var kinds: [any NamedDescription.Type] { get }
    /// The kind of a description that names none; nil if each must.
    static var standard: (any NamedDescription.Type)? { get }
}

extension KindFamily {
    /// `name`.
    public static var nameKey: String { "name" }
    public static var standard: (any NamedDescription.Type)? { nil }
}

/// What kinds have in common that have nothing in common.
public struct NoCommonKeys: Describable {
    public init() {}
    public static let keys: [DescriptionKey<Self>] = []
}

/// A kind with its values: `{"name": "adam", "learning_rate": 1e-4, "beta2": 0.9}`, or the name alone where no key is given.
public struct Choice<Family: KindFamily>: DescriptionConvertible {
    /// What all kinds of the family have.
    public var common: Family.Common
    /// The kind, with its own values.
    public var kind: any NamedDescription

    package init(kind: any NamedDescription, common: Family.Common = Family.Common()) {
        (self.kind, self.common) = (kind, common)
    }

    /// The kind's name.
    public var name: String { type(of: kind).name }

    /// Reads a name, or an object that holds it.
    ///
    /// - Throws: `DescriptionError`, with the key and the nearest name.
    public init(_ value: DescriptionValue) throws(DescriptionError) {
        var members: [String: DescriptionValue] = [:]
        var name: String?
        switch value {
        case .text(let text), .word(let text): name = text
        case .object(let object):
            members = object
            if let value = members.removeValue(forKey: Family.nameKey) {
                name = try DescriptionError.within(Family.nameKey) { () throws(DescriptionError) in try String(value) }
            }
        default:
            throw DescriptionError(
                "expected a \(Family.noun): its name, or an object with the key '\(Family.nameKey)', found \(value)")
        }
        let kind: any NamedDescription.Type
        if let name {
            guard let named = Family.kinds.first(where: { $0.name == name }) else {
                throw DescriptionError(unknown(Family.noun, name, among: Family.kinds.map { $0.name }))
            }
            kind = named
        } else if let standard = Family.standard {
            kind = standard
        } else {
            throw DescriptionError("'\(Family.nameKey)' is missing, the \(Family.noun)'s name")
        }
        var shared: [String: DescriptionValue] = [:]
        for key in Family.Common.keys { shared[key.name] = members.removeValue(forKey: key.name) }
        common = try Family.Common(.object(shared))
        self.kind = try DescriptionError.naming(kind.name) { () throws(DescriptionError) in
            try kind.make(.object(members), alsoValid: Family.Common.keys.map(\.name) + [Family.nameKey])
        }
    }

    /// As it is read: the name alone where nothing else differs from the standard.
    public func described(isWhole: Bool) -> DescriptionValue {
        guard case .object(var members) = kind.described(isWhole: isWhole),
            case .object(let shared) = common.described(isWhole: isWhole)
        else { return .text(name) }
        members.merge(shared) { own, _ in own }
        guard !members.isEmpty else { return .text(name) }
        members[Family.nameKey] = .text(name)
        return .object(members)
    }

    public static func == (a: Choice, b: Choice) -> Bool { a.descriptionValue == b.descriptionValue }
    public func hash(into hasher: inout Hasher) { hasher.combine(descriptionValue) }
}

extension NamedDescription {
    fileprivate static func make(_ value: DescriptionValue, alsoValid: [String]) throws(DescriptionError) -> any NamedDescription
    {
        try Self(value, alsoValid: alsoValid)
    }
}

extension DescriptionError {
    /// Puts a kind's name before the reason of what `body` throws.
    package static func naming<R>(_ name: String, _ body: () throws(DescriptionError) -> R) throws(DescriptionError) -> R {
        do { return try body() } catch { throw DescriptionError("\(name): \(error.reason)", at: error.path) }
    }
}
