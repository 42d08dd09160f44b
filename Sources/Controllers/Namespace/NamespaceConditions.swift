import APIModel
import APITypes
import Units

/// What is left in a namespace that is being deleted, and what went wrong: the source of its conditions.
public struct NamespaceProgress: Sendable {
    /// How long to wait before looking again when finalizers hold content back.
    static let finalizerEstimate = 15

    /// Discovery failed, wholly or for some groups.
    public var discoveryFailure: String?
    /// Content could not be deleted.
    public var contentFailures: [String] = []
    /// Objects left, by resource (`pods.` for the core group).
    public var remaining: [String: Int] = [:]
    /// Finalizers that hold objects back.
    public var finalizers: [String: Int] = [:]
    /// When the content may be gone, in seconds; 0 when nothing is left.
    public var estimate = 0

    /// Nothing seen yet.
    public init() {}

    /// Takes in what is left of one resource. `grace` is the longest time its objects may still take to stop.
    public mutating func add(_ resource: GroupVersionResource, namespace: String, items: [[String]], grace: Int) {
        guard !items.isEmpty else { return }
        remaining["\(resource.resource).\(resource.group)"] = items.count
        var held = 0
        for name in items.joined() {
            finalizers[name, default: 0] += 1
            held += 1
        }
        if grace > 0 {
            estimate = max(estimate, grace)
        } else if held > 0 {
            estimate = max(estimate, Self.finalizerEstimate)
        } else {
            let group = "\(resource.group)/\(resource.version), Resource=\(resource.resource)"
            contentFailures.append("unexpected items still remain in namespace: \(namespace) for gvr: \(group)")
        }
    }

    /// The conditions as they should read, written into `namespace`; false when they read so already.
    public func apply(to namespace: inout Namespace, now: Timestamp) -> Bool {
        var changed = false
        var conditions = namespace.status.conditions
        for (type, okReason, okMessage) in Self.conditions {
            let failure = failure(type)
            var condition = NamespaceCondition {
                $0.type = type
                $0.status = failure == nil ? "False" : "True"
                $0.reason = failure?.reason ?? okReason
                $0.message = failure?.message ?? okMessage
                $0.lastTransitionTime = now
            }
            guard let index = conditions.firstIndex(where: { $0.type == type }) else {
                conditions.append(condition)
                changed = true
                continue
            }
            let old = conditions[index]
            guard old.status != condition.status || old.reason != condition.reason || old.message != condition.message else { continue }
            if old.status == condition.status { condition.lastTransitionTime = old.lastTransitionTime }
            conditions[index] = condition
            changed = true
        }
        if changed { namespace.status.conditions = conditions }
        return changed
    }

    private static let conditions = [
        ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ]

    private func failure(_ type: String) -> (reason: String, message: String)? {
        switch type {
        case "NamespaceDeletionDiscoveryFailure":
            return discoveryFailure.map { ("DiscoveryFailed", $0) }
        case "NamespaceDeletionContentFailure":
            guard !contentFailures.isEmpty else { return nil }
            let list = contentFailures.sorted().joined(separator: ", ")
            return ("ContentDeletionFailed", "Failed to delete all resource types, \(contentFailures.count) remaining: \(list)")
        case "NamespaceContentRemaining":
            guard !remaining.isEmpty else { return nil }
            let list = remaining.map { "\($0.key) has \($0.value) resource instances" }.sorted().joined(separator: ", ")
            return ("SomeResourcesRemain", "Some resources are remaining: \(list)")
        case "NamespaceFinalizersRemaining":
            guard !finalizers.isEmpty else { return nil }
            let list = finalizers.map { "\($0.key) in \($0.value) resource instances" }.sorted().joined(separator: ", ")
            return ("SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: \(list)")
        default:
            return nil
        }
    }
}
