import PodKinds
import Schema
import Units
import Values

/// What is wrong with services, in upstream's words. What the server is still to allocate may be missing.
struct ServiceValidation {
    private let object: JSONValue
    private let spec: JSONValue
    private let before: JSONValue?

    private static let path = FieldPath("spec")
    private static let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    /// Where traffic within the cluster may go.
    static let internalPolicies = ["Cluster", "Local"]
    private static let longestAffinity: Int64 = 86400
    private static let sourceRanges = "service.beta.kubernetes.io/load-balancer-source-ranges"

    init(_ object: JSONValue, old: JSONValue?) {
        self.object = object
        spec = object["spec"] ?? [:]
        before = old.map { $0["spec"] ?? [:] }
    }

    /// Whether the outside can reach a service.
    static func isExternal(_ spec: JSONValue) -> Bool {
        let type = spec.text("type")
        return type == "LoadBalancer" || type == "NodePort" || type == "ClusterIP" && !spec.list("externalIPs").isEmpty
    }

    /// Whether load balancers have to ask nodes for health.
    static func needsHealthCheck(_ spec: JSONValue) -> Bool {
        spec.text("type") == "LoadBalancer" && spec.text("externalTrafficPolicy") == "Local"
    }

    private var type: String { spec.text("type") }

    /// The addresses, also where only the old single field is given.
    private func addresses(_ spec: JSONValue) -> [String] {
        let all = spec.texts("clusterIPs")
        let one = spec.text("clusterIP")
        return all.isEmpty && !one.isEmpty ? [one] : all
    }

    private var isHeadless: Bool { addresses(spec) == ["None"] }

    func check(_ issues: inout [FieldIssue]) {
        if spec.list("ports").isEmpty, !isHeadless, type != "ExternalName" { issues.required(Self.path.child("ports")) }
        if isHeadless, type == "LoadBalancer" || type == "NodePort" {
            issues.invalid(Self.path.child("clusterIPs").index(0), "None", "may not be set to 'None' for \(type) services")
        }
        if type == "ExternalName" { externalName(&issues) }
        ports(&issues)
        if let selector = spec["selector"] { SelectorValidation.labels(selector, Self.path.child("selector"), &issues) }
        affinity(&issues)
        checkAddresses(&issues)
        let known = before?.texts("externalIPs") ?? []
        for (index, address) in spec.texts("externalIPs").enumerated() {
            let count = issues.count
            issues.address(address, Self.path.child("externalIPs").index(index), known: known)
            if issues.count == count { EndpointAddress.check(address, Self.path.child("externalIPs").index(index), &issues) }
        }
        issues.choice(type, Self.types, Self.path.child("type"))
        uniquePorts(&issues)
        loadBalancer(&issues)
        traffic(&issues)
    }

