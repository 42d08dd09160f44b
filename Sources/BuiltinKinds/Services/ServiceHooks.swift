import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of services. Addresses and node ports are the server's to give (`APIServer`), before all of this but the defaults.
struct ServiceHooks: KindHooks {
    private static let affinityTimeout: JSONValue = 10800

    func defaults(_ object: inout JSONValue) {
        guard var spec = object["spec"] else { return }
        if spec.text("type").isEmpty { spec["type"] = "ClusterIP" }
        if spec.text("sessionAffinity").isEmpty { spec["sessionAffinity"] = "None" }
        if spec.text("sessionAffinity") == "None" {
            spec["sessionAffinityConfig"] = nil
        } else if spec.text("sessionAffinity") == "ClientIP", spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"] == nil {
            spec["sessionAffinityConfig"] = ["clientIP": ["timeoutSeconds": Self.affinityTimeout]]
        }
        let type = spec.text("type")
        if ServiceValidation.isExternal(spec), spec.text("externalTrafficPolicy").isEmpty { spec["externalTrafficPolicy"] = "Cluster" }
        if ["ClusterIP", "NodePort", "LoadBalancer"].contains(type), spec["internalTrafficPolicy"] == nil {
            spec["internalTrafficPolicy"] = "Cluster"
        }
        if type == "LoadBalancer", spec["allocateLoadBalancerNodePorts"] == nil { spec["allocateLoadBalancerNodePorts"] = true }
        if let ports = spec["ports"]?.array { spec["ports"] = .array(ports.map { completed($0) }) }
        object["spec"] = spec
        if object["status"] == nil || object["status"]?.object?.isEmpty == true { object["status"] = ["loadBalancer": [:]] }
        if type == "LoadBalancer" { modes(&object) }
    }

    private func modes(_ object: inout JSONValue) {
        guard var ingress = object["status"]?["loadBalancer"]?["ingress"]?.array else { return }
        for index in ingress.indices where !ingress[index].text("ip").isEmpty && ingress[index]["ipMode"] == nil {
            ingress[index]["ipMode"] = "VIP"
        }
        object.set(.array(ingress), at: ["status", "loadBalancer", "ingress"])
    }

    private func completed(_ port: JSONValue) -> JSONValue {
        var port = port
        if port.text("protocol").isEmpty { port["protocol"] = "TCP" }
        let target = port["targetPort"]
        if target == nil || target == .integer(0) || target == .string("") { port["targetPort"] = port["port"] }
        return port
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["loadBalancer": [:]]
        dropUnusedPolicy(&object)
    }

    /// Traffic within the cluster does not meet what is a name alone. Upstream keeps the policy and never shows it; one that is
    /// not known stays, to be refused.
    private func dropUnusedPolicy(_ object: inout JSONValue) {
        guard object["spec"]?.text("type") == "ExternalName",
            ServiceValidation.internalPolicies.contains(object["spec"]?.text("internalTrafficPolicy") ?? "")
        else { return }
        object.remove(at: ["spec", "internalTrafficPolicy"])
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        guard var spec = object["spec"], let before = old["spec"] else { return }
        let (type, was) = (spec.text("type"), before.text("type"))
        if type == "ExternalName", was != "ExternalName" { dropAddresses(&spec, before) }
        if Self.hasNodePorts(was), !Self.hasNodePorts(type) { dropNodePorts(&spec, before) }
        let needed = ServiceValidation.needsHealthCheck(before) && !ServiceValidation.needsHealthCheck(spec)
        if needed, spec["healthCheckNodePort"] == before["healthCheckNodePort"] { spec["healthCheckNodePort"] = nil }
        if was == "LoadBalancer", type != "LoadBalancer" {
            for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] where spec[field] == before[field] { spec[field] = nil }
        }
        let isClosed = ServiceValidation.isExternal(before) && !ServiceValidation.isExternal(spec)
        if isClosed, spec["externalTrafficPolicy"] == before["externalTrafficPolicy"] { spec["externalTrafficPolicy"] = nil }
        object["spec"] = spec
        if type != "LoadBalancer" { object.set([:], at: ["status", "loadBalancer"]) }
        dropUnusedPolicy(&object)
    }

    private static func hasNodePorts(_ type: String) -> Bool { type == "NodePort" || type == "LoadBalancer" }

    /// What belonged to the old type alone goes with it, unless the update says otherwise.
    private func dropAddresses(_ spec: inout JSONValue, _ before: JSONValue) {
        if spec.text("clusterIP") == before.text("clusterIP"), spec.list("clusterIPs") == before.list("clusterIPs") {
            spec["clusterIP"] = nil
            spec["clusterIPs"] = nil
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] where spec[field] == before[field] { spec[field] = nil }
    }

    private func dropNodePorts(_ spec: inout JSONValue, _ before: JSONValue) {
        let had = Set(before.list("ports").map { $0.number("nodePort") }).union([0])
        guard var ports = spec["ports"]?.array, had.isSuperset(of: ports.map { $0.number("nodePort") }) else { return }
        for index in ports.indices { ports[index]["nodePort"] = nil }
        spec["ports"] = .array(ports)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.label.check(object, &issues)
        ServiceValidation(object, old: nil).check(&issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let check = ServiceValidation(object, old: old)
        check.update(&issues)
        check.check(&issues)
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        LoadBalancerValidation.check(object, old: old, type: object["spec"]?.text("type") ?? "", &issues)
        return issues
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        var warnings: [String] = []
        let spec = object["spec"] ?? [:]
        let type = spec.text("type")
        if object["metadata"]?["annotations"]?["service.kubernetes.io/topology-aware-hints"] != nil {
            let words = "is deprecated, please use service.kubernetes.io/topology-mode instead"
            warnings.append("annotation service.kubernetes.io/topology-aware-hints \(words)")
        }
        let hasExternal = !spec.list("externalIPs").isEmpty
        let isHeadless = type == "ClusterIP" && spec.text("clusterIP") == "None"
        if isHeadless {
            if !spec.text("loadBalancerIP").isEmpty { warnings.append("spec.loadBalancerIP is ignored for headless services") }
            if hasExternal { warnings.append("spec.externalIPs is ignored for headless services") }
            if spec.text("sessionAffinity") != "None" { warnings.append("spec.SessionAffinity is ignored for headless services") }
        }
        if hasExternal, !isHeadless, type != "ExternalName" {
            warnings.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
        }
        if type == "ExternalName", hasExternal { warnings.append("spec.externalIPs is ignored when spec.type is \"ExternalName\"") }
        if type != "ExternalName", !spec.text("externalName").isEmpty {
            warnings.append("spec.externalName is ignored when spec.type is not \"ExternalName\"")
        }
        if spec.text("trafficDistribution") == "PreferClose" {
            warnings.append("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"")
        }
        return warnings
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let type = spec.text("type")
        let address = spec.texts("clusterIPs").first ?? spec.text("clusterIP")
        return [
            Cells.name(object), .string(type), .string(address.isEmpty ? "<none>" : address), .string(externalAddress(object, type)),
            .string(ports(spec)), Cells.age(object, now: now), .string(Cells.labels(spec["selector"])),
        ]
    }

    private func externalAddress(_ object: JSONValue, _ type: String) -> String {
        let external = object["spec"]?.texts("externalIPs") ?? []
        switch type {
        case "LoadBalancer":
            let given = Cells.loadBalancer(object["status"]) + external
            return given.isEmpty ? "<pending>" : given.joined(separator: ",")
        case "ExternalName": return object["spec"]?.text("externalName") ?? ""
        case "ClusterIP", "NodePort": return external.isEmpty ? "<none>" : external.joined(separator: ",")
        default: return "<unknown>"
        }
    }

    private func ports(_ spec: JSONValue) -> String {
        let ports = spec.list("ports").map { port in
            let node = port.number("nodePort")
            return "\(port.number("port"))\(node > 0 ? ":\(node)" : "")/\(port.text("protocol"))"
        }
        return ports.isEmpty ? "<none>" : ports.joined(separator: ",")
    }
}
