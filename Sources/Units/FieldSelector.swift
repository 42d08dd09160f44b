/// Selects objects by the values of fields: `metadata.name=x,spec.nodeName!=y`.
///
/// Source: apimachinery fields.
public struct FieldSelector: Sendable, Hashable {
    /// How a field is compared.
    public enum Operator: String, Sendable, Hashable {
        /// `=` or `==`
        case equals = "="
        /// `!=`
        case notEquals = "!="
    }

    /// One condition on one field.
    public struct Requirement: Sendable, Hashable {
        /// The label of the field, such as `status.phase`.
        public let field: String
        /// The comparison.
        public let op: Operator
        /// What is compared with, unescaped.
        public let value: String

        /// A condition.
        public init(field: String, op: Operator, value: String) {
            self.field = field
            self.op = op
            self.value = value
        }
    }

    /// All must hold.
    public let requirements: [Requirement]

    /// Selects every object.
    public static let everything = FieldSelector(requirements: [])

    /// All of the requirements.
    public init(requirements: [Requirement]) { self.requirements = requirements }

    /// True when every object is selected.
    public var isEverything: Bool { requirements.isEmpty }

    /// Reads the syntax of `kubectl --field-selector`; a backslash escapes comma, equals sign and backslash.
    public static func parse(_ text: String) throws(SelectorError) -> FieldSelector {
        var requirements: [Requirement] = []
        for term in terms(text).sorted() where !term.isEmpty {
            guard let split = split(term) else {
                throw SelectorError("invalid selector: '\(text)'; can't understand '\(term)'")
            }
            requirements.append(Requirement(field: split.field, op: split.op, value: try unescape(split.value)))
        }
        return FieldSelector(requirements: requirements)
    }

    /// True when every requirement holds for what `value` returns for its field (nil counts as empty).
    public func matches(_ value: (String) -> String?) -> Bool {
        for requirement in requirements {
            let isEqual = (value(requirement.field) ?? "") == requirement.value
            if isEqual != (requirement.op == .equals) { return false }
        }
        return true
    }

    /// The value a field must have, if the selector demands one.
    public func requiredValue(of field: String) -> String? {
        requirements.first { $0.field == field && $0.op == .equals }?.value
    }

    private static func terms(_ text: String) -> [String] {
        var terms: [String] = []
        var term = ""
        var escaped = false
        for scalar in text.unicodeScalars {
            if scalar == ",", !escaped {
                terms.append(term)
                term = ""
                continue
            }
            escaped = !escaped && scalar == "\\"
            term.unicodeScalars.append(scalar)
        }
        return terms + [term]
    }

    /// By bytes: an equals sign counts whatever accent follows it.
    private static func split(_ term: String) -> (field: String, op: Operator, value: String)? {
        let bytes = Array(term.utf8)
        guard var index = bytes.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        var op = Operator.equals
        var end = index + 1
        if index > 0, bytes[index - 1] == UInt8(ascii: "!") {
            index -= 1
            op = .notEquals
        } else if end < bytes.count, bytes[end] == UInt8(ascii: "=") {
            end += 1
        }
        return (String(decoding: bytes[..<index], as: UTF8.self), op, String(decoding: bytes[end...], as: UTF8.self))
    }

    private static func unescape(_ text: String) throws(SelectorError) -> String {
        var out = ""
        var escaped = false
        for scalar in text.unicodeScalars {
            if escaped {
                guard scalar == "\\" || scalar == "," || scalar == "=" else {
                    throw SelectorError("invalid field selector: invalid escape sequence: \\\(scalar)")
                }
                out.unicodeScalars.append(scalar)
                escaped = false
            } else if scalar == "\\" {
                escaped = true
            } else if scalar == "," || scalar == "=" {
                throw SelectorError("invalid field selector: unescaped character in value: \(scalar.value)")
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        if escaped { throw SelectorError("invalid field selector: invalid escape sequence: \\") }
        return out
    }
}

extension FieldSelector: CustomStringConvertible {
    /// The selector in the syntax that `parse` reads.
    public var description: String {
        requirements.map { requirement in
            var value = ""
            for scalar in requirement.value.unicodeScalars {
                if scalar == "\\" || scalar == "," || scalar == "=" { value += "\\" }
                value.unicodeScalars.append(scalar)
            }
            return requirement.field + requirement.op.rawValue + value
        }.joined(separator: ",")
    }
}
