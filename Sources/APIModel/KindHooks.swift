import Channels
import Schema
import Units
import Values

/// The behaviour of a kind that its schema cannot express. Every method is pure and synchronous, and does nothing by
/// default. `GoWordedHooks` passes all of them on: a new one has to be added there too.
public protocol KindHooks: Sendable {
    /// Defaults that depend on other fields; runs after the schema's own.
    func defaults(_ object: inout JSONValue)
    /// Clears what a client may not set at creation, and sets what the server owns.
    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext)
    /// Keeps what an update may not change; `generation` rises when the spec changes.
    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext)
    /// Keeps everything but the status.
    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext)
    /// Checks a new object.
    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue]
    /// Checks a changed object.
    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue]
    /// Checks a changed status.
    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue]
    /// Warnings to send with the response.
    func warnings(_ object: JSONValue, old: JSONValue?) -> [String]
    /// The cells of a table row; nil for the generic ones.
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]?
    /// The cell by whose number the rows of a list's table are ordered; nil for the order of names.
    var orderingCell: Int? { get }
    /// The value of a field label; nil to follow the descriptor's path.
    func fieldLabel(_ label: String, of object: JSONValue) -> String?
    /// How long a deletion waits, in seconds; nil when it does not.
    func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64?
    /// Adds what an object needs before it is marked as being deleted, such as a finalizer.
    func prepareForDeletion(_ object: inout JSONValue, now: Timestamp)
    /// Whether `restore` may change an object.
    var restores: Bool { get }
    /// Brings an object as it was stored once to what the kind says now. Returns whether it changed.
    func restore(_ object: inout JSONValue) -> Bool
}

extension KindHooks {
    /// Adds nothing.
    public func defaults(_ object: inout JSONValue) {}
    /// Changes nothing.
    public func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {}
    /// Changes nothing.
    public func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {}
    /// Changes nothing.
    public func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {}
    /// Finds nothing.
    public func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] { [] }
    /// Finds nothing.
    public func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] { [] }
    /// Finds nothing.
    public func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] { [] }
    /// Warns of nothing.
    public func warnings(_ object: JSONValue, old: JSONValue?) -> [String] { [] }
    /// Leaves the generic cells.
    public func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? { nil }
    /// Rows have the order of names.
    public var orderingCell: Int? { nil }
    /// Follows the descriptor's path.
    public func fieldLabel(_ label: String, of object: JSONValue) -> String? { nil }
    /// Does not wait.
    public func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64? { nil }
    /// Adds nothing.
    public func prepareForDeletion(_ object: inout JSONValue, now: Timestamp) {}
    /// Objects stay as they were stored.
    public var restores: Bool { false }
    /// Changes nothing.
    public func restore(_ object: inout JSONValue) -> Bool { false }
}

/// The hooks of a kind that needs none.
public struct NoHooks: KindHooks {
    /// Makes hooks that do nothing.
    public init() {}
}

/// What a hook may know besides the objects.
public struct HookContext: Sendable {
    /// The time of the request.
    public var now: Timestamp
    /// Where random names and uids come from.
    public var random: any RandomSource
    /// The name of the user who asks; empty for the server itself.
    public var user: String
    /// The groups of that user.
    public var groups: [String]
    /// The identifier of that user; empty when none is known.
    public var userID = ""
    /// What else is known of that user.
    public var userExtra: [String: [String]] = [:]
    /// Whether nothing will be stored.
    public var dryRun: Bool
    /// The namespace of the request; empty for cluster-scoped kinds.
    public var namespace: String
    /// The subresource of the request; empty for the object itself.
    public var subresource: String
    /// The version that the client speaks, such as `v1beta1`; empty when nobody says.
    public var version = ""

    /// Makes a context.
    public init(
        now: Timestamp,
        random: any RandomSource,
        user: String = "",
        groups: [String] = [],
        dryRun: Bool = false,
        namespace: String = "",
        subresource: String = ""
    ) {
        self.now = now
        self.random = random
        self.user = user
        self.groups = groups
        self.dryRun = dryRun
        self.namespace = namespace
        self.subresource = subresource
    }
}
