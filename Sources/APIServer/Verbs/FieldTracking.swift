import APIModel
import HTTPTransport
import Schema
import Units
import Values

/// Server-side apply, and what other writes mean for it. Ownership is recorded from an object's creation on; objects
/// stored without records get theirs with their first apply.
enum FieldTracking {
    private static let firstManager = "before-first-apply"
    private static let kubectl = "kubectl"
    private static let lastAppliedKey = "kubectl.kubernetes.io/last-applied-configuration"
    private static let lastApplied = ["metadata", "annotations", lastAppliedKey]
    private static let annotationsLimit = 256 << 10
    static let path = ["metadata", "managedFields"]

    /// One apply of a configuration.
    struct Application: Sendable {
        var configuration: JSONValue
        let manager: ManagedFields.Manager
        let isForced: Bool
        let write: OwnedWrite
        /// The version that conflicts name for all owners; nil for that of each.
        var conflictVersion: String?

        fileprivate func error(_ conflicts: ApplyConflicts) -> APIError {
            guard let conflictVersion else { return conflicts.error }
            return conflicts.shown(as: conflictVersion).error
        }
    }

    /// The live object with the configuration applied and the records brought up to date. `live` is empty for a creation.
    static func apply(_ application: Application, to live: JSONValue) throws(APIError) -> JSONValue {
        var tracker = ManagedFields(trusted: live.value(at: path))
        let write = application.write
        var bare = live
        bare.remove(at: path)
        if bare.value(at: ["metadata", "uid"]) == nil { bare = empty(write.schema) }
        if tracker.entries.isEmpty {
            let before = ManagedFields.Manager(
                name: firstManager,
                operation: "Update",
                apiVersion: write.apiVersion,
                subresource: application.manager.subresource
            )
            tracker.update(from: empty(write.schema), to: bare, by: before, write)
        }
        var result: JSONValue
        let untouched = tracker
        do throws(ApplyConflicts) {
            result = try attempt(application, bare, &tracker, force: application.isForced)
        } catch {
            guard application.manager.name == kubectl, let allowed = lastAppliedFields(bare, write) else { throw application.error(error) }
            let rest = error.excluding(allowed)
            guard rest.conflicts.isEmpty else { throw application.error(rest) }
            // Who applied on the client's side before goes on on the server's without a quarrel.
            tracker = untouched
            do throws(ApplyConflicts) { result = try attempt(application, bare, &tracker, force: true) } catch {
                throw application.error(error)
            }
        }
        if application.manager.name == kubectl { noteLastApplied(application.configuration, &result) }
        store(tracker, &result)
        return result
    }

    private static func attempt(
        _ application: Application,
        _ live: JSONValue,
        _ tracker: inout ManagedFields,
        force: Bool
    ) throws(ApplyConflicts) -> JSONValue {
        try tracker.apply(application.configuration, to: live, by: application.manager, application.write, force: force)
    }

    /// What Go makes of nothing: creations are compared with it.
    private static func empty(_ schema: SchemaNode) -> JSONValue {
        guard schema.body.isBuiltin else { return [:] }
        var object: JSONValue = [:]
        schema.normalize(&object)
        return object
    }

    static func store(_ tracker: ManagedFields, _ object: inout JSONValue) {
        if let list = tracker.json { object.set(list, at: path) } else { object.remove(at: path) }
    }

    /// The fields of the last client-side apply that are still as they were applied.
    private static func lastAppliedFields(_ live: JSONValue, _ write: OwnedWrite) -> FieldSet? {
        guard let text = live.value(at: lastApplied)?.string, !text.isEmpty, let applied = try? JSONParser.parse(text),
            applied["apiVersion"]?.string == write.apiVersion
        else { return nil }
        let changes = FieldOwnership.compare(applied, live, write.schema)
        return FieldOwnership.claimed(by: applied, write.schema)
            .subtracting(changes.modified).subtracting(changes.added).subtracting(changes.removed)
    }

    /// Keeps the annotation of client-side apply in step, for people who go back and forth.
    private static func noteLastApplied(_ configuration: JSONValue, _ object: inout JSONValue) {
        guard let present = object.value(at: lastApplied)?.string, !present.isEmpty else { return }
        var applied = configuration
        applied.remove(at: lastApplied)
        let text = String(decoding: applied.encoded(), as: UTF8.self) + "\n"
        object.set(.string(text), at: lastApplied)
        let annotations = object.value(at: ["metadata", "annotations"])?.object ?? [:]
        let size = annotations.reduce(0) { $0 + $1.key.utf8.count + ($1.value.string?.utf8.count ?? 0) }
        if size > annotationsLimit { object.remove(at: lastApplied) }
    }

