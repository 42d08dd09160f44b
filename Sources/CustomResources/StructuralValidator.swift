import Schema
import Units
import Values

/// Checks a custom resource against its schema, in upstream's words and order.
///
/// What was wrong before a change and has not changed is left alone (ratcheting): an object stored under an older schema
/// stays editable.
///
/// Source: kube-openapi validation/validate, apiextensions-apiserver apiserver/validation.
struct StructuralValidator {
    /// One thing that is wrong, not yet placed in the object.
    struct Problem {
        /// Relative to the value checked; nil is said of the whole.
        var path: String?
        var issue: (FieldPath) -> FieldIssue
        /// Equal problems are told once.
        var text: String
    }

    /// What a check found, and how much fitted: of several alternatives the one that fits best is explained.
    struct Outcome {
        var problems: [Problem] = []
        var matches = 0

        mutating func merge(_ other: Outcome) {
            for problem in other.problems { add(problem) }
            matches += other.matches
        }

        mutating func add(_ problem: Problem) {
            guard !problems.contains(where: { $0.text == problem.text }) else { return }
            problems.append(problem)
        }
    }

    private static let whole = FieldPath("<nil>")

    /// The issues of a value. With `old`, what has not changed is not looked at again.
    static func issues(_ value: JSONValue, old: JSONValue? = nil, _ node: SchemaNode, at base: FieldPath?) -> [FieldIssue] {
        let outcome = StructuralValidator().validate(value, old, node, "")
        return outcome.problems.map { problem in
            guard let path = problem.path else { return problem.issue(base ?? whole) }
            let trimmed = path.hasPrefix(".") ? String(path.dropFirst()) : path
            guard !trimmed.isEmpty else { return problem.issue(base ?? whole) }
            return problem.issue((base ?? .root).child(trimmed))
        }
    }

    /// - Parameter old: The value before, when it is known which one it was; an unchanged value has no issues.
    private func validate(_ value: JSONValue, _ old: JSONValue?, _ node: SchemaNode, _ path: String) -> Outcome {
        var outcome = check(value, old, node, path)
        if !outcome.problems.isEmpty, let old, Correlation.isSame(value, old, node) { outcome.problems = [] }
        return outcome
    }

    private func check(_ value: JSONValue, _ old: JSONValue?, _ node: SchemaNode, _ path: String) -> Outcome {
        var outcome = Outcome()
        let body = node.body
        guard let facts = body.structural else { return outcome }
        if case .null = value {
            outcome.merge(types(value, node, facts, path))
            outcome.merge(allowed(value, body, path))
            return outcome
        }
        if !facts.type.isEmpty || node.shape == .intOrString || !body.format.isEmpty {
            outcome.merge(types(value, node, facts, path))
            outcome.matches += 1
        }
        outcome.merge(junctions(value, old, facts, path))
        outcome.matches += 1
        switch value {
        case .string(let text):
            outcome.merge(string(text, facts, path))
            outcome.matches += 1
            if let format = StringFormat.known(body.format, type: facts.type) {
                if !format.accepts(text) { outcome.add(.type(path, body.format, text)) }
                outcome.matches += 1
            }
        case .integer, .number:
            outcome.merge(NumberCheck.run(value, facts, body.format, path))
            outcome.matches += 1
        case .array(let list):
            outcome.merge(elements(list, old, node, facts, path))
            outcome.matches += 1
        default: break
        }
        outcome.merge(allowed(value, body, path))
        outcome.matches += 1
        if case .object(let object) = value {
            outcome.merge(members(object, old, node, facts, path))
            outcome.matches += 1
        }
        outcome.matches += 1
        return outcome
    }

    // MARK: Types and values

    private func types(_ value: JSONValue, _ node: SchemaNode, _ facts: StructuralFacts, _ path: String) -> Outcome {
        var outcome = Outcome(matches: 1)
        let expected = node.shape == .intOrString ? ["integer", "string"] : facts.type.isEmpty ? [] : [facts.type]
        let found = value.schemaType
        let format = StringFormat.kept(node.body.format, type: facts.type)
        if case .null = value {
            if !expected.isEmpty, !expected.contains("null"), !node.nullable {
                return Outcome(problems: [.type(path, expected.joined(separator: ","), "null")])
            }
            return outcome
        }
        let isText: Bool
        switch value {
        case .string, .array: isText = true
        default: isText = false
        }
        let isWhole = found == "number" && value.isWhole && expected.contains("integer")
        let isCounted = found == "integer" && expected.contains("number")
        let fits = expected.contains(found) || isWhole || isCounted
        if !isText, !format.isEmpty, !fits, value.goFormat != format {
            return Outcome(problems: [.type(path, format, value.goFormat)])
        }
        if !expected.contains("number"), !expected.contains("integer"), !format.isEmpty, isText { return outcome }
        if expected.isEmpty { return outcome }
        if !fits { outcome = Outcome(problems: [.type(path, expected.joined(separator: ","), found)]) }
        return outcome
    }

