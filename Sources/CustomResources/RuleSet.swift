import CEL
import Schema
import Synchronization
import Units
import Values

/// The rules (`x-kubernetes-validations`) of one schema, each compiled when the first value it speaks of is checked.
/// Guarded by its mutex.
///
/// Source: apiextensions-apiserver schema/cel/validation.go.
final class RuleSet: Sendable {
    private let schema: SchemaNode
    private let isResource: Bool
    let isEmpty: Bool
    private let compiled = Mutex<[ObjectIdentifier: CompiledRules]>([:])

    /// So long all rules of one object may take; their cost is bounded, too.
    private static let patience = Duration.seconds(10)

    /// - Parameter isResource: Whether the schema is that of a whole object.
    init(_ schema: SchemaNode, isResource: Bool = true) {
        self.schema = schema
        self.isResource = isResource
        isEmpty = schema.body.structural?.hasRules != true
    }

    /// The issues of a value. With `old`, rules about changes are asked, too, and what has not changed is left alone.
    func issues(_ value: JSONValue, old: JSONValue?, at path: FieldPath = .root) -> [FieldIssue] {
        guard !isEmpty else { return [] }
        var run = RuleRun(set: self, deadline: ContinuousClock.now + Self.patience)
        let ratchet = old.map { Ratchet(current: Ratchet.Pair(new: value, old: $0, node: schema)) } ?? Ratchet()
        run.check(value, old, schema, path, ratchet, isResource: isResource)
        return run.issues
    }

    /// The compiled rules of a schema; equal schemas share them.
    fileprivate func rules(of node: SchemaNode, isResource: Bool) -> CompiledRules {
        let id = ObjectIdentifier(node)
        if let known = compiled.withLock({ $0[id] }) { return known }
        let made = CompiledRules(node, isResource: isResource)
        return compiled.withLock { compiled in
            if let known = compiled[id] { return known }
            compiled[id] = made
            return made
        }
    }
}

/// The rules of one schema, compiled. Keeps the schema, so that its identity stays its own.
final class CompiledRules: Sendable {
    /// One rule.
    struct Rule: Sendable {
        let source: StructuralRule
        let program: Result<CELProgram, CompileProblem>
        let messageProgram: CELProgram?
        let messageProblem: CompileProblem?
        /// The field an issue is about, relative to the value.
        let fieldPath: String
        let usesOldSelf: Bool
    }

    /// Why a rule cannot be asked.
    struct CompileProblem: Error, Sendable {
        let message: String
    }

    let node: SchemaNode
    /// The schema as expressions see it.
    let shown: SchemaNode
    let rules: [Rule]
    /// What the checker knows of the value; nil when expressions cannot see it.
    let minSerializedSize: Int64?

    init(_ node: SchemaNode, isResource: Bool) {
        self.node = node
        shown = isResource ? Self.resource(node) : node
        let declared = CELDeclType.from(schema: shown, name: "selfType", isResourceRoot: isResource)
        minSerializedSize = declared?.minSerializedSize
        let schema = shown
        rules = (node.body.structural?.rules ?? []).map { rule in
            guard let declared else {
                let problem = CompileProblem(message: "failed to convert to declType for CEL validation rules")
                return Rule(
                    source: rule,
                    program: .failure(problem),
                    messageProgram: nil,
                    messageProblem: nil,
                    fieldPath: "",
                    usesOldSelf: false
                )
            }
            return Self.compile(rule, declared, schema)
        }
    }

    /// Of a whole object expressions see its kind, its name and what its own schema has.
    private static func resource(_ node: SchemaNode) -> SchemaNode {
        let string = SchemaNode.scalar(.string)
        let names = ["generateName", "name"].map { SchemaField(name: $0, node: string, traits: [.omitEmpty, .pointer]) }
        let facts = StructuralFacts(type: "object")
        let metadata = SchemaNode(shape: .object, body: SchemaBody(fields: names, structural: facts))
        let body = node.body
        let fields = body.fields.map { field in
            guard field.node.body.isBuiltin else { return field }
            return SchemaField(name: field.name, node: field.name == "metadata" ? metadata : string, traits: field.traits)
        }
        return SchemaNode(
            shape: node.shape,
            body: SchemaBody(
                fields: fields,
                element: body.element,
                preservesUnknownFields: body.preservesUnknownFields,
                limits: body.limits,
                structural: body.structural
            )
        )
    }