    // MARK: Other writes

    /// Records a creation: everything the client sent, with the defaults, is the manager's.
    static func noteCreation(_ object: inout JSONValue, by manager: ManagedFields.Manager, _ write: OwnedWrite) {
        let given = object.value(at: path)
        object.remove(at: path)
        if isReset(given) { return }
        var tracker = ManagedFields(checking: given) ?? ManagedFields()
        tracker.update(from: empty(write.schema), to: object, by: manager, write)
        store(tracker, &object)
    }

    /// Records an update. `old` is the object as stored, `object` the new one, both in the version of the request.
    static func note(_ object: inout JSONValue, old: JSONValue, by manager: ManagedFields.Manager, _ write: OwnedWrite) {
        let records = old.value(at: path)
        let given = object.value(at: path)
        object.remove(at: path)
        var tracker = ManagedFields(trusted: records)
        // Through a subresource nobody edits the records.
        if manager.subresource.isEmpty, let given, given != records {
            if isReset(given) { return }
            if let sent = ManagedFields(checking: given), !sent.entries.isEmpty { tracker = sent }
        }
        guard !tracker.entries.isEmpty else { return }
        var before = old
        before.remove(at: path)
        tracker.update(from: before, to: object, by: manager, write)
        store(tracker, &object)
    }

    /// The same, waiting for the conversions it takes. Records that cannot be brought up to date are dropped, not kept wrong.
    static func noteAwaiting(_ object: inout JSONValue, old: JSONValue, by manager: ManagedFields.Manager, _ write: OwnedWrite) async {
        guard let awaited = write.awaited else { return note(&object, old: old, by: manager, write) }
        let written = object
        do throws(APIError) {
            object = try await awaited.settled { () throws(APIError) in
                var noted = written
                note(&noted, old: old, by: manager, write)
                return noted
            }
        } catch {
            object.remove(at: path)
        }
    }

    /// `[{}]` says: forget who owns what.
    private static func isReset(_ list: JSONValue?) -> Bool {
        guard let list = list?.array else { return false }
        return list.isEmpty || list == [[:]]
    }

    /// A write that changed nothing but the times of its records changed nothing.
    static func keepTimes(_ object: inout JSONValue, old: JSONValue) {
        guard let new = object.value(at: path)?.array, let before = old.value(at: path)?.array, new.count == before.count, new != before,
            zip(new, before).allSatisfy({ $0.withoutTime == $1.withoutTime })
        else { return }
        var (left, right) = (object, old)
        left.remove(at: path)
        right.remove(at: path)
        if left == right { object = old }
    }

    // MARK: Names

    private static let maxManagerLength = 128

    /// The name under which a request writes fields: its `fieldManager`, or the first part of its user agent.
    static func manager(_ request: HTTPRequest, kind: String = "PatchOptions") throws(APIError) -> String {
        if let name = request.query.first("fieldManager"), !name.isEmpty {
            let issues = issues(name)
            guard issues.isEmpty else { throw .invalid(GroupKind(group: "meta.k8s.io", kind: kind), "", issues) }
            return name
        }
        let agent = request.headers["user-agent"] ?? ""
        let plain = agent.utf8.prefix { $0 != UInt8(ascii: "/") }
        if plain.count <= maxManagerLength, plain.allSatisfy({ 0x20..<0x7f ~= $0 }) { return String(plain) ?? "" }
        var name = ""
        for scalar in agent.prefix(while: { $0 != "/" }).unicodeScalars where isPrintable(scalar) {
            guard name.utf8.count + String(scalar).utf8.count <= maxManagerLength else { break }
            name.unicodeScalars.append(scalar)
        }
        return name
    }

    /// What is wrong with the name of a manager.
    static func issues(_ name: String) -> [FieldIssue] {
        let field = FieldPath("fieldManager")
        var issues: [FieldIssue] = []
        if name.utf8.count > maxManagerLength { issues.append(.tooLong(field, maximum: maxManagerLength)) }
        var position = 0
        for scalar in name.unicodeScalars {
            if !isPrintable(scalar) {
                issues.append(.invalid(field, .string(name), "invalid character U+\(hex(scalar)) (at position \(position))"))
            }
            position += String(scalar).utf8.count
        }
        return issues
    }

    private static func hex(_ scalar: Unicode.Scalar) -> String {
        let text = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7f }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator: return false
        default: return true
        }
    }
}

extension JSONValue {
    /// An entry of `managedFields` without its time.
    fileprivate var withoutTime: JSONValue {
        var copy = self
        copy["time"] = nil
        return copy
    }
}
