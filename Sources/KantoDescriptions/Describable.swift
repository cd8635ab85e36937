import KantoKernels

/// Something that is written down as an object of keys and values, and made from it: a layer, a loss, a run.
///
/// The keys are stated once. Reading, writing, the errors and the dotted paths of `--set` all follow from them.
public protocol Describable: DescriptionConvertible {
    /// The defaults. What has none is `isRequired` among the keys.
    init()
    static var keys: [DescriptionKey<Self>] { get }
    /// - Throws: `DescriptionError` if values that make sense one by one do not together.
    func validate() throws(DescriptionError)
}

/// A key of a description: its name, the property it stands for, and which values make sense.
public struct DescriptionKey<Root: Sendable>: Sendable {
    /// As it stands in a configuration: words with `_` between them.
    public let name: String
    /// Whether a description without it is an error.
    public let isRequired: Bool
    fileprivate let read: @Sendable (Root, _ isWhole: Bool) -> DescriptionValue
    fileprivate let write: @Sendable (inout Root, DescriptionValue) throws(DescriptionError) -> Void

    /// - Parameters:
    ///   - expected: what `isValid` demands, for errors; nil if any value makes sense.
    public init<Value: DescriptionConvertible>(
        _ name: String, _ property: WritableKeyPath<Root, Value> & Sendable, isRequired: Bool = false, expected: String? = nil,
        where isValid: @escaping @Sendable (Value) -> Bool = { _ in true }
    ) {
        self.name = name
        self.isRequired = isRequired
        read = { $0[keyPath: property].described(isWhole: $1) }
        write = { (root: inout Root, described: DescriptionValue) throws(DescriptionError) in
            func unexpected() -> DescriptionError { DescriptionError("expected \(expected!), found \(described)") }
            let value: Value
            do throws(DescriptionError) { value = try Value(described) } catch {
                // Of what is in the value the error says more.
                throw expected == nil || !error.path.isEmpty ? error : unexpected()
            }
            guard isValid(value) else { throw unexpected() }
            root[keyPath: property] = value
        }
    }

    /// A key whose value lies in a range.
    public init<Value: DescriptionConvertible & Comparable>(
        _ name: String, _ property: WritableKeyPath<Root, Value> & Sendable, in range: ClosedRange<Value>,
        isRequired: Bool = false
    ) {
        let kind = Value.self == Double.self ? "number" : "whole number"
        let greatest = Double.greatestFiniteMagnitude as? Value
        let expected =
            range.upperBound == greatest
            ? "a \(kind) of at least \(range.lowerBound.descriptionValue)"
            : "a \(kind) from \(range.lowerBound.descriptionValue) to \(range.upperBound.descriptionValue)"
        self.init(name, property, isRequired: isRequired, expected: expected) { range.contains($0) }
    }
}

extension Describable {
    public func validate() throws(DescriptionError) {}

    /// Reads an object of the type's keys; what is missing keeps its standard value.
    ///
    /// - Throws: `DescriptionError` for an unknown key, with the nearest one, and for a wrong value.
    public init(_ value: DescriptionValue) throws(DescriptionError) { try self.init(value, alsoValid: []) }

    /// - Parameter alsoValid: keys that somebody else has read, for the nearest name of one that is unknown.
    package init(_ value: DescriptionValue, alsoValid: [String]) throws(DescriptionError) {
        guard case .object(let members) = value else { throw DescriptionError("expected an object, found \(value)") }
        self.init()
        for name in members.keys.sorted() where !Self.keys.contains(where: { $0.name == name }) {
            throw DescriptionError(unknown("key", name, among: Self.keys.map(\.name) + alsoValid))
        }
        for key in Self.keys {
            guard let member = members[key.name] else {
                guard !key.isRequired else { throw DescriptionError("'\(key.name)' is missing") }
                continue
            }
            try DescriptionError.within(key.name) { () throws(DescriptionError) in try key.write(&self, member) }
        }
        try validate()
    }

    /// What is required and what differs from the defaults, or everything.
    public func described(isWhole: Bool) -> DescriptionValue {
        let defaults = Self()
        var members: [String: DescriptionValue] = [:]
        for key in Self.keys {
            let value = key.read(self, isWhole)
            if key.isRequired || isWhole && value != .null || value != key.read(defaults, isWhole) { members[key.name] = value }
        }
        return .object(members)
    }
}

/// That there is no key, layer or other thing of that name, and what was meant.
package func unknown(_ noun: String, _ name: String, among names: [String]) -> String {
    unknownName("there is no \(noun)", name, plural: noun + (noun.hasSuffix("s") ? "es" : "s"), known: names)
}

extension DescriptionKey {
    /// The key of a part, as one of the whole.
    public init<Part>(_ key: DescriptionKey<Part>, of part: WritableKeyPath<Root, Part> & Sendable) {
        (name, isRequired) = (key.name, key.isRequired)
        read = { key.read($0[keyPath: part], $1) }
        write = { (root: inout Root, value: DescriptionValue) throws(DescriptionError) in
            try key.write(&root[keyPath: part], value)
        }
    }
}
