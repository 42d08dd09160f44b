import Values

/// The defaults below one object, by path: what upstream's defaulting functions add whatever the rest of the object
/// says, or depending on one neighbouring field. Kinds share the rules of the structs they share.
public final class DefaultRules: Sendable {
    /// When a rule applies, told by a field of the same object.
    public struct Condition: Sendable {
        /// The tests.
        public enum Test: UInt8, Sendable {
            /// The field equals one of the values.
            case equals = 0
            /// The field equals none of the values.
            case differs = 1
            /// The field is absent.
            case absent = 2
            /// The field is there.
            case present = 3
        }
        /// The field looked at.
        public let field: String
        /// The test.
        public let test: Test
        /// The values compared with; an absent field reads as "".
        public let values: [String]

        /// Describes a condition.
        public init(field: String, test: Test, values: [String] = []) {
            self.field = field
            self.test = test
            self.values = values
        }
    }

    /// The rule for one field. A class so that walking the rules costs one reference count each.
    public final class Rule: Sendable {
        /// The field.
        public let field: String
        /// What is set when the field is absent; nil when only something below it is.
        public let value: JSONValue?
        /// Whether zero counts as absent: the field is not a pointer in Go.
        public let replacesZero: Bool
        /// Whether an absent struct is created so that its own defaults take effect.
        public let creates: Bool
        /// When the rule applies, or when the struct is created.
        public let condition: Condition?
        /// The rules below, for a struct, or for each element of a list or map.
        public let below: DefaultRules?

        /// Describes a rule.
        public init(
            field: String,
            value: JSONValue?,
            replacesZero: Bool,
            creates: Bool,
            condition: Condition?,
            below: DefaultRules?
        ) {
            self.field = field
            self.value = value
            self.replacesZero = replacesZero
            self.creates = creates
            self.condition = condition
            self.below = below
        }
    }

    /// The rules, by field.
    public let rules: [Rule]

    private let hasConditions: Bool

    /// Collects rules.
    public init(rules: [Rule]) {
        self.rules = rules
        self.hasConditions = rules.contains { $0.condition != nil }
    }

    /// Adds what is missing.
    public func apply(to object: inout JSONObject) {
        guard hasConditions else {
            for rule in rules { rule.apply(to: &object, holds: true) }
            return
        }
        // A condition looks at the object as the client sent it, so all are decided before the first default is set.
        let holds = rules.map { rule in rule.condition.map { $0.holds(in: object) } ?? true }
        for (rule, holds) in zip(rules, holds) { rule.apply(to: &object, holds: holds) }
    }
}

extension DefaultRules.Condition {
    func holds(in object: JSONObject) -> Bool {
        let value = object[field].flatMap { $0 == .null ? nil : $0 }
        switch test {
        case .absent: return value == nil
        case .present: return value != nil
        case .equals: return values.contains(text(value))
        case .differs: return !values.contains(text(value))
        }
    }

    private func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { return text }
        return ""
    }
}

extension DefaultRules.Rule {
    func apply(to object: inout JSONObject, holds: Bool) {
        let present = isPresent(object[field])
        if let value {
            if !present, holds { object[field] = value }
            return
        }
        guard let below else { return }
        if !present {
            guard creates, holds else { return }
            object[field] = .object([:])
        }
        object.update(field) { below.applyBelow(&$0) }
    }

    private func isPresent(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null?: false
        case .string(let text)?: !(replacesZero && text.isEmpty)
        case .integer(let number)?: !(replacesZero && number == 0)
        case .bool(let flag)?: !(replacesZero && !flag)
        case .array(let list)?: !(replacesZero && list.isEmpty)
        default: true
        }
    }
}

extension DefaultRules {
    fileprivate func applyBelow(_ value: inout JSONValue) {
        switch value {
        case .object(var object):
            value = .null
            apply(to: &object)
            value = .object(object)
        case .array(var list):
            value = .null
            for index in list.indices { applyBelow(&list[index]) }
            value = .array(list)
        default: break
        }
    }
}