    private static func compile(_ rule: StructuralRule, _ declared: CELDeclType, _ schema: SchemaNode) -> Rule {
        let environment = CELEnvironment(variables: [
            CELVariable("self", declared), CELVariable("oldSelf", declared, isOptional: rule.optionalOldSelf == true),
        ])
        var program: Result<CELProgram, CompileProblem>
        do throws(CELIssues) {
            let made = try environment.compile(rule.rule)
            let isBool = made.outputType == .bool
            program = isBool ? .success(made) : .failure(CompileProblem(message: "cel expression must evaluate to a bool"))
        } catch {
            program = .failure(
                CompileProblem(message: "\(error.isInstantiation ? "program instantiation" : "compilation") failed: \(error.description)")
            )
        }
        var message: CELProgram?
        var problem: CompileProblem?
        if case .success = program, !rule.messageExpression.isEmpty {
            do throws(CELIssues) {
                let made = try environment.compile(rule.messageExpression)
                if made.outputType == .string {
                    message = made
                } else {
                    problem = CompileProblem(message: "messageExpression must evaluate to a string")
                }
            } catch {
                problem = CompileProblem(
                    message: "messageExpression \(error.isInstantiation ? "instantiation" : "compilation") failed: \(error.description)"
                )
            }
        }
        var uses = false
        if case .success(let made) = program { uses = made.uses("oldSelf") }
        return Rule(
            source: rule,
            program: program,
            messageProgram: message,
            messageProblem: problem,
            fieldPath: rule.fieldPath.isEmpty ? "" : SchemaPath.normalized(rule.fieldPath, in: schema),
            usesOldSelf: uses
        )
    }
}

/// Whether a part of an object has changed, for rules that were broken before.
struct Ratchet {
    struct Pair {
        let new: JSONValue
        let old: JSONValue
        let node: SchemaNode
    }

    var current: Pair?
    var parent: Pair?

    /// Whether an issue is left alone because nothing has changed here.
    var holds: Bool {
        guard let pair = current ?? parent else { return false }
        return Correlation.isSame(pair.new, pair.old, pair.node)
    }

    func key(_ name: String) -> Ratchet {
        guard let current else { return self }
        if parent == nil, name == "apiVersion" || name == "kind" { return Ratchet() }
        var next = Ratchet(parent: current)
        if let new = current.new[name], let old = current.old[name],
            let node = current.node.field(name)?.node ?? current.node.element
        {
            next.current = Pair(new: new, old: old, node: node)
        }
        return next
    }

    func element(_ item: JSONValue, old: JSONValue?) -> Ratchet {
        guard let current else { return self }
        var next = Ratchet(parent: current)
        if let old, let node = current.node.element { next.current = Pair(new: item, old: old, node: node) }
        return next
    }
}

/// One check of one object: what was found, and what may still be spent.
private struct RuleRun {
    private let set: RuleSet
    private var budget: CELBudget
    private var isOver = false
    private(set) var issues: [FieldIssue] = []

    private static let longestMessage = 5 * 1024
    private static let noBudget = "validation failed due to running out of cost budget, no further validation rules will be run"

    init(set: RuleSet, deadline: ContinuousClock.Instant) {
        self.set = set
        budget = CELBudget(deadline: deadline)
    }

    mutating func check(
        _ value: JSONValue,
        _ old: JSONValue?,
        _ node: SchemaNode,
        _ path: FieldPath,
        _ ratchet: Ratchet,
        isResource: Bool = false
    ) {
        guard !isOver, !value.isNull, let facts = node.body.structural, facts.hasRules else { return }
        let isWhole = isResource || facts.isEmbeddedResource
        if !facts.rules.isEmpty { ask(value, old, node, path, ratchet, isWhole) }
        switch value {
        case .object(let object):
            for (key, item) in object {
                if let field = node.field(key) {
                    check(item, old?[key], field.node, path.child(key), ratchet.key(key))
                } else if let element = node.element {
                    check(item, old?[key], element, path.key(key), ratchet.key(key))
                }
            }
        case .array(let list):
            guard let element = node.element else { return }
            let correlation = Correlation(list: old?.array, node)
            for (index, item) in list.enumerated() {
                let before = correlation?.old(of: item)
                check(item, before, element, path.index(index), ratchet.element(item, old: before))
            }
        default: break
        }
    }

