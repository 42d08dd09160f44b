import Schema
import Units
import Values

/// What is wrong with the annotations that mean something to pods.
package enum PodAnnotationValidation {
    private static let mirror = "kubernetes.io/config.mirror"
    private static let deletionCost = "controller.kubernetes.io/pod-deletion-cost"
    /// The annotations that profiles were asked for with: of a container by its name, and of the pod.
    static let appArmor = "container.apparmor.security.beta.kubernetes.io/"
    static let seccompPod = "seccomp.security.alpha.kubernetes.io/pod"
    static let seccompContainer = "container.seccomp.security.alpha.kubernetes.io/"

    /// Checks the annotations of a pod or template.
    package static func check(_ metadata: JSONValue?, spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let annotations = metadata?["annotations"]?.object, !annotations.isEmpty else { return }
        if let value = annotations[mirror], spec.text("nodeName").isEmpty {
            issues.invalid(path.key(mirror), value, "must set spec.nodeName if mirror pod annotation is set")
        }
        if let cost = annotations[deletionCost]?.string, !isCost(cost) {
            issues.invalid(path.key(deletionCost), .string(cost), "must be a 32bit integer")
        }
        for (key, value) in annotations {
            let text = value.string ?? ""
            if key == seccompPod || key.hasPrefix(seccompContainer) { seccomp(text, path.child(key), &issues) }
            if key.hasPrefix(appArmor) { profile(text, String(key.dropFirst(appArmor.count)), spec, path.key(key), &issues) }
        }
    }

    private static func isCost(_ text: String) -> Bool {
        if text.hasPrefix("+") || text.hasPrefix("0") && text != "0" || text.hasPrefix("-0") { return false }
        return Int32(text) != nil
    }

    private static func seccomp(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if ["runtime/default", "docker/default", "unconfined"].contains(text) { return }
        guard text.hasPrefix("localhost/") else { return issues.invalid(path, .string(text), "must be a valid seccomp profile") }
        PathValidation.descending(String(text.dropFirst("localhost/".count)), path, &issues)
    }

    private static func profile(
        _ text: String,
        _ container: String,
        _ spec: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let known = spec.containersWithPaths(at: .root).contains { $0.container.text("name") == container }
        if !known { issues.invalid(path, .string(container), "container not found") }
        if text.isEmpty || text == "runtime/default" || text == "unconfined" || text.hasPrefix("localhost/") { return }
        issues.invalid(path, .string(text), "invalid AppArmor profile name: \(GoQuote.quote(text))")
    }

    /// Gives containers the AppArmor profiles that annotations name, where no field does.
    package static func takeProfiles(_ object: inout JSONValue) {
        guard let annotations = ofProfiles(object) else { return }
        let ofPod = object["spec"]?["securityContext"]?["appArmorProfile"]
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            guard var containers = object["spec"]?[list]?.array else { continue }
            for index in containers.indices {
                guard let text = annotations[appArmor + containers[index].text("name")]?.string else { continue }
                guard containers[index]["securityContext"]?["appArmorProfile"] == nil else { continue }
                guard let profile = appArmorProfile(text), profile != ofPod else { continue }
                containers[index].set(profile, at: ["securityContext", "appArmorProfile"])
            }
            object.set(.array(containers), at: ["spec", list])
        }
    }

    /// The annotations of a pod that has some about profiles; nearly none has.
    private static func ofProfiles(_ object: JSONValue) -> JSONObject? {
        guard let annotations = object["metadata"]?["annotations"]?.object else { return nil }
        guard annotations.contains(where: { $0.key.hasPrefix(appArmor) }) else { return nil }
        return object["spec"]?["os"]?.text("name") == "windows" ? nil : annotations
    }

    /// The field that an annotation stands for; nil when it says nothing valid.
    static func appArmorProfile(_ text: String) -> JSONValue? {
        switch text {
        case "unconfined": return ["type": "Unconfined"]
        case "runtime/default": return ["type": "RuntimeDefault"]
        default:
            let file = String(text.dropFirst("localhost/".count))
            guard text.hasPrefix("localhost/"), !file.isEmpty, file.first?.isWhitespace == false, file.last?.isWhitespace == false else {
                return nil
            }
            return ["type": "Localhost", "localhostProfile": .string(file)]
        }
    }

    /// Warns of annotations that have become fields.
    package static func warnings(_ object: JSONValue) -> [String] {
        guard let annotations = ofProfiles(object) else { return [] }
        let ofPod = object["spec"]?["securityContext"]?["appArmorProfile"]
        return (object["spec"] ?? [:]).containersWithPaths(at: .root).compactMap { container, _ in
            let key = appArmor + container.text("name")
            guard let text = annotations[key]?.string else { return nil }
            let own = container["securityContext"]?["appArmorProfile"]
            let named = appArmorProfile(text)
            // The field was taken from the annotation, unless both were given alike.
            guard named == nil && own == nil || named != nil && own == named && named != ofPod else { return nil }
            return "metadata.annotations[\(key)]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
        }
    }

    /// What an update of a pod may not do to them.
    package static func update(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("metadata").child("annotations")
        let new = object["metadata"]?.members("annotations") ?? [:]
        let before = old["metadata"]?.members("annotations") ?? [:]
        // Upstream looks at them once more here.
        defer { check(object["metadata"], spec: object["spec"] ?? [:], path, &issues) }
        if new == before { return }
        for (key, value) in before where new[key] != value {
            if key.hasPrefix(appArmor) { issues.forbidden(path.key(key), "may not remove or update AppArmor annotations") }
            if key == mirror { issues.forbidden(path.key(key), "may not remove or update mirror pod annotation") }
        }
        for (key, _) in new where before[key] == nil {
            if key.hasPrefix(appArmor) { issues.forbidden(path.key(key), "may not add AppArmor annotations") }
            if key == mirror { issues.forbidden(path.key(key), "may not add mirror pod annotation") }
        }
    }
}

/// What is wrong with a template of pods.
package enum PodTemplateValidation {
    /// Checks the template at `path`.
    package static func check(_ template: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let metadata = template["metadata"]
        let spec = template["spec"] ?? [:]
        SelectorValidation.labels(metadata?["labels"], path.child("labels"), &issues)
        if let metadata { TemplateMetadataValidation.annotations(metadata, path.child("annotations"), &issues) }
        PodAnnotationValidation.check(metadata, spec: spec, path.child("annotations"), &issues)
        PodSpecValidation.check(spec, at: path.child("spec"), &issues)
        if !spec.list("ephemeralContainers").isEmpty {
            issues.forbidden(path.child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template")
        }
    }
}
