import Schema
import Units
import Values

/// Who owns which fields of an object: `metadata.managedFields`, and what an apply or an update does to it. After
/// upstream's field manager, step by step.
public struct ManagedFields: Sendable {
    /// Who writes: what tells one entry of the list from another.
    public struct Manager: Sendable, Hashable {
        /// The manager's name, such as `kubectl-client-side-apply`.
        public var name: String
        /// `Apply` or `Update`.
        public var operation: String
        /// The version the fields are named in; empty for applies, which have one entry for all versions.
        public var apiVersion: String
        /// The subresource written through; empty for the object itself.
        public var subresource: String

        /// Names a manager.
        public init(name: String, operation: String, apiVersion: String, subresource: String = "") {
            self.name = name
            self.operation = operation
            self.apiVersion = operation == Self.apply ? "" : apiVersion
            self.subresource = subresource
        }

        static let apply = "Apply"
        static let update = "Update"

        var isApplier: Bool { operation == Self.apply }

        /// As conflicts print it.
        var words: String {
            var text = GoQuote.quote(name)
            if !subresource.isEmpty { text += " with subresource \(GoQuote.quote(subresource))" }
            if !isApplier { text += " using \(apiVersion)" }
            return text
        }
    }

    /// What one manager owns.
    public struct Entry: Sendable, Hashable {
        /// Who.
        public var manager: Manager
        /// The version the fields are named in.
        public var apiVersion: String
        /// What.
        public var fields: FieldSet
        /// The time of the manager's last change, as RFC 3339 has it; nil when it changed nothing yet.
        public var time: String?
    }

    /// The entries, in no particular order.
    public private(set) var entries: [Entry]

    /// So many entries of updates are kept apart; the oldest are merged beyond.
    static let maxUpdaters = 10
    private static let ancient = "ancient-changes"

    /// Nobody owns anything.
    public init() { entries = [] }

    /// Reads the list of an object that this server stored.
    public init(trusted list: JSONValue?) {
        entries = (list?.array ?? []).map { item in
            Entry(
                manager: Self.manager(item),
                apiVersion: item["apiVersion"]?.string ?? "",
                fields: FieldSet(trusted: item["fieldsV1"]),
                time: item["time"]?.string
            )
        }
    }

    /// Reads the list a client sent; nil when it is malformed.
    public init?(checking list: JSONValue?) {
        entries = []
        for item in list?.array ?? [] {
            let operation = item["operation"]?.string ?? ""
            guard operation == Manager.apply || operation == Manager.update, let fields = FieldSet(json: item["fieldsV1"] ?? [:])
            else { return nil }
            let version = item["apiVersion"]?.string ?? ""
            entries.append(Entry(manager: Self.manager(item), apiVersion: version, fields: fields, time: item["time"]?.string))
        }
    }

    private static func manager(_ item: JSONValue) -> Manager {
        Manager(
            name: item["manager"]?.string ?? "",
            operation: item["operation"]?.string ?? "",
            apiVersion: item["apiVersion"]?.string ?? "",
            subresource: item["subresource"]?.string ?? ""
        )
    }

    /// The list for the object: applies before updates, then by time, then by name; nil when nobody owns anything.
    public var json: JSONValue? {
        guard !entries.isEmpty else { return nil }
        let sorted = entries.sorted { left, right in
            let (a, b) = (left.manager, right.manager)
            if a.operation != b.operation { return a.operation < b.operation }
            let times = (left.time ?? "", right.time ?? "")
            if times.0 != times.1 { return times.0 < times.1 }
            if a.name != b.name { return a.name < b.name }
            if left.apiVersion != right.apiVersion { return left.apiVersion < right.apiVersion }
            return a.subresource < b.subresource
        }
        return .array(sorted.map(\.json))
    }

    /// What a manager owns.
    public func fields(of manager: Manager) -> FieldSet? { entries.first { $0.manager == manager }?.fields }

    private func index(of manager: Manager) -> Int? { entries.firstIndex { $0.manager == manager } }

    // MARK: Writes

    /// Notes an update: what changed belongs to the manager now.
    public mutating func update(from old: JSONValue, to new: JSONValue, by manager: Manager, _ write: OwnedWrite) {
        let changes = FieldOwnership.compare(old, new, write.schema).excluding(write.reset)
        guard !changes.isEmpty else { return }
        reconcile(old, write)
        let written = changes.modified.union(changes.added)
        var others = write.comparisons(old, new, changes)
        release(except: nil, &others)
        let owned = written.subtracting(OwnedWrite.unowned)
        guard !owned.isEmpty else { return }
        if let index = index(of: manager) {
            entries[index].fields = entries[index].fields.union(owned)
            entries[index].time = write.entryTime
        } else {
            entries.append(Entry(manager: manager, apiVersion: write.apiVersion, fields: owned, time: write.entryTime))
        }
        cap()
    }

    /// Applies a configuration. Returns the new object without its managed fields; throws the conflicts when another
    /// manager owns a field with another value, unless forced.
    public mutating func apply(
        _ configuration: JSONValue,
        to live: JSONValue,
        by manager: Manager,
        _ write: OwnedWrite,
        force: Bool
    ) throws(ApplyConflicts) -> JSONValue {
        reconcile(live, write)
        let claimed = FieldOwnership.claimed(by: configuration, write.schema).excluding(write.reset)
        var result = FieldOwnership.merge(live, configuration, write.schema)
        let last = index(of: manager).map { entries[$0] }
        if let index = index(of: manager) { entries.remove(at: index) }
        let own = Entry(manager: manager, apiVersion: write.apiVersion, fields: claimed, time: last?.time)
        if let last, !last.fields.isEmpty { result = pruned(result, last, own, write) }
        let changes = FieldOwnership.compare(live, result, write.schema).excluding(write.reset)
        var others = write.comparisons(live, result, changes)
        if !force {
            let conflicts = conflicts(&others)
            guard conflicts.isEmpty else { throw ApplyConflicts(conflicts) }
        }
        release(except: manager, &others)
        let owned = claimed.subtracting(OwnedWrite.unowned)
        if !owned.isEmpty {
            let isUnchanged = live == result
            entries.append(
                Entry(manager: manager, apiVersion: write.apiVersion, fields: owned, time: isUnchanged ? last?.time : write.entryTime)
            )
        }
        return result
    }

