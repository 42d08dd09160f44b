import PodKinds
import Schema
import Values

/// What a service was given and keeps, where an update leaves it out; and `clusterIP` in step with `clusterIPs`, for
/// clients that know the one field only.
///
/// All of it happens before anything is allocated, and that before the kind's hooks see the service.
///
/// Source: pkg/registry/core/service/storage (patchAllocatedValues, normalizeClusterIPs).
public enum ServiceContinuity {
    /// A new service of an old client names its address in the single field.
    public static func create(_ object: inout JSONValue) {
        guard let spec = object["spec"], let one = spec["clusterIP"], one != "", spec.list("clusterIPs").isEmpty else { return }
        object.set([one], at: ["spec", "clusterIPs"])
    }

    /// An update, before anything else looks at it.
    public static func update(_ object: inout JSONValue, old: JSONValue) {
        guard var spec = object["spec"], let before = old["spec"] else { return }
        keep(&spec, before)
        align(&spec, before)
        object["spec"] = spec
    }

    /// What is wrong with addresses and families: nothing is allocated for a service that has such issues.
    public static func addressIssues(_ object: JSONValue, old: JSONValue?) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        ServiceValidation(object, old: old).checkAddresses(&issues)
        return issues
    }

    private static func keep(_ spec: inout JSONValue, _ before: JSONValue) {
        if spec.text("type") != "ExternalName", before.text("type") != "ExternalName" {
            if spec.text("clusterIP").isEmpty { spec["clusterIP"] = before["clusterIP"] }
            if spec.list("clusterIPs").isEmpty { spec["clusterIPs"] = before["clusterIPs"] }
        }
        if hasNodePorts(spec), hasNodePorts(before) { keepPorts(&spec, before) }
        if ServiceValidation.needsHealthCheck(spec), ServiceValidation.needsHealthCheck(before), spec.number("healthCheckNodePort") == 0 {
            spec["healthCheckNodePort"] = before["healthCheckNodePort"]
        }
    }

    private static func hasNodePorts(_ spec: JSONValue) -> Bool {
        spec.text("type") == "NodePort" || spec.text("type") == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"]?.bool ?? true
    }

    /// By the name of the port; a number that another port names is that one's.
    private static func keepPorts(_ spec: inout JSONValue, _ before: JSONValue) {
        var ports = spec.list("ports")
        let named = Set(ports.map { $0.number("nodePort") })
        var known: [String: Int64] = [:]
        for port in before.list("ports") { known[port.text("name")] = port.number("nodePort") }
        for index in ports.indices where ports[index].number("nodePort") == 0 {
            guard let number = known[ports[index].text("name")], number != 0, !named.contains(number) else { continue }
            ports[index]["nodePort"] = .integer(number)
        }
        if !ports.isEmpty { spec["ports"] = .array(ports) }
    }

    private static func align(_ spec: inout JSONValue, _ before: JSONValue) {
        let (one, known) = (spec.text("clusterIP"), before.text("clusterIP"))
        if one == known, spec.list("clusterIPs").isEmpty, !before.list("clusterIPs").isEmpty { spec["clusterIPs"] = before["clusterIPs"] }
        // Both were changed, or neither: validation says what it thinks of that.
        guard one != known, spec.list("clusterIPs") == before.list("clusterIPs") else { return }
        spec["clusterIPs"] = one.isEmpty ? nil : [.string(one)]
    }
}