    private func allowed(_ value: JSONValue, _ body: SchemaBody, _ path: String) -> Outcome {
        guard !body.enumValues.isEmpty else { return Outcome() }
        let isAllowed = body.enumValues.contains { candidate in
            if candidate == value { return candidate != .null }
            guard let number = candidate.double, let own = value.double else { return false }
            return number == own
        }
        if isAllowed { return Outcome() }
        let words = body.enumValues.map { $0.string ?? $0.description }
        return Outcome(problems: [
            Problem(path: path, issue: { .notSupported($0, value, words) }, text: "\(path) enum \(words)")
        ])
    }

    private func string(_ text: String, _ facts: StructuralFacts, _ path: String) -> Outcome {
        let length = text.unicodeScalars.count
        if let most = facts.bounds?.maxLength, length > most {
            return Outcome(problems: [
                Problem(path: path, issue: { .tooLong($0, maximum: most) }, text: "\(path) too long")
            ])
        }
        if let least = facts.bounds?.minLength, length < least {
            return Outcome(problems: [.invalid(path, .string(text), "should be at least \(least) chars long")])
        }
        if !facts.pattern.isEmpty {
            switch Patterns.matches(text, facts.pattern) {
            case .success(true): break
            case .success(false): return Outcome(problems: [.invalid(path, .string(text), "should match '\(facts.pattern)'")])
            case .failure(let error):
                let words = "should match '\(facts.pattern), but pattern is invalid: \(error.message)'"
                return Outcome(problems: [.invalid(path, .string(text), words)])
            }
        }
        return Outcome()
    }

    // MARK: What is inside

    private func elements(
        _ list: [JSONValue],
        _ old: JSONValue?,
        _ node: SchemaNode,
        _ facts: StructuralFacts,
        _ path: String
    ) -> Outcome {
        var outcome = Outcome()
        if let element = node.element {
            let correlation = Correlation(list: old?.array, node)
            for (index, item) in list.enumerated() {
                outcome.merge(validate(item, correlation?.old(of: item), element, "\(path)[\(index)]"))
            }
        }
        let count = JSONValue(list.count)
        if let least = facts.bounds?.minItems, list.count < least {
            outcome.add(.invalid(path, count, "should have at least \(least) items"))
        }
        if let most = facts.bounds?.maxItems, list.count > most {
            outcome.add(
                Problem(path: path, issue: { .tooMany($0, actual: list.count, maximum: most) }, text: "\(path) too many items")
            )
        }
        if facts.bounds?.uniqueItems == true, Set(list).count < list.count {
            outcome.add(.invalid(path, "", "shouldn't contain duplicates"))
        }
        outcome.matches += 1
        return outcome
    }

    private func members(
        _ object: JSONObject,
        _ old: JSONValue?,
        _ node: SchemaNode,
        _ facts: StructuralFacts,
        _ path: String
    ) -> Outcome {
        var outcome = Outcome()
        let count = JSONValue(object.count)
        if let least = facts.bounds?.minProperties, object.count < least {
            outcome.add(.invalid(path, count, "should have at least \(least) properties"))
        }
        if let most = facts.bounds?.maxProperties, object.count > most {
            outcome.add(
                Problem(path: path, issue: { .tooMany($0, actual: object.count, maximum: most) }, text: "\(path) too many")
            )
        }
        let body = node.body
        for (key, item) in object {
            var next = node.field(key)?.node
            if next?.body.isBuiltin == true { next = key == "metadata" ? facts.metadata : nil }
            let isRegular = next != nil || node.field(key) != nil
            if !isRegular { next = body.element }
            guard let next else { continue }
            let here = isRegular && path.isEmpty ? key : "\(path).\(key)"
            // What kind of object it is cannot have been wrong before: the server writes it.
            let isIdentity = path.isEmpty && (key == "kind" || key == "apiVersion")
            outcome.merge(validate(item, isIdentity ? nil : old?[key], next, here))
        }
        for name in facts.required where object[name] == nil {
            outcome.add(Problem(path: "\(path).\(name)", issue: { .required($0) }, text: "\(path).\(name) required"))
        }
        return outcome
    }

