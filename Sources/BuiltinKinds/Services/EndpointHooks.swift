import APIModel
import PodKinds
import Schema
import Units
import Values

/// What is wrong with an address that traffic is sent to.
enum EndpointAddress {
    static func check(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let address = IPAddress(text) else { return issues.invalid(path, .string(text), "must be a valid IP address") }
        if address.isUnspecified { issues.invalid(path, .string(text), "may not be unspecified (\(text))") }
        if address.isLoopback { issues.invalid(path, .string(text), "may not be in the loopback range (127.0.0.0/8, ::1/128)") }
        if address.isLinkLocal, !address.isMulticast {
            issues.invalid(path, .string(text), "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
        }
        let bytes = address.bytes
        if address.isV4 ? bytes.starts(with: [224, 0, 0]) : bytes[0] == 0xff && bytes[1] & 0x0f == 0x02 {
            issues.invalid(path, .string(text), "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
        }
    }
}

/// What is wrong with the status of a load balancer.
enum LoadBalancerValidation {
    private static let path = FieldPath("status").child("loadBalancer", "ingress")

    /// The status of a service (`type` is its) or of an ingress (no type).
    static func check(_ object: JSONValue, old: JSONValue, type: String?, _ issues: inout [FieldIssue]) {
        let ingress = object["status"]?["loadBalancer"]?.list("ingress") ?? []
        if ingress.isEmpty { return }
        if let type, type != "LoadBalancer" {
            return issues.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        }
        let known = (old["status"]?["loadBalancer"]?.list("ingress") ?? []).map { $0.text("ip") }
        for (index, entry) in ingress.enumerated() {
            let place = path.index(index)
            let (address, host) = (entry.text("ip"), entry.text("hostname"))
            if !address.isEmpty { issues.address(address, place.child("ip"), known: known) }
            if type != nil { mode(entry, hasAddress: !address.isEmpty, place.child("ipMode"), &issues) }
            if host.isEmpty { continue }
            issues.subdomain(host, place.child("hostname"))
            if IPAddress(host) != nil { issues.invalid(place.child("hostname"), .string(host), "must be a DNS name, not an IP address") }
        }
    }

    private static func mode(_ entry: JSONValue, hasAddress: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let mode = entry["ipMode"]?.string else {
            if hasAddress { issues.required(path, "must be specified when `ip` is set") }
            return
        }
        if !hasAddress { return issues.forbidden(path, "may not be specified when `ip` is not set") }
        issues.oneOf(mode, ["Proxy", "VIP"], path)
    }
}

/// The behaviour of Endpoints.
struct EndpointsHooks: KindHooks {
    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        for (index, subset) in object.list("subsets").enumerated() {
            self.subset(subset, FieldPath("subsets").index(index), &issues)
        }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        object["subsets"] == old["subsets"] ? [] : validate(object, context)
    }

    private func subset(_ subset: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let lists = ["addresses", "notReadyAddresses"]
        if lists.allSatisfy({ subset.list($0).isEmpty }) { issues.required(path, "must specify `addresses` or `notReadyAddresses`") }
        for list in lists {
            for (index, address) in subset.list(list).enumerated() { self.address(address, path.child(list).index(index), &issues) }
        }
        let ports = subset.list("ports")
        for (index, port) in ports.enumerated() {
            let place = path.child("ports").index(index)
            let name = port.text("name")
            if !name.isEmpty {
                issues.label(name, place.child("name"))
            } else if ports.count > 1 {
                issues.required(place.child("name"))
            }
            issues.range(port.number("port"), 1, 65535, place.child("port"))
            issues.choice(port.text("protocol"), ["SCTP", "TCP", "UDP"], place.child("protocol"))
            if let application = port["appProtocol"]?.string { issues.qualifiedName(application, place.child("appProtocol")) }
        }
    }

    private func address(_ address: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let text = address.text("ip")
        issues.address(text, path.child("ip"))
        let host = address.text("hostname")
        if !host.isEmpty { issues.label(host, path.child("hostname")) }
        if let node = address["nodeName"]?.string { issues.subdomain(node, path.child("nodeName")) }
        EndpointAddress.check(text, path.child("ip"), &issues)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), .string(endpoints(object)), Cells.age(object, now: now)]
    }

    private func endpoints(_ object: JSONValue) -> String {
        let subsets = object.list("subsets")
        if subsets.isEmpty { return "<none>" }
        var texts: [String] = []
        for subset in subsets {
            let addresses = subset.list("addresses").map { $0.text("ip") }
            let ports = subset.list("ports")
            if ports.isEmpty { texts += addresses }
            for port in ports {
                texts += addresses.map { ($0.contains(":") ? "[\($0)]" : $0) + ":\(port.number("port"))" }
            }
        }
        return Cells.limited(texts, "")
    }
}

