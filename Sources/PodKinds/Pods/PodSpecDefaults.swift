import Units
import Values

/// The defaults of a pod spec that depend on other fields: for pods and for every template of pods.
///
/// Source: pkg/apis/core/v1/defaults.go of Kubernetes.
package enum PodSpecDefaults {
    /// Completes the pod spec at `path`. The ports of a pod in the node's network are the node's; those of a template are left to
    /// the pods made of it.
    package static func apply(_ object: inout JSONValue, at path: [String], isPod: Bool) {
        guard var spec = object.value(at: path), spec.object != nil else { return }
        let usesHostNetwork = isPod && spec.flag("hostNetwork")
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            guard let containers = spec[list]?.array else { continue }
            spec[list] = .array(containers.map { container($0, usesHostNetwork: usesHostNetwork, isPod: isPod) })
        }
        if let volumes = spec["volumes"]?.array { spec["volumes"] = .array(volumes.map(volume)) }
        if spec["securityContext"] == nil { spec["securityContext"] = [:] }
        if isPod {
            if spec["enableServiceLinks"] == nil { spec["enableServiceLinks"] = true }
            if spec["resources"] != nil { podResources(&spec) }
        }
        if let account = spec["serviceAccountName"]?.string, !account.isEmpty {
            spec["serviceAccount"] = .string(account)
        } else if let account = spec["serviceAccount"]?.string, !account.isEmpty {
            spec["serviceAccountName"] = .string(account)
        }
        object.set(spec, at: path)
    }

    private static func container(_ container: JSONValue, usesHostNetwork: Bool, isPod: Bool) -> JSONValue {
        var container = container
        if container.text("imagePullPolicy").isEmpty {
            container["imagePullPolicy"] = .string(pullPolicy(container.text("image")))
        }
        if usesHostNetwork, let ports = container["ports"]?.array {
            container["ports"] = .array(ports.map(hostPort))
        }
        if container["resources"] == nil { container["resources"] = [:] }
        if isPod { requestLimits(&container) }
        return container
    }

    /// `Always` for the latest tag, `IfNotPresent` for any other tag or a digest.
    package static func pullPolicy(_ image: String) -> String {
        let bytes = image.utf8
        // What is no image has no tag either.
        if !ImageName.isWellFormed(image) { return "IfNotPresent" }
        if bytes.contains(UInt8(ascii: "@")) { return "IfNotPresent" }
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return "Always" }
        let tag = bytes[bytes.index(after: colon)...]
        // What follows the colon of a registry's port is no tag.
        if tag.contains(UInt8(ascii: "/")) { return "Always" }
        return tag.elementsEqual("latest".utf8) ? "Always" : "IfNotPresent"
    }

    private static func volume(_ volume: JSONValue) -> JSONValue {
        guard let fields = volume.object else { return volume }
        var volume = volume
        if fields.isEmpty || fields.count == 1 && fields["name"] != nil { volume["emptyDir"] = [:] }
        if let image = fields["image"], image.text("pullPolicy").isEmpty {
            volume.set(.string(pullPolicy(image.text("reference"))), at: ["image", "pullPolicy"])
        }
        if let template = fields["ephemeral"]?["volumeClaimTemplate"], template["spec"]?["volumeMode"] == nil {
            volume.set("Filesystem", at: ["ephemeral", "volumeClaimTemplate", "spec", "volumeMode"])
        }
        return volume
    }

    private static func hostPort(_ port: JSONValue) -> JSONValue {
        var port = port
        if port.number("hostPort") == 0 { port["hostPort"] = port["containerPort"] }
        return port
    }

    /// What is limited and not requested is requested as limited.
    private static func requestLimits(_ container: inout JSONValue) {
        guard let limits = container["resources"]?["limits"]?.object, !limits.isEmpty else { return }
        var requests = container["resources"]?.members("requests") ?? [:]
        for (name, value) in limits where requests[name] == nil { requests[name] = value }
        container.set(.object(requests), at: ["resources", "requests"])
    }

    /// What a whole pod asks for when it does not say: the sum of its containers, else its limits.
    private static func podResources(_ spec: inout JSONValue) {
        guard let own = spec["resources"] else { return }
        var limits = own.members("limits")
        var requests = own.members("requests")
        if limits.isEmpty, requests.isEmpty { return }
        let sums = PodResourceSums(spec: spec)
        for (name, sum) in sums.sums("limits") where ResourceValidation.isHugePages(name) {
            if requests[name] == nil, limits[name] == nil { limits[name] = .string(sum.description) }
        }
        if !limits.isEmpty {
            for (name, sum) in sums.sums("requests") where ["cpu", "memory"].contains(name) && requests[name] == nil {
                requests[name] = .string(sum.description)
            }
            let fits = { (name: String) in name == "cpu" || name == "memory" || name.hasPrefix("hugepages-") }
            for (name, limit) in limits where requests[name] == nil && fits(name) { requests[name] = limit }
        }
        if !limits.isEmpty { spec.set(.object(limits), at: ["resources", "limits"]) }
        if !requests.isEmpty { spec.set(.object(requests), at: ["resources", "requests"]) }
    }
}