    // MARK: Several schemas at once

    private func junctions(_ value: JSONValue, _ old: JSONValue?, _ facts: StructuralFacts, _ path: String) -> Outcome {
        var outcome = Outcome(matches: 1)
        if !facts.anyOf.isEmpty { outcome.merge(anyOf(value, old, facts, path)) }
        if !facts.oneOf.isEmpty { outcome.merge(oneOf(value, old, facts, path)) }
        if !facts.allOf.isEmpty {
            var valid = 0
            for schema in facts.allOf {
                let result = check(value, old, schema, path)
                if result.problems.isEmpty { valid += 1 }
                outcome.merge(result)
            }
            if valid < facts.allOf.count {
                let more = valid == 0 ? ". None validated" : ""
                outcome.add(.whole("\(GoQuote.quote(path)) must validate all the schemas (allOf)\(more)"))
            }
        }
        if let not = facts.not, check(value, old, not, path).problems.isEmpty {
            outcome.add(.whole("\(GoQuote.quote(path)) must not validate the schema (not)"))
        }
        return outcome
    }

    private func anyOf(_ value: JSONValue, _ old: JSONValue?, _ facts: StructuralFacts, _ path: String) -> Outcome {
        var best: Outcome?
        for schema in facts.anyOf {
            let result = check(value, old, schema, path)
            if result.problems.isEmpty { return result }
            if result.matches > best?.matches ?? -1 { best = result }
        }
        var outcome = Outcome(problems: [.whole("\(GoQuote.quote(path)) must validate at least one schema (anyOf)")])
        if let best { outcome.merge(best) }
        return outcome
    }

    private func oneOf(_ value: JSONValue, _ old: JSONValue?, _ facts: StructuralFacts, _ path: String) -> Outcome {
        var best: Outcome?
        var first: Outcome?
        var valid = 0
        for schema in facts.oneOf {
            let result = check(value, old, schema, path)
            if result.problems.isEmpty {
                valid += 1
                best = nil
                first = first ?? result
            } else if valid == 0, result.matches > best?.matches ?? -1 {
                best = result
            }
        }
        if valid == 1 { return first ?? Outcome() }
        let found = valid == 0 ? "Found none valid" : "Found \(valid) valid alternatives"
        var outcome = Outcome(problems: [.whole("\(GoQuote.quote(path)) must validate one and only one schema (oneOf). \(found)")])
        if let best { outcome.merge(best) }
        return outcome
    }
}

extension StructuralValidator.Problem {
    /// The value is invalid: `<path> in body <why>`.
    static func invalid(_ path: String, _ value: JSONValue, _ why: String) -> Self {
        let text = "\(path) in body \(why)"
        return Self(path: path, issue: { .invalid($0, value, text) }, text: text)
    }

    /// The value has the wrong type or format.
    static func type(_ path: String, _ expected: String, _ found: String) -> Self {
        let text = "\(path) in body must be of type \(expected): \(GoQuote.quote(found))"
        return Self(path: path, issue: { .typeInvalid($0, .string(found), text) }, text: text)
    }

    /// Said of the whole object rather than of a field, as upstream does.
    static func whole(_ text: String) -> Self {
        Self(path: nil, issue: { .invalid($0, "", text) }, text: text)
    }
}

extension JSONValue {
    /// The OpenAPI type of a value.
    var schemaType: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The format upstream finds in a value that has none.
    var goFormat: String {
        switch self {
        case .integer: "int64"
        case .number: "float64"
        default: ""
        }
    }

    /// The largest number whose neighbours a `Double` can tell apart; beyond it upstream takes no float for a whole number.
    private static let largestExact = 9_007_199_254_740_991.0

    /// Whether a number has no fraction.
    var isWhole: Bool {
        switch self {
        case .integer: true
        case .number(let number): number.rounded() == number && number.magnitude <= Self.largestExact
        default: false
        }
    }
}
