import Units
import Values

/// The parts of a pod that have a subresource of their own: who writes one changes nothing else.
enum PodParts {
    private static let mirror = "kubernetes.io/config.mirror"
    /// What of the metadata a subresource leaves as it was.
    private static let metadata = [
        "labels", "annotations", "finalizers", "ownerReferences", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]

    /// Why a pod takes no such change at all; nil when it does.
    static func refusal(_ old: JSONValue, isResize: Bool) -> String? {
        if old["metadata"]?["annotations"]?[mirror] != nil {
            return isResize ? "static pods cannot be resized" : "static pods do not support ephemeral containers"
        }
        return isResize && old["spec"]?["os"]?.text("name") == "windows" ? "windows pods cannot be resized" : nil
    }

    /// Keeps the ephemeral containers of a change.
    static func keepEphemeralContainers(_ object: inout JSONValue, old: JSONValue) {
        let containers = object["spec"]?["ephemeralContainers"]
        restore(&object, old)
        if let containers {
            object.set(containers, at: ["spec", "ephemeralContainers"])
        } else {
            object.remove(at: ["spec", "ephemeralContainers"])
        }
    }

    /// Keeps the resources and resize policies of a change; containers that come, go or are renamed are left to validation.
    static func keepResources(_ object: inout JSONValue, old: JSONValue) {
        let (spec, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        let lists = ["containers", "initContainers"]
        guard lists.allSatisfy({ spec.list($0).count == before.list($0).count }) else { return }
        restore(&object, old)
        for list in lists where !spec.list(list).isEmpty {
            object.set(.array(merged(spec.list(list), before.list(list))), at: ["spec", list])
        }
        if let resources = spec["resources"] {
            object.set(resources, at: ["spec", "resources"])
        } else {
            object.remove(at: ["spec", "resources"])
        }
    }

    private static func merged(_ containers: [JSONValue], _ old: [JSONValue]) -> [JSONValue] {
        if zip(containers, old).contains(where: { $0["name"] != $1["name"] }) { return containers }
        return zip(containers, old).map { container, known in
            var known = known
            for field in ["resources", "resizePolicy"] { known[field] = container[field] }
            return known
        }
    }

    private static func restore(_ object: inout JSONValue, _ old: JSONValue) {
        object["spec"] = old["spec"]
        object["status"] = old["status"]
        for field in metadata {
            if let value = old["metadata"]?[field] {
                object.set(value, at: ["metadata", field])
            } else {
                object.remove(at: ["metadata", field])
            }
        }
    }
}