    /// Brings what is owned to the schemas of today; only custom resources change theirs.
    private mutating func reconcile(_ live: JSONValue, _ write: OwnedWrite) {
        guard !write.schema.body.isBuiltin else { return }
        for index in entries.indices {
            let version = entries[index].apiVersion
            guard let schema = version == write.apiVersion ? write.schema : write.converted(live, version)?.1,
                let fields = FieldOwnership.reconciled(entries[index].fields, schema)
            else { continue }
            entries[index].fields = fields
        }
    }

    private func conflicts(_ others: inout OwnedComparisons) -> [(manager: Manager, fields: FieldSet)] {
        var found: [(manager: Manager, fields: FieldSet)] = []
        for entry in entries {
            guard let changes = others.changes(in: entry.apiVersion) else { continue }
            let both = entry.fields.intersection(changes.modified.union(changes.added))
            if !both.isEmpty { found.append((entry.manager, both)) }
        }
        return found
    }

    /// Takes from everybody else what was written or removed; entries in a version nobody serves any more go.
    private mutating func release(except manager: Manager?, _ others: inout OwnedComparisons) {
        var kept: [Entry] = []
        kept.reserveCapacity(entries.count)
        for var entry in entries {
            if entry.manager != manager {
                guard let changes = others.changes(in: entry.apiVersion) else { continue }
                entry.fields = entry.fields.subtracting(changes.modified).subtracting(changes.added).subtracting(changes.removed)
            }
            if !entry.fields.isEmpty { kept.append(entry) }
        }
        entries = kept
    }

    /// Removes what the manager applied last time, does not apply now, and nobody else owns.
    private func pruned(_ merged: JSONValue, _ last: Entry, _ own: Entry, _ write: OwnedWrite) -> JSONValue {
        guard let (base, schema) = write.converted(merged, last.apiVersion) else { return merged }
        let lastNamed = FieldOwnership.withNamedFields(last.fields, schema)
        var pruned = FieldOwnership.removing(lastNamed, from: base, schema)
        var owned: [String: FieldSet] = [:]
        for entry in entries + [own] {
            owned[entry.apiVersion, default: FieldSet()] = owned[entry.apiVersion, default: FieldSet()].union(entry.fields)
        }
        let versions = owned.keys.sorted { ($0 == last.apiVersion ? 0 : 1, $0) < ($1 == last.apiVersion ? 0 : 1, $1) }
        // Both go from version to version, so that each is converted once.
        var (merged, at) = (base, last.apiVersion)
        for version in versions {
            guard let set = owned[version], let (whole, schema) = write.converted(merged, from: at, to: version),
                let (rest, _) = write.converted(pruned, from: at, to: version)
            else { continue }
            func named(_ set: FieldSet) -> FieldSet { FieldOwnership.withNamedFields(set, schema) }
            let all = named(FieldOwnership.claimed(by: whole, schema))
            let left = named(FieldOwnership.claimed(by: rest, schema))
            pruned = FieldOwnership.removing(all.subtracting(left.union(named(set))), from: whole, schema)
            (merged, at) = (whole, version)
        }
        pruned = write.converted(pruned, from: at, to: last.apiVersion)?.0 ?? pruned
        let all = FieldOwnership.withNamedFields(FieldOwnership.claimed(by: base, schema), schema)
        let left = FieldOwnership.withNamedFields(FieldOwnership.claimed(by: pruned, schema), schema)
        let result = FieldOwnership.removing(all.subtracting(left).intersection(lastNamed), from: base, schema)
        return write.converted(result, from: last.apiVersion, to: write.apiVersion)?.0 ?? result
    }

    /// Merges the oldest updates of each version until few enough are left.
    private mutating func cap() {
        let updaters = entries.filter { !$0.manager.isApplier }.sorted {
            ($0.time ?? "", $0.manager.name) < ($1.time ?? "", $1.manager.name)
        }
        var count = updaters.count
        guard count > Self.maxUpdaters else { return }
        var first: [String: Manager] = [:]
        for updater in updaters where count > Self.maxUpdaters {
            let version = updater.apiVersion
            guard let oldest = first[version] else {
                first[version] = updater.manager
                continue
            }
            let bucket = Manager(name: Self.ancient, operation: Manager.update, apiVersion: version)
            if index(of: bucket) == nil, let place = index(of: oldest) { entries[place].manager = bucket }
            guard let place = index(of: bucket), let merged = index(of: updater.manager), place != merged else { continue }
            entries[place].fields = entries[place].fields.union(updater.fields)
            entries[place].time = updater.time
            entries.remove(at: merged)
            count -= 1
        }
    }
}

extension ManagedFields.Entry {
    fileprivate var json: JSONValue {
        var item = JSONObject()
        item["apiVersion"] = .string(apiVersion)
        item["fieldsType"] = "FieldsV1"
        item["fieldsV1"] = fields.json
        if !manager.name.isEmpty { item["manager"] = .string(manager.name) }
        item["operation"] = .string(manager.operation)
        if !manager.subresource.isEmpty { item["subresource"] = .string(manager.subresource) }
        if let time { item["time"] = .string(time) }
        return .object(item)
    }
}
