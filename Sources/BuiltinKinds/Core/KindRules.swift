import APIModel
import Schema
import Units
import Values

/// The behaviour of a kind, put together from parts: most kinds need two or three of them.
struct KindRules: KindHooks {
    typealias Check = @Sendable (_ object: JSONValue, _ issues: inout [FieldIssue]) -> Void
    typealias Comparison = @Sendable (_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) -> Void

    /// The fields whose change counts as a new generation; none for kinds without generations.
    var generation: [String] = []
    /// How objects may be named.
    var name = NameRule.subdomain
    /// Defaults that depend on other fields.
    var complete: (@Sendable (inout JSONValue) -> Void)?
    /// What a new object starts with as its status.
    var status: JSONValue?
    /// What is wrong with an object.
    var check: Check?
    /// What an update may not do.
    var update: Comparison?
    /// Whether `check` holds for updates too.
    var checksUpdates = true
    /// What is wrong with a new status.
    var statusUpdate: Comparison?
    /// What to warn of.
    var warn: (@Sendable (JSONValue) -> [String])?
    /// The row of a table.
    var row: (@Sendable (TableRow) -> [JSONValue])?

    func defaults(_ object: inout JSONValue) { complete?(&object) }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        if !generation.isEmpty { Generation.start(&object) }
        if let status { object["status"] = status }
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        guard generation.contains(where: { object[$0] != old[$0] }) else { return }
        object.set(.integer((old["metadata"]?.number("generation") ?? 0) + 1), at: ["metadata", "generation"])
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        name.check(object, &issues)
        check?(object, &issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if checksUpdates { check?(object, &issues) }
        update?(object, old, &issues)
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        statusUpdate?(object, old, &issues)
        return issues
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] { warn?(object) ?? [] }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? { row?(TableRow(object: object, now: now)) }
}
