import Schema
import Units
import Values

/// Who owns which fields of an object: `metadata.managedFields`, and what an apply or an update does to it.
public struct ManagedFields: Sendable {
    /// Who writes: one entry of the list.
    public struct Manager: Sendable, Hashable {
        /// The manager's name, such as `kubectl-client-side-apply`.
        public var name: String
        /// `Apply` or `Update`.
        public var operation: String
        /// The version the fields are named in.
        public var apiVersion: String
        /// The subresource written through; empty for the object itself.
        public var subresource: String

        /// Names a manager.
        public init(name: String, operation: String, apiVersion: String, subresource: String = "") {
            self.name = name
            self.operation = operation
            self.apiVersion = apiVersion
            self.subresource = subresource
        }

        /// As conflicts print it.
        var words: String {
            var text = GoQuote.quote(name)
            if !subresource.isEmpty { text += " with subresource \(GoQuote.quote(subresource))" }
            if operation == "Update" { text += " using \(apiVersion)" }
            return text
        }
    }

    /// What each manager owns, with the time of its last change.
    public private(set) var entries: [Manager: (fields: FieldSet, time: Timestamp?)]

    /// Reads an object's entries. A malformed entry is dropped, as upstream does.
    public init(of object: JSONValue) {
        entries = [:]
        let meta: ObjectMeta = object.object?.lens("metadata") ?? ObjectMeta()
        for entry in meta.managedFields {
            guard let fields = entry.fieldsV1.flatMap(FieldSet.init(json:)) else { continue }
            let manager = Manager(
                name: entry.manager,
                operation: entry.operation,
                apiVersion: entry.apiVersion,
                subresource: entry.subresource
            )
            entries[manager] = (fields, entry.time)
        }
    }

    /// The list for the object: applies before updates, then by time, then by name.
    public var json: JSONValue {
        let sorted = entries.sorted { left, right in
            if left.key.operation != right.key.operation { return left.key.operation < right.key.operation }
            let times = (left.value.time?.rfc3339 ?? "", right.value.time?.rfc3339 ?? "")
            if times.0 != times.1 { return times.0 < times.1 }
            return (left.key.name, left.key.subresource) < (right.key.name, right.key.subresource)
        }
        return .array(
            sorted.map { manager, state in
                ManagedFieldsEntry {
                    $0.manager = manager.name
                    $0.operation = manager.operation
                    $0.apiVersion = manager.apiVersion
                    $0.time = state.time
                    $0.fieldsType = "FieldsV1"
                    $0.fieldsV1 = state.fields.json
                    $0.subresource = manager.subresource
                }.value
            }
        )
    }

    /// Applies a configuration. Returns the new object without its managed fields; throws upstream's conflict when
    /// another manager owns a field with another value, unless forced.
    public mutating func apply(
        _ configuration: JSONValue,
        to live: JSONValue,
        by manager: Manager,
        schema: SchemaNode,
        now: Timestamp,
        force: Bool
    ) throws(APIError) -> JSONValue {
        let claimed = FieldOwnership.claimed(by: configuration, schema)
        let previous = entries[manager]?.fields ?? FieldSet()
        let others = entries.filter { $0.key != manager }.values.reduce(FieldSet()) { $0.union($1.fields) }
        var result = FieldOwnership.merge(live, configuration, schema)
        let given = previous.subtracting(claimed)
        result = FieldOwnership.remove(given, from: result, keeping: others.union(claimed), schema)
        let changes = FieldOwnership.compare(live, result, schema)
        try settle(changes, manager: manager, force: force)
        let owned = claimed.subtracting(Self.unowned)
        let unchanged = entries[manager]?.fields == owned && live == result
        entries[manager] = owned.isEmpty ? nil : (owned, unchanged ? entries[manager]?.time : now)
        return result
    }

    /// Notes an update: what changed belongs to the manager now.
    public mutating func update(
        from old: JSONValue,
        to new: JSONValue,
        by manager: Manager,
        schema: SchemaNode,
        now: Timestamp
    ) {
        let changes = FieldOwnership.compare(old, new, schema)
        release(changes.modified.union(changes.added).union(changes.removed), except: manager)
        let before = entries[manager]?.fields ?? FieldSet()
        let owned = before.subtracting(changes.removed).union(changes.modified).union(changes.added)
            .subtracting(Self.unowned)
        let time = owned == before && changes.isEmpty(besides: Self.unowned) ? entries[manager]?.time : now
        entries[manager] = owned.isEmpty ? nil : (owned, time)
    }

    private mutating func settle(_ changes: FieldOwnership.Changes, manager: Manager, force: Bool) throws(APIError) {
        let written = changes.modified.union(changes.added)
        var conflicts: [(manager: Manager, fields: FieldSet)] = []
        for (other, state) in entries where other != manager {
            let both = state.fields.intersection(written)
            if !both.isEmpty { conflicts.append((other, both)) }
        }
        guard force || conflicts.isEmpty else { throw Self.conflict(conflicts) }
        release(written.union(changes.removed), except: manager)
    }

    private mutating func release(_ fields: FieldSet, except manager: Manager) {
        for (other, state) in entries where other != manager {
            let rest = state.fields.subtracting(fields)
            entries[other] = rest.isEmpty ? nil : (rest, state.time)
        }
    }

    private static func conflict(_ found: [(manager: Manager, fields: FieldSet)]) -> APIError {
        let sorted = found.map { ($0.manager.words, $0.fields.paths) }.sorted { $0.0 < $1.0 }
        let causes = sorted.flatMap { words, paths in
            paths.map {
                APIError.Cause(reason: "FieldManagerConflict", message: "conflict with \(words)", field: $0)
            }
        }
        if causes.count == 1 {
            return .applyConflict(causes, "Apply failed with 1 conflict: \(causes[0].message): \(causes[0].field)")
        }
        let lines = sorted.flatMap { words, paths in ["conflicts with \(words):"] + paths.map { "- \($0)" } }
        return .applyConflict(
            causes,
            "Apply failed with \(causes.count) conflicts: \(lines.joined(separator: "\n"))"
        )
    }

    /// What nobody owns: identity, and what the server sets.
    private static let unowned: FieldSet = {
        var set = FieldSet()
        for name in ["apiVersion", "kind", "metadata"] { set.insert([.field(name)]) }
        let fields = [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion",
        ]
        for name in fields { set.insert([.field("metadata"), .field(name)]) }
        return set
    }()
}

extension FieldOwnership.Changes {
    fileprivate func isEmpty(besides ignored: FieldSet) -> Bool {
        added.union(modified).union(removed).subtracting(ignored).isEmpty
    }
}
