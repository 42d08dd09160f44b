import CEL
import Schema
import Units
import Values

/// Compiles the rules of a schema and adds up what they may cost at worst.
///
/// Source: apiextensions validation (cel_validation.go).
struct RuleCheck {
    private let schema: JSONValue
    private let sites: [SchemaCheck.RuleSite]
    /// Whether the schema was accepted before, so that one expensive rule is tolerated.
    private let isUnchanged: Bool

    private static let ruleLimit: UInt64 = 10_000_000
    private static let schemaLimit: UInt64 = 100_000_000
    private static let requestBytes: UInt64 = 3 << 20
    private static let namedRules = 4

    init(_ schema: JSONValue, _ sites: [SchemaCheck.RuleSite], isUnchanged: Bool) {
        self.schema = schema
        self.sites = sites
        self.isUnchanged = isUnchanged
    }

    func issues(at path: FieldPath) -> [FieldIssue] {
        var compiler = StructuralCompiler()
        let index = compiler.addRoot(schema)
        let root = compiler.table().node(index)
        var issues: [FieldIssue] = []
        var costs = Costs()
        for site in sites { check(site, root, &costs, &issues) }
        guard costs.total > Self.schemaLimit else { return issues }
        for rule in costs.expensive.prefix(Self.namedRules) {
            let words = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
            issues.append(.forbidden(rule.path, words))
        }
        let name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        issues.append(.forbidden(path, Self.words(name, costs.total, Self.schemaLimit)))
        return issues
    }

    /// What all rules cost together, and which most.
    private struct Costs {
        var total: UInt64 = 0
        private var seen: [(path: FieldPath, cost: UInt64)] = []

        mutating func add(_ path: FieldPath, _ cost: UInt64) {
            total = total.addingReportingOverflow(cost).overflow ? .max : total + cost
            if cost >= RuleCheck.schemaLimit / 100 { seen.append((path, cost)) }
        }

        var expensive: [(path: FieldPath, cost: UInt64)] { seen.sorted { $0.cost > $1.cost } }
    }

    private func check(_ site: SchemaCheck.RuleSite, _ root: SchemaNode, _ costs: inout Costs, _ issues: inout [FieldIssue]) {
        guard let (node, most) = follow(site.steps, root) else { return }
        let isResource = site.steps.isEmpty || node.body.structural?.isEmbeddedResource == true
        let compiled = CompiledRules(node, isResource: isResource)
        let rules = site.path.child("x-kubernetes-validations")
        guard let size = compiled.minSerializedSize else {
            let words =
                "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert "
                + "structural schema to CEL declarations"
            issues.append(.internalError(rules, words))
            return
        }
        let cardinality = most ?? Self.requestBytes / UInt64(max(1, size + 1))
        for (index, rule) in compiled.rules.enumerated() {
            check(rule, rules.index(index), cardinality, site.uncorrelated, &costs, &issues)
        }
    }

    private func check(
        _ rule: CompiledRules.Rule,
        _ path: FieldPath,
        _ cardinality: UInt64,
        _ uncorrelated: FieldPath?,
        _ costs: inout Costs,
        _ issues: inout [FieldIssue]
    ) {
        switch rule.program {
        case .success(let program):
            let cost = Self.product(program.estimatedCost.max, cardinality)
            if cost > Self.ruleLimit, !isUnchanged {
                issues.append(.forbidden(path.child("rule"), Self.words("estimated rule cost", cost, Self.ruleLimit)))
            }
            costs.add(path.child("rule"), cost)
        case .failure(let problem): issues.append(Self.invalid(path.child("rule"), rule.source, problem.message))
        }
        if let problem = rule.messageProblem {
            issues.append(Self.invalid(path.child("messageExpression"), rule.source, problem.message))
        } else if let program = rule.messageProgram {
            let cost = program.estimatedCost.max
            let field = path.child("messageExpression")
            if cost > Self.ruleLimit, !isUnchanged {
                issues.append(.forbidden(field, Self.words("estimated messageExpression cost", cost, Self.ruleLimit)))
            }
            costs.add(field, cost)
        }
        if rule.usesOldSelf {
            guard let uncorrelated else { return }
            let words = "oldSelf cannot be used on the uncorrelatable portion of the schema within \(uncorrelated)"
            issues.append(.invalid(path.child("rule"), .string(rule.source.rule), words))
        } else if let flag = rule.source.optionalOldSelf {
            issues.append(.invalid(path.child("optionalOldSelf"), .bool(flag), "may not be set if oldSelf is not used in rule"))
        }
    }

    /// The schema at a place, and how often its values can occur; nil when nothing bounds that.
    private func follow(_ steps: [SchemaCheck.RuleStep], _ root: SchemaNode) -> (node: SchemaNode, most: UInt64?)? {
        var node = root
        var most: UInt64? = 1
        for step in steps {
            let bounds = node.body.structural?.bounds
            let factor: UInt64?
            let next: SchemaNode?
            switch step {
            case .property(let name):
                factor = 1
                next = node.field(name)?.node
            case .items:
                factor = bounds?.maxItems.map { UInt64(max(0, $0)) }
                next = node.element
            case .values:
                factor = bounds?.maxProperties.map { UInt64(max(0, $0)) }
                next = node.element
            }
            guard let next else { return nil }
            node = next
            if let known = most, let factor { most = Self.product(known, factor) } else { most = nil }
        }
        return (node, most)
    }

    private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .max : product
    }

    /// Upstream shows the rule as its inner type's JSON, in the order of Go's fields.
    private static func invalid(_ path: FieldPath, _ rule: StructuralRule, _ why: String) -> FieldIssue {
        func member(_ name: String, _ value: JSONValue) -> String {
            let text = String(decoding: value.encoded(), as: UTF8.self)
            return "\"\(name)\":" + text.replacing("<", with: "\\u003c").replacing(">", with: "\\u003e").replacing("&", with: "\\u0026")
        }
        let members = [
            member("Rule", .string(rule.rule)), member("Message", .string(rule.message)),
            member("MessageExpression", .string(rule.messageExpression)),
            member("Reason", rule.reason.isEmpty ? .null : .string(rule.reason)), member("FieldPath", .string(rule.fieldPath)),
            member("OptionalOldSelf", rule.optionalOldSelf.map { .bool($0) } ?? .null),
        ]
        return FieldIssue(kind: .invalid, path: path, detail: "{\(members.joined(separator: ","))}: \(why)")
    }

    static func words(_ name: String, _ cost: UInt64, _ limit: UInt64) -> String {
        let excess = Double(cost) / Double(limit)
        let factor: String
        if excess > 100 {
            factor = "more than 100x"
        } else if excess < 1.5 {
            factor = fixed(excess, 6) + "x"
        } else {
            factor = fixed(excess, 1) + "x"
        }
        return "\(name) exceeds budget by factor of \(factor) (try simplifying the rule, or adding maxItems, maxProperties, and "
            + "maxLength where arrays, maps, and strings are declared)"
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded(.toNearestOrEven))
        let fraction = String(scaled % scale)
        return "\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }
}
