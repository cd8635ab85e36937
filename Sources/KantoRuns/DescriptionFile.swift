import KantoData
import KantoDescriptions
import KantoNN

extension DescriptionValue {
    /// The most that a configuration or a description may have, in bytes.
    private static let largestFile = 1 << 24

    /// What a JSON file holds.
    ///
    /// - Throws: `DataError` if it is missing or is not JSON, or a key stands twice in one object.
    public init(contentsOf path: String) throws {
        let bytes = try readFile(path, atMost: Self.largestFile)
        do throws(DescriptionError) { try self.init(json: bytes) } catch { throw DataError(.badInput, "\(path): \(error)") }
    }

    /// - Parameter bytes: a JSON text.
    /// - Throws: `DescriptionError` if it is not JSON, or a key stands twice in one object.
    public init(json bytes: [UInt8]) throws(DescriptionError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw DescriptionError("not JSON: it is no UTF-8 text") }
        do { self.init(try JSONValue(parsing: bytes)) } catch let fault as JSONFault {
            throw DescriptionError("byte \(fault.position): \(fault.reason)")
        } catch {
            throw DescriptionError("\(error)")
        }
    }

    private init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .boolean(let value): self = .boolean(value)
        case .number(let text): self = Int128(text).map { .integer($0) } ?? .number(Double(text) ?? .nan)
        case .text(let text): self = .text(text)
        case .list(let values): self = .list(values.map { DescriptionValue($0) })
        case .object(let members):
            self = .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, DescriptionValue($0.value)) }))
        }
    }
}
