import Schema
import Units
import Values

/// What a pod's author should know although it is no error.
///
/// Source: pkg/api/pod/warnings.go.
package struct PodWarnings {
    private let spec: JSONValue
    private let metadata: JSONValue
    private let path: FieldPath
    private var found: [String] = []

    private static let annotations = [
        ("scheduler.alpha.kubernetes.io/critical-pod", "non-functional in v1.16+; use the \"priorityClassName\" field instead"),
        ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
        ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ]
    private static let seccompPod = PodAnnotationValidation.seccompPod
    private static let seccompContainer = PodAnnotationValidation.seccompContainer
    private static let appArmor = PodAnnotationValidation.appArmor
    private static let nullSelector = "a null labelSelector results in matching no pod"
    private static let useSeccompField = "non-functional in v1.27+; use the \"seccompProfile\" field instead"
    private static let volumes = [
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ]

    /// The warnings about a pod (`path` is the root) or a template.
    package static func of(_ pod: JSONValue, at path: FieldPath) -> [String] {
        var warnings = PodWarnings(spec: pod["spec"] ?? [:], metadata: pod["metadata"] ?? [:], path: path)
        warnings.run()
        return warnings.found
    }

    private init(spec: JSONValue, metadata: JSONValue, path: FieldPath) {
        self.spec = spec
        self.metadata = metadata
        self.path = path
    }

    private var isTemplate: Bool { !path.isRoot }

    private func field(_ name: String) -> FieldPath { isTemplate ? path.child(name) : FieldPath(name) }

    private mutating func warn(_ place: FieldPath, _ words: String) { found.append("\(place): \(words)") }

    private mutating func run() {
        placement()
        marks()
        volumeTypes()
        found += PathOverlaps.warnings(spec.list("volumes"))
        lists()
        fractions(spec["overhead"], field("spec").child("overhead"))
        let containers = spec.containersWithPaths(at: field("spec"))
        for (container, place) in containers { self.container(container, place) }
        ports(containers)
        let grace = spec.number("terminationGracePeriodSeconds")
        if grace < 0 {
            warn(field("spec").child("terminationGracePeriodSeconds"), "must be >= 0; negative values are invalid and will be treated as 1")
        }
        affinity()
        for (index, server) in (spec["dnsConfig"]?.texts("nameservers") ?? []).enumerated() {
            address(server, field("spec").child("dnsConfig", "nameservers").index(index))
        }
        for (index, alias) in spec.list("hostAliases").enumerated() {
            address(alias.text("ip"), field("spec").child("hostAliases").index(index).child("ip"))
        }
    }

    private mutating func placement() {
        for (key, _) in spec.members("nodeSelector") {
            if let words = NodeLabels.deprecation(key) { warn(field("spec").child("nodeSelector").key(key), words) }
        }
        if let node = spec["affinity"]?["nodeAffinity"] {
            let place = field("spec").child("affinity", "nodeAffinity")
            found += NodeLabels.warnings(affinity: node, place)
        }
        for (index, constraint) in spec.list("topologySpreadConstraints").enumerated() {
            let place = field("spec").child("topologySpreadConstraints").index(index)
            let key = constraint.text("topologyKey")
            if let words = NodeLabels.deprecation(key) { warn(place.child("topologyKey"), "\(key) is \(words)") }
            if constraint["labelSelector"] == nil { warn(place.child("labelSelector"), Self.nullSelector) }
        }
    }

    private mutating func marks() {
        let annotations = metadata.members("annotations")
        if annotations.isEmpty { return }
        let place = field("metadata").child("annotations")
        for (key, words) in Self.annotations where annotations[key] != nil { warn(place.key(key), words) }
        if spec["securityContext"]?["seccompProfile"] == nil, annotations[Self.seccompPod] != nil {
            warn(place.key(Self.seccompPod), Self.useSeccompField)
        }
    }

    private mutating func volumeTypes() {
        for (index, volume) in spec.list("volumes").enumerated() {
            let place = field("spec").child("volumes").index(index)
            for (name, shown, words) in Self.volumes where volume[name] != nil { warn(place.child(shown), words) }
            if let claim = volume["ephemeral"]?["volumeClaimTemplate"]?["spec"] {
                found += StorageWarnings.claim(claim, place.child("ephemeral", "volumeClaimTemplate", "spec"))
            }
        }
    }

    private mutating func lists() {
        for (list, name, word) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
            var seen: Set<String> = []
            for (index, item) in spec.list(list).enumerated() where !seen.insert(item.text(name)).inserted {
                warn(field("spec").child(list).index(index).child(name), "duplicate \(word) \(GoQuote.quote(item.text(name)))")
            }
        }
        for (index, secret) in spec.list("imagePullSecrets").enumerated() where secret.text("name").isEmpty {
            warn(field("spec").child("imagePullSecrets").index(index).child("name"), "invalid empty name \"\"")
        }
    }

    private mutating func fractions(_ amounts: JSONValue?, _ place: FieldPath) {
        guard let amounts else { return }
        for name in ["memory", "ephemeral-storage"] {
            guard let quantity = amounts.quantity(name), quantity.milliValue % 1000 != 0 else { continue }
            warn(place.key(name), "fractional byte value \"\(quantity)\" is invalid, must be an integer")
        }
    }

    private mutating func container(_ container: JSONValue, _ place: FieldPath) {
        let annotations = metadata.members("annotations")
        let context = container["securityContext"]
        let key = Self.seccompContainer + container.text("name")
        if context?["seccompProfile"] == nil, annotations[key] != nil {
            warn(field("metadata").child("annotations").key(key), Self.useSeccompField)
        }
        let profile = Self.appArmor + container.text("name")
        let ofPod = spec["securityContext"]?["appArmorProfile"]
        if isTemplate, context?["appArmorProfile"] == nil, let text = annotations[profile]?.string,
            ofPod == nil || ofPod != PodAnnotationValidation.appArmorProfile(text)
        {
            warn(field("metadata").child("annotations").key(profile), "deprecated since v1.30; use the \"appArmorProfile\" field instead")
        }
        if let resources = container["resources"] {
            fractions(resources["limits"], place.child("resources", "limits"))
            fractions(resources["requests"], place.child("resources", "requests"))
        }
        var names: Set<String> = []
        for (index, variable) in container.list("env").enumerated() {
            let name = variable.text("name")
            if names.insert(name).inserted { continue }
            // A value built from the earlier one is what repeating a name is for.
            let (value, reference) = (variable.text("value"), "$(\(name))")
            if variable["valueFrom"] == nil, value != reference, value.contains(reference) { continue }
            let words = "hides previous definition of \(GoQuote.quote(name)), which may be dropped when using apply"
            warn(place.child("env").index(index), words)
        }
    }

    private mutating func ports(_ containers: [(container: JSONValue, path: FieldPath)]) {
        struct Known {
            package let path: FieldPath
            package let hostIP: String
            package let hostPort: Int64
        }
        var blocks: [String: [Known]] = [:]
        var names: [(String, FieldPath, FieldPath)] = []
        var firstNames: [String: FieldPath] = [:]
        for (container, place) in containers {
            for (index, port) in container.list("ports").enumerated() {
                let own = Known(path: place.child("ports").index(index), hostIP: port.text("hostIP"), hostPort: port.number("hostPort"))
                if !own.hostIP.isEmpty, own.hostPort == 0 {
                    let text =
                        "{Name:\(port.text("name")) HostPort:0 ContainerPort:\(port.number("containerPort")) "
                        + "Protocol:\(port.text("protocol")) HostIP:\(own.hostIP)}"
                    warn(own.path, "hostIP set without hostPort: \(text)")
                }
                let key = "\(port.number("containerPort"))/\(port.text("protocol"))"
                for other in blocks[key] ?? [] {
                    if own.hostIP == other.hostIP, own.hostPort == other.hostPort {
                        warn(own.path, "duplicate port definition with \(other.path)")
                    } else if own.hostPort == 0 || other.hostPort == 0 {
                        warn(own.path, "overlapping port definition with \(other.path)")
                    } else if own.hostPort == other.hostPort, own.hostIP.isEmpty != other.hostIP.isEmpty {
                        warn(own.path, "dangerously ambiguous port definition with \(other.path)")
                    }
                }
                blocks[key, default: []].append(own)
                let name = port.text("name")
                if name.isEmpty { continue }
                if let first = firstNames[name] { names.append((name, own.path, first)) } else { firstNames[name] = own.path }
            }
        }
        for (name, place, first) in names {
            let words =
                "duplicate port name \(GoQuote.quote(name)) with \(first), services and probes that select ports by name will use \(first)"
            warn(place, words)
        }
    }

    private mutating func affinity() {
        guard let affinity = spec["affinity"] else { return }
        for kind in ["podAffinity", "podAntiAffinity"] {
            guard let terms = affinity[kind] else { continue }
            let place = field("spec").child("affinity", kind)
            let (required, preferred) = (
                "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
            )
            for (index, term) in terms.list(required).enumerated() where term["labelSelector"] == nil {
                warn(place.child(required).index(index).child("labelSelector"), Self.nullSelector)
            }
            for (index, term) in terms.list(preferred).enumerated() where term["podAffinityTerm"]?["labelSelector"] == nil {
                warn(place.child(preferred).index(index).child("podAffinityTerm", "labelSelector"), Self.nullSelector)
            }
        }
    }

    private mutating func address(_ text: String, _ place: FieldPath) {
        guard let address = IPAddress(text), address.isIPv6, address.description != text else { return }
        warn(place, "IPv6 address \(GoQuote.quote(text)) should be in RFC 5952 canonical format (\"\(address)\")")
    }
}
