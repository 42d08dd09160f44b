import APIModel
import Schema
import Units
import Values

/// The behaviour of services. Addresses and node ports are the server's to give (`APIServer`).
struct ServiceHooks: KindHooks {
    private static let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]

    func defaults(_ object: inout JSONValue) {
        guard var spec = object["spec"] else { return }
        if spec["type"] == nil { spec["type"] = "ClusterIP" }
        if spec["sessionAffinity"] == nil { spec["sessionAffinity"] = "None" }
        if spec["sessionAffinity"]?.string == "ClientIP", spec.value(at: ["sessionAffinityConfig", "clientIP", "timeoutSeconds"]) == nil {
            spec.set(.integer(10800), at: ["sessionAffinityConfig", "clientIP", "timeoutSeconds"])
        } else if spec["sessionAffinity"]?.string == "None" {
            spec["sessionAffinityConfig"] = nil
        }
        let type = spec["type"]?.string ?? ""
        if type == "NodePort" || type == "LoadBalancer", spec["externalTrafficPolicy"] == nil { spec["externalTrafficPolicy"] = "Cluster" }
        if type != "ExternalName", spec["internalTrafficPolicy"] == nil { spec["internalTrafficPolicy"] = "Cluster" }
        if type == "LoadBalancer", spec["allocateLoadBalancerNodePorts"] == nil { spec["allocateLoadBalancerNodePorts"] = true }
        if let ports = spec["ports"]?.array { spec["ports"] = .array(ports.map { completed($0) }) }
        object["spec"] = spec
        if object["status"] == nil || object["status"]?.object?.isEmpty == true { object["status"] = ["loadBalancer": [:]] }
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["loadBalancer": [:]]
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let spec = FieldPath("spec")
        let type = object.value(at: ["spec", "type"])?.string ?? ""
        var issues: [FieldIssue] = []
        if !Self.types.contains(type) { issues.append(.notSupported(spec.child("type"), .string(type), Self.types)) }
        let ports = object.value(at: ["spec", "ports"])?.array ?? []
        let isHeadless = object.value(at: ["spec", "clusterIP"])?.string == "None"
        if ports.isEmpty, !isHeadless, type != "ExternalName" { issues.append(.required(spec.child("ports"), "")) }
        if type == "ExternalName" {
            let name = object.value(at: ["spec", "externalName"])?.string ?? ""
            let text = name.hasSuffix(".") ? String(name.dropLast()) : name
            if text.isEmpty {
                issues.append(.required(spec.child("externalName"), ""))
            } else {
                issues += Names.dns1123SubdomainIssues(text).map { .invalid(spec.child("externalName"), .string(name), $0) }
            }
        }
        issues += portIssues(ports, spec.child("ports"))
        issues += PodSpecValidation.labelIssues(object.value(at: ["spec", "selector"]), spec.child("selector"))
        let affinity = object.value(at: ["spec", "sessionAffinity"])?.string ?? ""
        if !["ClientIP", "None"].contains(affinity) {
            issues.append(.notSupported(spec.child("sessionAffinity"), .string(affinity), ["ClientIP", "None"]))
        }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues = validate(object, context)
        let (address, before) = (object.value(at: ["spec", "clusterIP"])?.string ?? "", old.value(at: ["spec", "clusterIP"])?.string ?? "")
        let stays = object.value(at: ["spec", "type"])?.string != "ExternalName" && old.value(at: ["spec", "type"])?.string != "ExternalName"
        if stays, !before.isEmpty, address != before {
            issues.append(.invalid(FieldPath("spec").child("clusterIPs").index(0), .array([.string(address)]), "may not change once set"))
        }
        return issues
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let type = spec["type"]?.string ?? ""
        let address = spec["clusterIP"]?.string ?? ""
        return [
            Cells.name(object), .string(type), .string(address.isEmpty ? "<none>" : address), .string(externalAddress(object, type)),
            .string(ports(spec)), Cells.age(object, now: now), .string(Cells.labels(spec["selector"])),
        ]
    }

    private func completed(_ port: JSONValue) -> JSONValue {
        var port = port
        if port["protocol"]?.string?.isEmpty ?? true { port["protocol"] = "TCP" }
        let target = port["targetPort"]
        if target == nil || target == .integer(0) || target == .string("") { port["targetPort"] = port["port"] }
        return port
    }

    private func portIssues(_ ports: [JSONValue], _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var names: Set<String> = []
        var numbers: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = path.index(index)
            let name = port["name"]?.string ?? ""
            if name.isEmpty {
                if ports.count > 1 { issues.append(.required(place.child("name"), "")) }
            } else {
                issues += Names.dns1123LabelIssues(name).map { .invalid(place.child("name"), .string(name), $0) }
                if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
            let number = port["port"]?.int ?? 0
            issues += Names.portNumberIssues(number).map { .invalid(place.child("port"), .integer(number), $0) }
            let kind = port["protocol"]?.string ?? ""
            if !["SCTP", "TCP", "UDP"].contains(kind) {
                issues.append(.notSupported(place.child("protocol"), .string(kind), ["SCTP", "TCP", "UDP"]))
            }
            switch port["targetPort"] {
            case .integer(let target)?: issues += Names.portNumberIssues(target).map { .invalid(place.child("targetPort"), .integer(target), $0) }
            case .string(let target)?: issues += Names.portNameIssues(target).map { .invalid(place.child("targetPort"), .string(target), $0) }
            default: break
            }
            if !numbers.insert("\(kind)/\(number)").inserted {
                issues.append(.duplicate(place, ["port": .integer(number), "protocol": .string(kind)]))
            }
        }
        return issues
    }

    private func externalAddress(_ object: JSONValue, _ type: String) -> String {
        let external = (object.value(at: ["spec", "externalIPs"])?.array ?? []).compactMap(\.string)
        switch type {
        case "LoadBalancer":
            let ingress = object.value(at: ["status", "loadBalancer", "ingress"])?.array ?? []
            let given = ingress.compactMap { $0["ip"]?.string ?? $0["hostname"]?.string } + external
            return given.isEmpty ? "<pending>" : given.joined(separator: ",")
        case "ExternalName": return object.value(at: ["spec", "externalName"])?.string ?? ""
        default: return external.isEmpty ? "<none>" : external.joined(separator: ",")
        }
    }

    private func ports(_ spec: JSONValue) -> String {
        let ports = (spec["ports"]?.array ?? []).map { port in
            let number = port["port"]?.int ?? 0
            let node = port["nodePort"]?.int ?? 0
            return "\(number)\(node > 0 ? ":\(node)" : "")/\(port["protocol"]?.string ?? "TCP")"
        }
        return ports.isEmpty ? "<none>" : ports.joined(separator: ",")
    }
}