/// The behaviour of EndpointSlices.
struct EndpointSliceHooks: KindHooks {
    private static let endpointLimit = 1000
    private static let addressLimit = 100
    private static let portLimit = 20000
    private static let hintLimit = 8
    private static let topologyLimit = 16

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        guard var endpoints = object["endpoints"]?.array else { return }
        // What topology once told has fields of its own.
        for index in endpoints.indices { endpoints[index]["deprecatedTopology"] = nil }
        object["endpoints"] = .array(endpoints)
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        object.text("addressType") == "FQDN" ? ["spec.addressType: FQDN endpoints are deprecated"] : []
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        if object.list("endpoints") != old.list("endpoints") { dropTopology(&object, old) }
        // Of the metadata, labels count.
        let labels = object["metadata"]?["labels"] != old["metadata"]?["labels"]
        guard labels || object.list("endpoints") != old.list("endpoints") || object.list("ports") != old.list("ports") else { return }
        object.set(.integer((old["metadata"]?.number("generation") ?? 0) + 1), at: ["metadata", "generation"])
    }

    /// The old topology is not written any more; what it says of nodes is kept where they are named.
    private func dropTopology(_ object: inout JSONValue, _ old: JSONValue) {
        let label = "kubernetes.io/hostname"
        let known = old.list("endpoints").compactMap { $0["deprecatedTopology"]?[label]?.string }.filter { !$0.isEmpty }
        guard var endpoints = object["endpoints"]?.array else { return }
        for index in endpoints.indices {
            if let node = endpoints[index]["deprecatedTopology"]?[label]?.string, endpoints[index]["nodeName"]?.string == nil,
                known.contains(node), Names.dns1123SubdomainIssues(node).isEmpty
            {
                endpoints[index]["nodeName"] = .string(node)
            }
            endpoints[index]["deprecatedTopology"] = nil
        }
        object["endpoints"] = .array(endpoints)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] { issues(object, keepsEndpoints: false) }

    private func issues(_ object: JSONValue, keepsEndpoints: Bool) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        let type = object.text("addressType")
        issues.choice(type, ["FQDN", "IPv4", "IPv6"], FieldPath("addressType"))
        ports(object.list("ports"), FieldPath("ports"), &issues)
        // What is unchanged was valid once.
        if keepsEndpoints { return issues }
        let endpoints = object.list("endpoints")
        let path = FieldPath("endpoints")
        if endpoints.count > Self.endpointLimit {
            issues.append(.tooMany(path, actual: endpoints.count, maximum: Self.endpointLimit))
        } else {
            for (index, endpoint) in endpoints.enumerated() { self.endpoint(endpoint, type, path.index(index), &issues) }
        }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let keepsEndpoints = object["endpoints"] == old["endpoints"]
        if !keepsEndpoints || object["ports"] != old["ports"] || object["addressType"] != old["addressType"] {
            issues = self.issues(object, keepsEndpoints: keepsEndpoints)
        }
        issues.immutable(object["addressType"], old["addressType"], FieldPath("addressType"))
        return issues
    }

    private func ports(_ ports: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if ports.count > Self.portLimit { return issues.append(.tooMany(path, actual: ports.count, maximum: Self.portLimit)) }
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = path.index(index)
            let name = port.text("name")
            if !name.isEmpty { issues.label(name, place.child("name")) }
            if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            issues.oneOf(port.text("protocol"), ["SCTP", "TCP", "UDP"], place.child("protocol"))
            if let application = port["appProtocol"]?.string { issues.qualifiedName(application, place.child("appProtocol")) }
        }
    }

    private func endpoint(_ endpoint: JSONValue, _ type: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let addresses = endpoint.texts("addresses")
        let place = path.child("addresses")
        if addresses.isEmpty {
            issues.required(place, "must contain at least 1 address")
        } else if addresses.count > Self.addressLimit {
            issues.append(.tooMany(place, actual: addresses.count, maximum: Self.addressLimit))
        }
        for (index, address) in addresses.enumerated() { self.address(address, type, place, index, &issues) }
        if let node = endpoint["nodeName"]?.string { issues.subdomain(node, path.child("nodeName")) }
        let topology = endpoint.members("deprecatedTopology")
        if topology.count > Self.topologyLimit {
            issues.append(.tooMany(path.child("deprecatedTopology"), actual: topology.count, maximum: Self.topologyLimit))
        }
        if let host = endpoint["hostname"]?.string { issues.label(host, path.child("hostname")) }
        guard let hints = endpoint["hints"] else { return }
        for list in ["forZones", "forNodes"] {
            let place = path.child("hints", list)
            let all = hints.list(list)
            if all.count > Self.hintLimit { return issues.append(.tooMany(place, actual: all.count, maximum: Self.hintLimit)) }
            var names: Set<String> = []
            for (index, hint) in all.enumerated() {
                let name = hint.text("name")
                if !names.insert(name).inserted { issues.append(.duplicate(place.index(index).child("name"), .string(name))) }
                let problems = list == "forZones" ? Names.labelValueIssues(name) : Names.dns1123SubdomainIssues(name)
                issues.add(problems, place.index(index).child("name"), name)
            }
        }
    }

    private func address(_ text: String, _ type: String, _ path: FieldPath, _ index: Int, _ issues: inout [FieldIssue]) {
        let place = path.index(index)
        if type == "FQDN" { return issues.subdomain(text.hasSuffix(".") ? String(text.dropLast()) : text, place) }
        let before = issues.count
        if type == "IPv6" {
            issues.canonicalAddress(text, place)
        } else {
            issues.address(text, place)
        }
        guard issues.count == before, let address = IPAddress(text) else { return }
        if ["IPv4", "IPv6"].contains(type), address.family != type { issues.invalid(path, .string(text), "must be an \(type) address") }
        EndpointAddress.check(text, place, &issues)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let ports = object.list("ports").map { $0["port"]?.int.map { String($0) } ?? $0["name"]?.string ?? "*" }
        let addresses = object.list("endpoints").flatMap { $0.texts("addresses") }
        return [
            Cells.name(object), object["addressType"] ?? "", .string(Cells.limited(ports, "<unset>")),
            .string(Cells.limited(addresses, "<unset>")), Cells.age(object, now: now),
        ]
    }
}