    private func externalName(_ issues: inout [FieldIssue]) {
        for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            let isSet = field == "clusterIPs" ? !addresses(spec).isEmpty : spec[field] != nil && spec[field] != []
            if isSet { issues.forbidden(Self.path.child(field), "may not be set for ExternalName services") }
        }
        let name = spec.text("externalName")
        let plain = name.hasSuffix(".") ? String(name.dropLast()) : name
        if plain.isEmpty {
            issues.required(Self.path.child("externalName"))
        } else {
            issues.subdomain(plain, Self.path.child("externalName"))
        }
    }

    private func ports(_ issues: inout [FieldIssue]) {
        let ports = spec.list("ports")
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = Self.path.child("ports").index(index)
            let name = port.text("name")
            if name.isEmpty {
                if ports.count > 1 { issues.required(place.child("name")) }
            } else {
                issues.label(name, place.child("name"))
                if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
            issues.range(port.number("port"), 1, 65535, place.child("port"))
            issues.choice(port.text("protocol"), ["SCTP", "TCP", "UDP"], place.child("protocol"))
            issues.port(port["targetPort"], place.child("targetPort"))
            if let application = port["appProtocol"]?.string { issues.qualifiedName(application, place.child("appProtocol")) }
        }
    }

    private func uniquePorts(_ issues: inout [FieldIssue]) {
        var nodePorts: Set<String> = []
        var numbers: Set<String> = []
        let ports = spec.list("ports")
        for (index, port) in ports.enumerated() {
            let node = port.number("nodePort")
            if node == 0 { continue }
            let place = Self.path.child("ports").index(index).child("nodePort")
            if type == "ClusterIP" { issues.forbidden(place, "may not be used when `type` is 'ClusterIP'") }
            if !nodePorts.insert("\(port.text("protocol"))/\(node)").inserted { issues.append(.duplicate(place, .integer(node))) }
        }
        for (index, port) in ports.enumerated() where !numbers.insert("\(port.text("protocol"))/\(port.number("port"))").inserted {
            let value: JSONValue = ["port": .integer(port.number("port")), "protocol": .string(port.text("protocol"))]
            issues.append(.duplicate(Self.path.child("ports").index(index), value))
        }
    }

    private func affinity(_ issues: inout [FieldIssue]) {
        let affinity = spec.text("sessionAffinity")
        issues.choice(affinity, ["ClientIP", "None"], Self.path.child("sessionAffinity"))
        let place = Self.path.child("sessionAffinityConfig")
        guard affinity == "ClientIP" else {
            if affinity == "None", spec["sessionAffinityConfig"] != nil {
                issues.forbidden(place, "must not be set when session affinity is None")
            }
            return
        }
        let words = "when session affinity type is ClientIP"
        guard let config = spec["sessionAffinityConfig"] else { return issues.required(place, words) }
        guard let client = config["clientIP"] else { return issues.required(place.child("clientIP"), words) }
        let field = place.child("clientIP", "timeoutSeconds")
        guard let timeout = client["timeoutSeconds"]?.int else { return issues.required(field, words) }
        if timeout <= 0 || timeout > Self.longestAffinity {
            issues.invalid(field, .integer(timeout), "must be greater than 0 and less than \(Self.longestAffinity)")
        }
    }

    /// Whether `clusterIP`, `clusterIPs` and the families fit together.
    func checkAddresses(_ issues: inout [FieldIssue]) {
        if type != "ExternalName" { clusterAddresses(&issues) }
    }

    private func clusterAddresses(_ issues: inout [FieldIssue]) {
        let all = spec.texts("clusterIPs")
        let place = Self.path.child("clusterIPs")
        let one = spec.text("clusterIP")
        if let first = all.first {
            if one.isEmpty {
                issues.invalid(place, spec["clusterIPs"], "must be empty when `clusterIP` is not specified")
            } else if first != one {
                issues.invalid(place, spec["clusterIPs"], "first value must match `clusterIP`")
            }
        }
        families(&issues)
        let given = addresses(spec)
        let known = before?.texts("clusterIPs") ?? []
        let count = issues.count
        for (index, address) in given.enumerated() {
            if index == 0, address == "None" {
                if given.count > 1 { issues.invalid(place, spec["clusterIPs"], "'None' must be the first and only value") }
                continue
            }
            issues.address(address, place.index(index), known: known)
        }
        if given.count > 2 { issues.invalid(place, spec["clusterIPs"], "may only hold up to 2 values") }
        if issues.count > count { return }
        let parsed = given.compactMap { IPAddress($0) }
        if parsed.count == 2, parsed[0].isV4 == parsed[1].isV4 {
            issues.invalid(place, spec["clusterIPs"], "may specify no more than one IP for each IP family")
        }
        for (index, pair) in zip(parsed, spec.texts("ipFamilies")).enumerated() {
            guard ["IPv4", "IPv6"].contains(pair.1), pair.0.family != pair.1 else { continue }
            let words = "expected an \(pair.1) value as indicated by `ipFamilies[\(index)]`"
            issues.invalid(place.index(index), .string(given[index]), words)
        }
    }

    private func families(_ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, family) in spec.texts("ipFamilies").enumerated() {
            let place = Self.path.child("ipFamilies").index(index)
            issues.oneOf(family, ["IPv4", "IPv6"], place)
            if !seen.insert(family).inserted { issues.append(.duplicate(place, .string(family))) }
        }
        if let policy = spec["ipFamilyPolicy"]?.string {
            issues.oneOf(policy, ["PreferDualStack", "RequireDualStack", "SingleStack"], Self.path.child("ipFamilyPolicy"))
        }
    }

    private func loadBalancer(_ issues: inout [FieldIssue]) {
        let isBalanced = type == "LoadBalancer"
        let words = "may only be used when `type` is 'LoadBalancer'"
        let ranges = spec.texts("loadBalancerSourceRanges").map(Self.trimmed)
        if !ranges.isEmpty {
            let place = Self.path.child("LoadBalancerSourceRanges")
            if !isBalanced { issues.forbidden(place, words) }
            let known = (before?.texts("loadBalancerSourceRanges") ?? []).map(Self.trimmed)
            for (index, range) in ranges.enumerated() { issues.network(range, place.index(index), known: known) }
        } else if let text = object["metadata"]?["annotations"]?[Self.sourceRanges]?.string {
            let place = FieldPath("metadata").child("annotations").key(Self.sourceRanges)
            if !isBalanced { issues.forbidden(place, words) }
            for range in text.split(separator: ",") { issues.network(Self.trimmed(String(range)), place) }
        }
        if spec["allocateLoadBalancerNodePorts"] != nil, !isBalanced {
            issues.forbidden(Self.path.child("allocateLoadBalancerNodePorts"), words)
        }
        loadBalancerClass(&issues)
    }

    private func loadBalancerClass(_ issues: inout [FieldIssue]) {
        let words = "may only be used when `type` is 'LoadBalancer'"
        guard let name = spec["loadBalancerClass"]?.string else { return }
        if type == "LoadBalancer" {
            issues.qualifiedName(name, Self.path.child("loadBalancerClass"))
        } else {
            issues.forbidden(Self.path.child("loadBalancerClass"), words)
        }
    }

    private static func trimmed(_ text: String) -> String {
        var part = Substring(text)
        while part.first?.isWhitespace == true { part.removeFirst() }
        while part.last?.isWhitespace == true { part.removeLast() }
        return String(part)
    }

    private func traffic(_ issues: inout [FieldIssue]) {
        let external = spec.text("externalTrafficPolicy")
        let place = Self.path.child("externalTrafficPolicy")
        if Self.isExternal(spec) {
            issues.choice(external, ["Cluster", "Local"], place)
        } else if !external.isEmpty {
            issues.invalid(place, .string(external), "may only be set for externally-accessible services")
        }
        let port = spec.number("healthCheckNodePort")
        if port != 0 {
            let place = Self.path.child("healthCheckNodePort")
            if Self.needsHealthCheck(spec) {
                issues.range(port, 1, 65535, place)
            } else {
                let words = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
                issues.invalid(place, .integer(port), words)
            }
        }
        if let policy = spec["internalTrafficPolicy"]?.string {
            issues.oneOf(policy, Self.internalPolicies, Self.path.child("internalTrafficPolicy"))
        } else if ["ClusterIP", "NodePort", "LoadBalancer"].contains(type) {
            issues.required(Self.path.child("internalTrafficPolicy"))
        }
        if let distribution = spec["trafficDistribution"]?.string {
            issues.oneOf(distribution, ["PreferClose", "PreferSameZone", "PreferSameNode"], Self.path.child("trafficDistribution"))
        }
    }

    /// What an update may not change.
    func update(_ issues: inout [FieldIssue]) {
        guard let before else { return }
        if type != "ExternalName", before.text("type") != "ExternalName" {
            let (new, old) = (addresses(spec), addresses(before))
            // What is left out is what it was: the server fills it in.
            if let first = new.first, let known = old.first, first != known {
                issues.invalid(Self.path.child("clusterIPs").index(0), .array(new.map { .string($0) }), "may not change once set")
            } else if new.count == 2, old.count == 2, new[1] != old[1] {
                issues.invalid(Self.path.child("clusterIPs").index(1), .array(new.map { .string($0) }), "may not change once set")
            }
            familyUpdate(before, &issues)
        }
        let areBalanced = type == "LoadBalancer" && before.text("type") == "LoadBalancer"
        if areBalanced, spec["loadBalancerClass"] != before["loadBalancerClass"] {
            issues.invalid(Self.path.child("loadBalancerClass"), spec["loadBalancerClass"], "may not change once set")
        }
        // Said here and, as for a new service, once more.
        loadBalancerClass(&issues)
        if areBalanced {
            let (port, known) = (spec.number("healthCheckNodePort"), before.number("healthCheckNodePort"))
            if Self.needsHealthCheck(spec), Self.needsHealthCheck(before), port != 0, port != known {
                issues.forbidden(Self.path.child("healthCheckNodePort"), "field is immutable")
            }
        }
    }

    private func familyUpdate(_ before: JSONValue, _ issues: inout [FieldIssue]) {
        let (new, old) = (spec.texts("ipFamilies"), before.texts("ipFamilies"))
        guard !isHeadless, addresses(before) != ["None"], let first = new.first, let known = old.first else { return }
        if first != known { issues.invalid(Self.path.child("ipFamilies").index(0), spec["ipFamilies"], "may not change once set") }
        if new.count == 1, old.count == 2, spec.text("ipFamilyPolicy") != "SingleStack" {
            let words = "must be set to 'SingleStack' when releasing the secondary ipFamily"
            issues.invalid(Self.path.child("ipFamilyPolicy"), spec["ipFamilyPolicy"], words)
        }
    }
}
