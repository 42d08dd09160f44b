import Units
import Values

/// The defaults of a pod spec that depend on other fields: for pods and for every template of pods.
///
/// Source: pkg/apis/core/v1/defaults.go of Kubernetes.
enum PodSpecDefaults {
    /// Completes the pod spec at `path`.
    static func apply(_ object: inout JSONValue, at path: [String], isPod: Bool) {
        guard var spec = object.value(at: path), spec.object != nil else { return }
        let usesHostNetwork = spec["hostNetwork"]?.bool == true
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            guard let containers = spec[list]?.array else { continue }
            spec[list] = .array(containers.map { container($0, usesHostNetwork: usesHostNetwork, isPod: isPod) })
        }
        if spec["securityContext"] == nil { spec["securityContext"] = [:] }
        if isPod {
            if spec["enableServiceLinks"] == nil { spec["enableServiceLinks"] = true }
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
        if container["imagePullPolicy"]?.string?.isEmpty ?? true {
            container["imagePullPolicy"] = .string(pullPolicy(container["image"]?.string ?? ""))
        }
        if usesHostNetwork, let ports = container["ports"]?.array {
            container["ports"] = .array(ports.map(hostPort))
        }
        if container["resources"] == nil { container["resources"] = [:] }
        if isPod { requestLimits(&container) }
        return container
    }

    /// `Always` for the latest tag, `IfNotPresent` for any other tag or a digest.
    static func pullPolicy(_ image: String) -> String {
        if image.contains("@") { return "IfNotPresent" }
        let last = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = last.firstIndex(of: ":") else { return "Always" }
        return last[last.index(after: colon)...] == "latest" ? "Always" : "IfNotPresent"
    }

    private static func hostPort(_ port: JSONValue) -> JSONValue {
        var port = port
        if (port["hostPort"]?.int ?? 0) == 0 { port["hostPort"] = port["containerPort"] }
        return port
    }

    /// What is limited and not requested is requested as limited.
    private static func requestLimits(_ container: inout JSONValue) {
        guard let limits = container.value(at: ["resources", "limits"])?.object, !limits.isEmpty else { return }
        var requests = container.value(at: ["resources", "requests"])?.object ?? [:]
        for (name, value) in limits where requests[name] == nil { requests[name] = value }
        container.set(.object(requests), at: ["resources", "requests"])
    }
}
