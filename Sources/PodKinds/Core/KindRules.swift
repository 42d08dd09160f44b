import APIModel
import Schema
import Units
import Values

/// The behaviour of a kind, put together from parts: most kinds need two or three of them.
package struct KindRules: KindHooks {
    package typealias Check = @Sendable (_ object: JSONValue, _ issues: inout [FieldIssue]) -> Void
    package typealias Comparison = @Sendable (_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) -> Void

    package typealias Preparation = @Sendable (_ object: inout JSONValue, _ old: JSONValue?, _ context: HookContext) -> Void

    /// The fields whose change counts as a new generation; none for kinds without generations.
    package var generation: [String] = []
    /// How objects may be named.
    package var name = NameRule.subdomain
    /// Defaults that depend on other fields.
    package var complete: (@Sendable (inout JSONValue) -> Void)?
    /// What a new object starts with as its status.
    package var status: JSONValue?
    /// What is wrong with an object.
    package var check: Check?
    /// What an update may not do.
    package var update: Comparison?
    /// What is wrong with an object, given the one it replaces (nil for a new one), where the version of the request counts.
    package var checkAs: (@Sendable (JSONValue, JSONValue?, HookContext, inout [FieldIssue]) -> Void)?
    /// What is wrong with a new object alone.
    package var create: Check?
    /// Whether `check` holds for updates too.
    package var checksUpdates = true
    /// What is wrong with a new status.
    package var statusUpdate: Comparison?
    /// What to warn of.
    package var warn: (@Sendable (JSONValue) -> [String])?
    /// What to warn of, given the object that is replaced; nil for a new one.
    package var warnChange: (@Sendable (JSONValue, JSONValue?) -> [String])?
    /// Takes away what no one may set, given the object that is replaced; nil for a new one.
    package var prepare: Preparation?
    /// Takes away what no one may set in a status.
    package var prepareStatus: Preparation?
    /// The row of a table.
    package var row: (@Sendable (TableRow) -> [JSONValue])?
    /// The cell by whose number the rows of a list are ordered; nil for the order of names.
    package var orderingCell: Int?

    /// Puts a kind together from what it needs.
    package init(
        generation: [String] = [],
        name: NameRule = .subdomain,
        complete: (@Sendable (inout JSONValue) -> Void)? = nil,
        status: JSONValue? = nil,
        check: Check? = nil,
        update: Comparison? = nil,
        create: Check? = nil,
        checksUpdates: Bool = true,
        statusUpdate: Comparison? = nil,
        warn: (@Sendable (JSONValue) -> [String])? = nil,
        warnChange: (@Sendable (JSONValue, JSONValue?) -> [String])? = nil,
        prepare: Preparation? = nil,
        prepareStatus: Preparation? = nil,
        row: (@Sendable (TableRow) -> [JSONValue])? = nil,
        orderingCell: Int? = nil
    ) {
        self.generation = generation
        self.name = name
        self.complete = complete
        self.status = status
        self.check = check
        self.update = update
        self.create = create
        self.checksUpdates = checksUpdates
        self.statusUpdate = statusUpdate
        self.warn = warn
        self.warnChange = warnChange
        self.prepare = prepare
        self.prepareStatus = prepareStatus
        self.row = row
        self.orderingCell = orderingCell
    }

    package func defaults(_ object: inout JSONValue) { complete?(&object) }

    package func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        if !generation.isEmpty { Generation.start(&object) }
        if let status { object["status"] = status }
        prepare?(&object, nil, context)
    }

    package func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        prepare?(&object, old, context)
        guard generation.contains(where: { object[$0] != old[$0] }) else { return }
        object.set(.integer((old["metadata"]?.number("generation") ?? 0) + 1), at: ["metadata", "generation"])
    }

    package func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        prepareStatus?(&object, old, context)
    }

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        name.check(object, &issues)
        check?(object, &issues)
        create?(object, &issues)
        checkAs?(object, nil, context, &issues)
        return issues
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if checksUpdates { check?(object, &issues) }
        update?(object, old, &issues)
        checkAs?(object, old, context, &issues)
        return issues
    }

    package func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        statusUpdate?(object, old, &issues)
        return issues
    }

    package func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        (warn?(object) ?? []) + (warnChange?(object, old) ?? [])
    }

    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? { row?(TableRow(object: object, now: now)) }
}
