import Schema
import Values

/// What the records of ownership need to know about one write: its version, its type, its time, what the verb resets.
public struct OwnedWrite: Sendable {
    /// The version the write's fields are named in.
    public var apiVersion: String
    /// The type of the object in that version.
    public var schema: SchemaNode
    /// The time of the write, as RFC 3339 has it; empty to note none, as for scales.
    public var time: String
    /// What the verb resets whatever the client sends, and therefore nobody owns by it.
    public var reset: FieldSet
    /// What the write waits for, where versions are converted by a webhook.
    public var awaited: AwaitedConversions?
    /// An object of one version in another, with that version's type; nil when the version is not served.
    private let convert: @Sendable (_ object: JSONValue, _ from: String, _ to: String) -> (JSONValue, SchemaNode)?

    /// Describes a write.
    public init(
        apiVersion: String,
        schema: SchemaNode,
        time: String,
        reset: FieldSet = FieldSet(),
        awaited: AwaitedConversions? = nil,
        convert: @escaping @Sendable (_ object: JSONValue, _ from: String, _ to: String) -> (JSONValue, SchemaNode)? = { _, _, _ in nil }
    ) {
        self.apiVersion = apiVersion
        self.schema = schema
        self.time = time
        self.reset = reset
        self.awaited = awaited
        self.convert = convert
    }

    /// The time that is noted with what is written.
    var entryTime: String? { time.isEmpty ? nil : time }

    /// An object of this write's version in another version.
    func converted(_ object: JSONValue, _ version: String) -> (JSONValue, SchemaNode)? {
        converted(object, from: apiVersion, to: version)
    }

    func converted(_ object: JSONValue, from: String, to: String) -> (JSONValue, SchemaNode)? {
        if from == to, to == apiVersion { return (object, schema) }
        return convert(object, from, to)
    }

    /// The changes of this write as the other versions see them.
    func comparisons(_ old: JSONValue, _ new: JSONValue, _ changes: FieldOwnership.Changes) -> OwnedComparisons {
        OwnedComparisons(write: self, old: old, new: new, known: [apiVersion: changes])
    }

    /// What nobody owns: identity, and what the server sets.
    static let unowned: FieldSet = {
        let fields = [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion",
        ]
        return FieldSet(fields: [["apiVersion"], ["kind"], ["metadata"]] + fields.map { ["metadata", $0] })
    }()
}

/// The changes of one write in every version they are asked in, computed once each.
struct OwnedComparisons {
    let write: OwnedWrite
    let old: JSONValue
    let new: JSONValue
    var known: [String: FieldOwnership.Changes?]

    /// Nil when the version is not served any more.
    mutating func changes(in version: String) -> FieldOwnership.Changes? {
        if let found = known[version] { return found }
        var found: FieldOwnership.Changes?
        if let (before, schema) = write.converted(old, version), let (after, _) = write.converted(new, version) {
            found = FieldOwnership.compare(before, after, schema).excluding(write.reset)
        }
        known[version] = .some(found)
        return found
    }
}

/// The fields an apply would have taken from others.
public struct ApplyConflicts: Error, Sendable {
    /// The owners with what they own.
    public let conflicts: [(manager: ManagedFields.Manager, fields: FieldSet)]

    init(_ conflicts: [(manager: ManagedFields.Manager, fields: FieldSet)]) {
        self.conflicts = conflicts.sorted { Self.order($0.manager) < Self.order($1.manager) }
    }

    /// As the JSON of the managers would sort, like upstream's: who wrote a subresource comes before who wrote the whole.
    private static func order(_ manager: ManagedFields.Manager) -> (String, String, String, Int, String) {
        (manager.name, manager.operation, manager.apiVersion, manager.subresource.isEmpty ? 1 : 0, manager.subresource)
    }

    /// The fields of all owners together.
    public var fields: FieldSet { conflicts.reduce(FieldSet()) { $0.union($1.fields) } }

    /// The conflicts about other fields than these.
    public func excluding(_ allowed: FieldSet) -> ApplyConflicts {
        ApplyConflicts(conflicts.map { ($0.manager, $0.fields.subtracting(allowed)) }.filter { !$0.1.isEmpty })
    }

    /// The same conflicts with all owners named by one version, as a scale shows those of its object.
    public func shown(as version: String) -> ApplyConflicts {
        ApplyConflicts(
            conflicts.map {
                var manager = $0.manager
                manager.apiVersion = version
                return (manager, $0.fields)
            }
        )
    }

    /// The 409 that names owners and fields.
    public var error: APIError {
        let found = conflicts.map { (words: $0.manager.words, paths: $0.fields.paths) }
        let causes = found.flatMap { owner in
            owner.paths.map { APIError.Cause(reason: "FieldManagerConflict", message: "conflict with \(owner.words)", field: $0) }
        }
        if causes.count == 1 {
            return .applyConflict(causes, "Apply failed with 1 conflict: \(causes[0].message): \(causes[0].field)")
        }
        let lines = found.flatMap { owner in ["conflicts with \(owner.words):"] + owner.paths.map { "- \($0)" } }
        return .applyConflict(causes, "Apply failed with \(causes.count) conflicts: \(lines.joined(separator: "\n"))")
    }
}
