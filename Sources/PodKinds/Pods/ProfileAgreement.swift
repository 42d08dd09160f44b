import Schema
import Units
import Values

/// What an annotation of the past says of a profile has to be what the field says, where a new pod has both.
enum ProfileAgreement {
    private static let appArmor = PodAnnotationValidation.appArmor
    private static let seccompPod = PodAnnotationValidation.seccompPod
    private static let seccompContainer = PodAnnotationValidation.seccompContainer

    /// Checks a new pod.
    static func check(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        guard let annotations = object["metadata"]?["annotations"]?.object, !annotations.isEmpty else { return }
        guard annotations.contains(where: { isOfProfile($0.key) }) else { return }
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        let containers = spec.containersWithPaths(at: path)
        seccomp(annotations[seccompPod], spec["securityContext"], path, &issues)
        for (container, place) in containers {
            seccomp(annotations[seccompContainer + container.text("name")], container["securityContext"], place, &issues)
        }
        if spec["os"]?.text("name") == "windows" { return }
        let ofPod = spec["securityContext"]?["appArmorProfile"]
        for (container, place) in containers {
            guard let profile = container["securityContext"]?["appArmorProfile"] ?? ofPod else { continue }
            guard let text = annotations[appArmor + container.text("name")]?.string else { continue }
            let kind = Kind(field: "appArmorProfile", word: "apparmor", ofDefault: ["runtime/default"])
            compare(text, profile, kind, place, &issues)
        }
    }

    private static func isOfProfile(_ key: String) -> Bool {
        key.hasPrefix(appArmor) || key == seccompPod || key.hasPrefix(seccompContainer)
    }

    private static func seccomp(_ annotation: JSONValue?, _ context: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let text = annotation?.string, let profile = context?["seccompProfile"] else { return }
        let ofDefault = ["runtime/default", "docker/default"]
        compare(text, profile, Kind(field: "seccompProfile", word: "seccomp", ofDefault: ofDefault), path, &issues)
    }

    private struct Kind {
        let field: String
        let word: String
        /// What annotations call the runtime's own profile.
        let ofDefault: [String]
    }

    private static let file = "localhost/"

    private static func compare(_ text: String, _ profile: JSONValue, _ kind: Kind, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let isSame: Bool
        switch profile.text("type") {
        case "Unconfined": isSame = text == "unconfined"
        case "RuntimeDefault": isSame = kind.ofDefault.contains(text)
        case "Localhost":
            isSame = text.hasPrefix(file)
            if isSame, profile["localhostProfile"]?.string != String(text.dropFirst(file.count)) {
                let place = path.child("securityContext", kind.field).child("localhostProfile")
                issues.forbidden(place, "\(kind.word) profile in annotation and field must match")
            }
        default: return
        }
        if isSame { return }
        issues.forbidden(path.child("securityContext", kind.field).child("type"), "\(kind.word) type in annotation and field must match")
    }
}
