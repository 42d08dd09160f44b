import Values

/// Why a selector cannot be read.
public struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Upstream's words.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Selects objects by their labels: all requirements must hold. Kept sorted by key.
///
/// Source: apimachinery labels.
public struct LabelSelector: Sendable, Hashable {
    /// How a label is compared.
    public enum Operator: String, Sendable, Hashable {
        /// `=`
        case equals = "="
        /// `==`
        case doubleEquals = "=="
        /// `!=`
        case notEquals = "!="
        /// `in (…)`
        case isIn = "in"
        /// `notin (…)`
        case notIn = "notin"
        /// The key alone.
        case exists = "exists"
        /// `!key`
        case doesNotExist = "!"
        /// `>`
        case greaterThan = "gt"
        /// `<`
        case lessThan = "lt"
    }

    /// One condition on one label.
    public struct Requirement: Sendable, Hashable {
        /// The key of the label.
        public let key: String
        /// The comparison.
        public let op: Operator
        /// What is compared with, sorted.
        public let values: [String]

        /// A condition that is known to be valid.
        public init(unchecked key: String, _ op: Operator, _ values: [String]) {
            self.key = key
            self.op = op
            self.values = values.sorted { $0.compareBytes(with: $1) < 0 }
        }

        /// Checks key, operator and values.
        public init(_ key: String, _ op: Operator, _ values: [String]) throws(SelectorError) {
            let issues = Self.issues(key, op, values)
            guard issues.isEmpty else {
                throw SelectorError(issues.count == 1 ? issues[0] : "[\(issues.joined(separator: ", "))]")
            }
            self.init(unchecked: key, op, values)
        }

        /// True when the labels satisfy the condition.
        public func matches(_ labels: [String: String]) -> Bool { holds(for: labels[key]) }

        /// True when the condition holds for the value of its label, nil being no such label.
        public func holds(for value: String?) -> Bool {
            switch op {
            case .equals, .doubleEquals, .isIn: return value.map { values.contains($0) } ?? false
            case .notEquals, .notIn: return value.map { !values.contains($0) } ?? true
            case .exists: return value != nil
            case .doesNotExist: return value == nil
            case .greaterThan, .lessThan:
                guard let value, let number = Int64(value), values.count == 1, let bound = Int64(values[0]) else { return false }
                return op == .greaterThan ? number > bound : number < bound
            }
        }
    }

    /// All must hold. Empty: everything is selected.
    public let requirements: [Requirement]
    /// Selects nothing at all, whatever the labels.
    public let isNothing: Bool

    /// Selects every object.
    public static let everything = LabelSelector(requirements: [])
    /// Selects no object.
    public static let nothing = LabelSelector(requirements: [], isNothing: true)

    /// All of the requirements.
    public init(requirements: [Requirement]) { self.init(requirements: requirements, isNothing: false) }

    private init(requirements: [Requirement], isNothing: Bool) {
        var sorted = requirements
        if sorted.count > 1 {
            sorted = sorted.enumerated().sorted { a, b in
                let order = a.element.key.compareBytes(with: b.element.key)
                return order != 0 ? order < 0 : a.offset < b.offset
            }.map(\.element)
        }
        self.requirements = sorted
        self.isNothing = isNothing
    }

    /// Exactly these labels.
    public init(matchLabels: [String: String]) {
        self.init(requirements: matchLabels.map { Requirement(unchecked: $0.key, .equals, [$0.value]) })
    }

    /// True when every object is selected.
    public var isEverything: Bool { requirements.isEmpty && !isNothing }

    /// True when the labels satisfy every requirement.
    public func matches(_ labels: [String: String]) -> Bool {
        if isNothing { return false }
        for requirement in requirements where !requirement.matches(labels) { return false }
        return true
    }

    /// The value that a label must have, if an equality demands one.
    public func requiredValue(of key: String) -> String? {
        for requirement in requirements where requirement.key == key {
            switch requirement.op {
            case .equals, .doubleEquals, .isIn: if requirement.values.count == 1 { return requirement.values[0] }
            default: continue
            }
        }
        return nil
    }
}

extension LabelSelector {
    /// Reads a `metav1.LabelSelector` object (`matchLabels`, `matchExpressions`). `null` selects nothing, an empty
    /// object everything.
    public init(json: JSONValue?) throws(SelectorError) {
        guard let json, case .object(let object) = json else {
            self = .nothing
            return
        }
        var requirements: [Requirement] = []
        for (key, value) in object["matchLabels"]?.object ?? [:] {
            requirements.append(try Requirement(key, .equals, [value.string ?? ""]))
        }
        for expression in object["matchExpressions"]?.array ?? [] {
            let op: Operator
            switch expression["operator"]?.string ?? "" {
            case "In": op = .isIn
            case "NotIn": op = .notIn
            case "Exists": op = .exists
            case "DoesNotExist": op = .doesNotExist
            case let other: throw SelectorError("\"\(other)\" is not a valid label selector operator")
            }
            let values = (expression["values"]?.array ?? []).map { $0.string ?? "" }
            requirements.append(try Requirement(expression["key"]?.string ?? "", op, values))
        }
        self.init(requirements: requirements)
    }
}

extension LabelSelector: CustomStringConvertible {
    /// The selector in the syntax that `parse` reads.
    public var description: String { requirements.map(\.description).joined(separator: ",") }
}

extension LabelSelector.Requirement: CustomStringConvertible {
    /// The condition in the syntax of selectors.
    public var description: String {
        let list = values.joined(separator: ",")
        switch op {
        case .exists: return key
        case .doesNotExist: return "!\(key)"
        case .isIn, .notIn: return "\(key) \(op.rawValue) (\(list))"
        case .greaterThan: return "\(key)>\(list)"
        case .lessThan: return "\(key)<\(list)"
        case .equals, .doubleEquals, .notEquals: return "\(key)\(op.rawValue)\(list)"
        }
    }

    static func issues(_ key: String, _ op: LabelSelector.Operator, _ values: [String]) -> [String] {
        var issues: [String] = []
        if let issue = keyIssue(key, path: "key") { issues.append(issue) }
        let list = "[" + values.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        switch op {
        case .isIn, .notIn:
            if values.isEmpty {
                issues.append("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
            }
        case .equals, .doubleEquals, .notEquals:
            if values.count != 1 {
                issues.append("values: Invalid value: \(list): exact-match compatibility requires one single value")
            }
        case .exists, .doesNotExist:
            if !values.isEmpty {
                issues.append("values: Invalid value: \(list): values set must be empty for exists and does not exist")
            }
        case .greaterThan, .lessThan:
            if values.count != 1 {
                issues.append("values: Invalid value: \(list): for 'Gt', 'Lt' operators, exactly one value is required")
            }
            for (index, value) in values.enumerated() where Int64(value) == nil {
                issues.append(
                    "values[\(index)]: Invalid value: \"\(value)\": for 'Gt', 'Lt' operators, the value must be an integer"
                )
            }
        }
        for (index, value) in values.enumerated() {
            let problems = Names.labelValueIssues(value)
            if !problems.isEmpty {
                issues.append("values[\(index)][\(key)]: Invalid value: \"\(value)\": \(problems.joined(separator: "; "))")
            }
        }
        return issues
    }

    static func keyIssue(_ key: String, path: String) -> String? {
        let problems = Names.qualifiedNameIssues(key)
        if problems.isEmpty { return nil }
        return "\(path): Invalid value: \"\(key)\": \(problems.joined(separator: "; "))"
    }
}
