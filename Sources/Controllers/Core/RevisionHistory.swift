import APIModel
import APITypes
import Units
import Values

/// The templates a daemon set or stateful set has had, as ControllerRevisions: which one is current, and what has to be
/// written for that to be on record.
struct RevisionHistory: Sendable {
    static let hashLabel = "controller-revision-hash"

    /// The revision of the present template; without uid while it has to be created.
    var current: ControllerRevision
    /// The others, oldest first.
    var old: [ControllerRevision]
    /// Whether `current` has to be created, or written with a higher number.
    var mustCreate = false
    var mustRenumber = false

    /// The hash pods of the present template are labelled with.
    var hash: String { current.labels[Self.hashLabel] ?? current.name }

    /// `data` is what is recorded of the template.
    init(owner: some APIObject, template: PodTemplateSpec, collisionCount: Int?, existing: [ControllerRevision]) {
        let data = Self.data(template)
        let sorted = existing.sorted { ($0.revision, $0.name) < ($1.revision, $1.name) }
        let equal = sorted.filter { $0.fields["data"] == data }
        let next = (sorted.filter { $0.fields["data"] != data }.map(\.revision).max() ?? 0) + 1
        if let match = equal.last {
            current = match
            old = sorted.filter { $0.uid != match.uid }
            if match.revision < next {
                current.revision = next
                mustRenumber = true
            }
            return
        }
        let hash = Self.hash(data, collisionCount: collisionCount)
        old = sorted
        current = ControllerRevision(name: "\(owner.name.prefix(223))-\(hash)", namespace: owner.namespace)
        current.metadata.labels = template.metadata.labels.merging([Self.hashLabel: hash]) { $1 }
        current.metadata.annotations = owner.annotations
        current.metadata.ownerReferences = [owner.controllerReference()]
        current.revision = next
        current.fields["data"] = data
        mustCreate = true
    }

    /// The revisions beyond `limit`, oldest first, but for those that pods still run.
    func surplus(limit: Int, live: Set<String>) -> [ControllerRevision] {
        let dead = old.filter { !live.contains($0.labels[Self.hashLabel] ?? $0.name) && !live.contains($0.name) }
        return Array(dead.prefix(max(0, dead.count - limit)))
    }

    private static func data(_ template: PodTemplateSpec) -> JSONValue {
        var fields = template.fields
        fields["$patch"] = "replace"
        return ["spec": ["template": .object(fields)]]
    }

    private static func hash(_ data: JSONValue, collisionCount: Int?) -> String {
        var hasher = FNV1a32()
        hasher.combine(data.encoded())
        if let collisionCount { hasher.combine("\(collisionCount)".utf8) }
        return PodTemplates.safeEncoded(String(hasher.value))
    }
}
