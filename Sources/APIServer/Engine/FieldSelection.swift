import APIModel
import Schema
import Store
import Units

/// The label and field selectors of a request, ready to be asked of indexed objects.
struct FieldSelection: Sendable {
    private let labels: LabelSelector?
    private let fields: [FieldSelector.Requirement]
    let isEverything: Bool

    static let everything = FieldSelection(labels: nil, fields: [])

    private init(labels: LabelSelector?, fields: [FieldSelector.Requirement]) {
        self.labels = labels
        self.fields = fields
        isEverything = labels == nil && fields.isEmpty
    }

    /// Whether more is asked of objects than their names, namespaces and labels.
    var readsObjects: Bool { fields.contains { !$0.field.hasPrefix("metadata.") } }

    /// What can be asked of objects in whatever version they are.
    var ofMetadata: FieldSelection {
        FieldSelection(labels: labels, fields: fields.filter { $0.field.hasPrefix("metadata.") })
    }

    /// No field has this value.
    private static let impossible = "\0"

    /// Reads the selectors; a field label the kind does not know is refused in upstream's words. `absent` tells what an
    /// absent field reads as, where that is not the empty text; `kind` whose objects are asked for.
    init(
        label: String,
        field: String,
        accepted: [String: String],
        absent: [String: String] = [:],
        kind: GroupVersionKind? = nil
    ) throws(APIError) {
        if label.isEmpty {
            labels = nil
        } else {
            do { labels = try LabelSelector.parse(label) } catch { throw .badRequest("\(error)") }
        }
        guard !field.isEmpty else {
            fields = []
            isEverything = labels == nil
            return
        }
        let parsed: FieldSelector
        do { parsed = try FieldSelector.parse(field) } catch { throw .badRequest("\(error)") }
        var known: [FieldSelector.Requirement] = []
        for requirement in parsed.requirements {
            guard let label = accepted[requirement.field] else {
                throw .badRequest(Self.refusal(of: requirement.field, accepted, kind))
            }
            var value = requirement.value
            if let absent = absent[requirement.field] {
                // The caches do not keep it.
                value = value == absent ? "" : value.isEmpty ? Self.impossible : value
            }
            known.append(FieldSelector.Requirement(field: label, op: requirement.op, value: value))
        }
        fields = known
        isEverything = labels == nil && fields.isEmpty
    }

    /// Upstream's words differ with where a kind's labels are converted; who has none of its own names the two of all kinds.
    private static func refusal(of field: String, _ accepted: [String: String], _ kind: GroupVersionKind?) -> String {
        if let kind {
            switch (kind.apiVersion, kind.kind) {
            case ("batch/v1", "Job"): return "field label \(GoQuote.quote(field)) not supported for Job"
            case ("batch/v1beta1", "CronJob"): return "field label \(GoQuote.quote(field)) not supported for \"CronJob\""
            case ("apps/v1beta1", "StatefulSet"), ("apps/v1beta2", "StatefulSet"):
                return "field label not supported for apps\(kind.version).StatefulSet: \(field)"
            case (_, "ResourceSlice") where kind.group == "resource.k8s.io":
                return "field label not supported for \(kind.apiVersion), Kind=ResourceSlice: \(field)"
            default: break
            }
        }
        guard accepted.keys.allSatisfy({ $0.hasPrefix("metadata.") }) else { return "field label not supported: \(field)" }
        return "\(GoQuote.quote(field)) is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    }

    /// Whether an object is selected. An unreadable object is, as long as nothing is asked of it.
    func matches(_ object: CachedObject) -> Bool {
        if isEverything { return true }
        for requirement in fields where !satisfied(requirement, object) { return false }
        return labels?.matches(object.index.labels) ?? true
    }

    /// The same of what has a name and nothing else that can be asked for.
    func matches(name: String) -> Bool {
        for requirement in fields {
            let value = requirement.field == "metadata.name" ? name : ""
            if (value == requirement.value) != (requirement.op == .equals) { return false }
        }
        return labels?.matches([:]) ?? true
    }

    private func satisfied(_ requirement: FieldSelector.Requirement, _ object: CachedObject) -> Bool {
        let value: String
        switch requirement.field {
        case "metadata.name": value = object.name
        case "metadata.namespace": value = object.namespace
        default: value = object.index.fields[requirement.field] ?? ""
        }
        return (value == requirement.value) == (requirement.op == .equals)
    }

    /// The value a field must have, if the selection demands one.
    func required(_ field: String) -> String? {
        fields.first { $0.field == field && $0.op == .equals }?.value
    }

    /// A field with the value demanded that the caches index, other than name and namespace.
    var indexedField: (label: String, value: String)? {
        for requirement in fields where requirement.op == .equals && !requirement.field.hasPrefix("metadata.") {
            return (requirement.field, requirement.value)
        }
        return nil
    }
}
