import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of requests for certificates: who asks is the server's to say, what was asked for never changes, and
/// approval and signature each have a subresource of their own.
struct CertificateRequestHooks: KindHooks {
    private static let approval = "approval"

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        for field in ["username", "uid", "groups", "extra"] { object.remove(at: ["spec", field]) }
        if !context.user.isEmpty { object.set(.string(context.user), at: ["spec", "username"]) }
        if !context.groups.isEmpty { object.set(.array(context.groups.map { .string($0) }), at: ["spec", "groups"]) }
        if !context.userID.isEmpty { object.set(.string(context.userID), at: ["spec", "uid"]) }
        if !context.userExtra.isEmpty {
            let extra = context.userExtra.mapValues { values in JSONValue.array(values.map { .string($0) }) }
            object.set(.object(JSONObject(extra)), at: ["spec", "extra"])
        }
        object["status"] = [:]
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        guard context.subresource == Self.approval else {
            object["spec"] = old["spec"]
            object["status"] = old["status"]
            return
        }
        complete(&object, old, context)
        let conditions = object["status"]?["conditions"]
        object["spec"] = old["spec"]
        object["status"] = old["status"] ?? [:]
        object["status"]?["conditions"] = conditions
    }

    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        object["spec"] = old["spec"]
        for type in ["Approved", "Denied"] { preserve(type, &object, old) }
        complete(&object, old, context)
    }

    /// What was decided is kept as it was decided, unless there is more or less of it than before.
    private func preserve(_ type: String, _ object: inout JSONValue, _ old: JSONValue) {
        guard var conditions = object["status"]?["conditions"]?.array else { return }
        let known = (old["status"]?.list("conditions") ?? []).filter { $0.text("type") == type }
        let places = conditions.indices.filter { conditions[$0].text("type") == type }
        guard !places.isEmpty, places.count == known.count else { return }
        for (place, condition) in zip(places, known) { conditions[place] = condition }
        object.set(.array(conditions), at: ["status", "conditions"])
    }

    /// Times of conditions that came without.
    private func complete(_ object: inout JSONValue, _ old: JSONValue, _ context: HookContext) {
        guard var conditions = object["status"]?["conditions"]?.array else { return }
        let known = old["status"]?.list("conditions") ?? []
        let now = JSONValue.string(context.now.rfc3339)
        for index in conditions.indices {
            if conditions[index]["lastUpdateTime"]?.string == nil { conditions[index]["lastUpdateTime"] = now }
            if conditions[index]["lastTransitionTime"]?.string != nil { continue }
            let before = known.first {
                $0["type"] == conditions[index]["type"] && $0["status"] == conditions[index]["status"]
                    && $0["lastTransitionTime"]?.string != nil
            }
            conditions[index]["lastTransitionTime"] = before?["lastTransitionTime"] ?? now
        }
        object.set(.array(conditions), at: ["status", "conditions"])
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        CertificateRequestValidation(object).check(&issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let part: CertificateRequestValidation.Part = context.subresource == Self.approval ? .approval : .object
        CertificateRequestValidation(object, old: old, part: part).check(&issues)
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        CertificateRequestValidation(object, old: old, part: .status).check(&issues)
        return issues
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let row = TableRow(object: object, now: now)
        let has = { (type: String) in row.condition(type) != nil }
        var state = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending"
        if has("Failed") { state += ",Failed" }
        if !row.status.text("certificate").isEmpty { state += ",Issued" }
        let duration = row.spec["expirationSeconds"]?.int.map { humanDuration(.seconds($0)) }
        return [
            row.name, row.age, row.text(row.spec["signerName"], "<none>"), row.spec["username"] ?? "", .string(duration ?? "<none>"),
            .string(state),
        ]
    }
}