    private mutating func ask(
        _ value: JSONValue,
        _ old: JSONValue?,
        _ node: SchemaNode,
        _ path: FieldPath,
        _ ratchet: Ratchet,
        _ isResource: Bool
    ) {
        let compiled = set.rules(of: node, isResource: isResource)
        let type = JSONValue.string(node.body.structural?.type ?? "")
        let values: (own: CELValue, old: CELValue?)
        do throws(CELError) {
            values.own = try CELValue(value, schema: compiled.shown)
            values.old = try old.flatMap { before throws(CELError) in
                before.isNull ? nil : try CELValue(before, schema: compiled.shown)
            }
        } catch {
            issues.append(.invalid(Self.shown(path), type, error.message))
            return
        }
        for rule in compiled.rules {
            guard !isOver else { return }
            ask(rule, value, values, type, path, ratchet)
        }
    }

    private mutating func ask(
        _ rule: CompiledRules.Rule,
        _ value: JSONValue,
        _ values: (own: CELValue, old: CELValue?),
        _ type: JSONValue,
        _ path: FieldPath,
        _ ratchet: Ratchet
    ) {
        let program: CELProgram
        switch rule.program {
        case .success(let made): program = made
        case .failure(let problem):
            issues.append(.invalid(Self.shown(path), type, "rule compile error: \(problem.message)"))
            return
        }
        let isOptional = rule.source.optionalOldSelf == true
        if rule.usesOldSelf, values.old == nil, !isOptional { return }
        var bindings = ["self": values.own]
        if isOptional {
            bindings["oldSelf"] = .optional(CELOptional(values.old))
        } else if let old = values.old {
            bindings["oldSelf"] = old
        }
        let result = program.evaluate(CELValues(bindings), budget: &budget)
        guard !budget.isExhausted else { return end(.invalid(Self.shown(path), type, Self.noBudget)) }
        switch result {
        case .success(let outcome):
            if outcome.bool == true { return }
            broken(rule, value, CELValues(bindings), type, path, ratchet)
        case .failure(let error): failed(rule, error, type, path)
        }
    }

    private mutating func failed(_ rule: CompiledRules.Rule, _ error: CELError, _ type: JSONValue, _ path: FieldPath) {
        let words = Self.words(of: rule.source)
        let field = Self.shown(path)
        if error.kind == .costLimit {
            let text = "'\(error.message)': no further validation rules will be run due to call cost exceeds limit for rule: \(words)"
            end(.invalid(field, type, text))
        } else if error.kind != .evaluation {
            end(.invalid(field, type, "\(error.message) evaluating rule: \(words)"))
        } else if error.message.hasPrefix("no such overload") {
            let text =
                "'\(error.message)': call arguments did not match a supported operator, function or macro signature for rule: \(words)"
            issues.append(.invalid(field, type, text))
        } else {
            issues.append(.invalid(field, type, "\(error.message) evaluating rule: \(words)"))
        }
    }

    private mutating func broken(
        _ rule: CompiledRules.Rule,
        _ value: JSONValue,
        _ bindings: CELValues,
        _ type: JSONValue,
        _ path: FieldPath,
        _ ratchet: Ratchet
    ) {
        var detail = Self.defaultMessage(rule.source)
        if let program = rule.messageProgram {
            let result = program.evaluate(bindings, budget: &budget)
            if budget.isExhausted {
                let text = "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run"
                return end(.invalid(Self.shown(path), type, text))
            }
            if case .success(let text) = result, let usable = Self.usable(text.string) { detail = usable }
        }
        guard rule.usesOldSelf || !ratchet.holds else { return }
        let field = Self.shown(rule.fieldPath.isEmpty ? path : path.child(rule.fieldPath))
        let isCompound = type == "object" || type == "array"
        switch rule.source.reason {
        case "FieldValueForbidden": issues.append(.forbidden(field, detail))
        case "FieldValueRequired": issues.append(.required(field, detail))
        case "FieldValueDuplicate": issues.append(FieldIssue(kind: .duplicate, path: field, badValue: isCompound ? nil : value))
        default: issues.append(FieldIssue(kind: .invalid, path: field, badValue: isCompound ? nil : value, detail: detail))
        }
    }

    private mutating func end(_ issue: FieldIssue) {
        issues.append(issue)
        isOver = true
    }

    private static func shown(_ path: FieldPath) -> FieldPath { path == .root ? FieldPath("<nil>") : path }

    /// A message an expression made, if it can be shown.
    private static func usable(_ text: String?) -> String? {
        guard let text = text.map(trimmed), !text.isEmpty, text.utf8.count <= longestMessage, !text.contains("\n") else { return nil }
        return text
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    private static func words(of rule: StructuralRule) -> String { trimmed(rule.message.isEmpty ? rule.rule : rule.message) }

    private static func defaultMessage(_ rule: StructuralRule) -> String {
        rule.message.isEmpty ? "failed rule: \(words(of: rule))" : trimmed(rule.message)
    }
}
