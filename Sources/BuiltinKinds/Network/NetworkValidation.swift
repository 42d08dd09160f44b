import PodKinds
import Schema
import Units
import Values

/// What is wrong with ingresses and their classes.
enum IngressValidation {
    private static let annotation = "kubernetes.io/ingress.class"
    private static let pathTypes = ["Exact", "ImplementationSpecific", "Prefix"]
    private static let controllerLimit = 250

    /// An ingress; what the old one had wrong for long may stay so.
    static func check(_ object: JSONValue, old: JSONValue? = nil, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let allowsSecrets = (old?["spec"]?.list("tls") ?? []).contains { entry in
            !entry.text("secretName").isEmpty && !Names.dns1123SubdomainIssues(entry.text("secretName")).isEmpty
        }
        let allowsWildcards = (old?["spec"]?.list("rules") ?? []).contains { rule in
            var problems: [FieldIssue] = []
            if rule.text("host").contains("*") { paths(rule, .root, &problems) }
            return !problems.isEmpty
        }
        let path = FieldPath("spec")
        let rules = spec.list("rules")
        if rules.isEmpty, spec["defaultBackend"] == nil {
            issues.invalid(path, spec["rules"] ?? .null, "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { self.backend(backend, path.child("defaultBackend"), &issues) }
        for (index, rule) in rules.enumerated() {
            let place = path.child("rules").index(index)
            self.rule(rule, place, &issues)
            if !allowsWildcards || !rule.text("host").contains("*") { paths(rule, place, &issues) }
        }
        for (index, entry) in spec.list("tls").enumerated() {
            let place = path.child("tls").index(index)
            for (number, host) in entry.texts("hosts").enumerated() {
                let problems = host.contains("*") ? Names.wildcardDNS1123SubdomainIssues(host) : Names.dns1123SubdomainIssues(host)
                issues.add(problems, place.child("hosts").index(number), host)
            }
            let secret = entry.text("secretName")
            if !secret.isEmpty, !allowsSecrets { issues.subdomain(secret, place.child("secretName")) }
        }
        if let name = spec["ingressClassName"]?.string { issues.subdomain(name, path.child("ingressClassName")) }
    }

    /// What only a new ingress is asked for.
    static func create(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        guard let marked = object["metadata"]?["annotations"]?[annotation]?.string,
            let name = object["spec"]?["ingressClassName"]?.string, marked != name
        else { return }
        let place = FieldPath("annotations").child(annotation)
        issues.invalid(place, .string(marked), "must match `ingressClassName` when both are specified")
    }

    private static func rule(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let host = rule.text("host")
        if !host.isEmpty {
            if IPAddress(host) != nil { issues.invalid(path.child("host"), .string(host), "must be a DNS name, not an IP address") }
            let problems = host.contains("*") ? Names.wildcardDNS1123SubdomainIssues(host) : Names.dns1123SubdomainIssues(host)
            issues.add(problems, path.child("host"), host)
        }
    }

    private static func paths(_ rule: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let http = rule["http"] else { return }
        let place = path.child("http", "paths")
        let paths = http.list("paths")
        if paths.isEmpty { issues.required(place) }
        for (index, entry) in paths.enumerated() {
            self.path(entry, place.index(index), &issues)
        }
    }

    private static func path(_ entry: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let type = entry["pathType"]?.string else {
            return issues.required(path.child("pathType"), "pathType must be specified")
        }
        let text = entry.text("path")
        let place = path.child("path")
        switch type {
        case "Exact", "Prefix":
            if !text.hasPrefix("/") { issues.invalid(place, .string(text), "must be an absolute path") }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                issues.invalid(place, .string(text), "must not contain '\(part)'")
            }
            for end in ["/..", "/."] where text.hasSuffix(end) { issues.invalid(place, .string(text), "cannot end with '\(end)'") }
        case "ImplementationSpecific":
            if !text.isEmpty, !text.hasPrefix("/") { issues.invalid(place, .string(text), "must be an absolute path") }
        default: issues.oneOf(type, pathTypes, path.child("pathType"))
        }
        backend(entry["backend"] ?? [:], path.child("backend"), &issues)
    }

    private static func backend(_ backend: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let service = backend["service"]
        if let resource = backend["resource"] {
            if service != nil { return issues.invalid(path, "", "cannot set both resource and service backends") }
            return reference(resource, path.child("resource"), &issues)
        }
        guard let service else { return issues.invalid(path, "", "resource or service backend is required") }
        let name = service.text("name")
        if name.isEmpty {
            issues.required(path.child("service", "name"))
        } else {
            issues.label(name, path.child("service", "name"))
        }
        let port = service["port"] ?? [:]
        let (portName, number) = (port.text("name"), port.number("number"))
        switch (portName.isEmpty, number == 0) {
        case (false, false): issues.invalid(path, "", "cannot set both port name & port number")
        case (false, true): issues.add(Names.portNameIssues(portName), path.child("service", "port", "name"), portName)
        case (true, false): issues.range(number, 1, 65535, path.child("service", "port", "number"))
        case (true, true): issues.required(path, "port name or number is required")
        }
    }

    private static func reference(_ reference: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let group = reference["apiGroup"]?.string { issues.subdomain(group, path.child("apiGroup")) }
        for field in ["kind", "name"] {
            let text = reference.text(field)
            if text.isEmpty {
                issues.required(path.child(field))
            } else {
                issues.add(Names.pathSegmentIssues(text), path.child(field), text)
            }
        }
    }

    /// The parameters of a class belong to the cluster unless they say otherwise.
    static func completeClass(_ object: inout JSONValue) {
        guard let parameters = object["spec"]?["parameters"], parameters["scope"] == nil else { return }
        object.set("Cluster", at: ["spec", "parameters", "scope"])
    }

    /// An ingress class.
    static func checkClass(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("spec")
        let controller = object["spec"]?.text("controller") ?? ""
        let place = path.child("controller")
        if controller.utf8.count > controllerLimit { issues.append(.tooLong(place, maximum: controllerLimit)) }
        let parts = controller.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if controller.isEmpty {
            issues.required(place)
        } else if parts.count != 2 || parts[0].isEmpty || parts[1].isEmpty {
            issues.invalid(place, .string(controller), "must be a domain-prefixed path (such as \"acme.io/foo\")")
        } else {
            issues.add(Names.dns1123SubdomainIssues(String(parts[0])), place, String(parts[0]))
        }
        guard let parameters = object["spec"]?["parameters"] else { return }
        let own = path.child("parameters")
        reference(parameters, own, &issues)
        let scope = parameters.text("scope")
        if parameters["scope"]?.string == nil { return issues.required(own.child("scope")) }
        issues.oneOf(scope, ["Cluster", "Namespace"], own.child("scope"))
        let namespace = parameters["namespace"]?.string
        if scope == "Namespace" {
            guard let namespace else { return issues.required(own.child("namespace"), "`parameters.scope` is set to 'Namespace'") }
            issues.label(namespace, own.child("namespace"))
        } else if scope == "Cluster", namespace != nil {
            issues.forbidden(own.child("namespace"), "`parameters.scope` is set to 'Cluster'")
        }
    }

    /// Name, class, hosts, address, ports, age.
    static func row(_ row: TableRow) -> [JSONValue] {
        let rules = row.spec.list("rules")
        let hosts = rules.prefix(Cells.shown).map { $0.text("host") }.filter { !$0.isEmpty }
        let more = rules.count > Cells.shown && !hosts.isEmpty ? " + \(rules.count - Cells.shown) more..." : ""
        return [
            row.name, row.spec["ingressClassName"] ?? "<none>", .string(hosts.isEmpty ? "*" : hosts.joined(separator: ",") + more),
            .string(Cells.loadBalancer(row.object["status"]).joined(separator: ",")),
            row.spec.list("tls").isEmpty ? "80" : "80, 443", row.age,
        ]
    }

    /// Name, controller, parameters, age.
    static func classRow(_ row: TableRow) -> [JSONValue] {
        let isDefault = row.object["metadata"]?["annotations"]?["ingressclass.kubernetes.io/is-default-class"] == "true"
        var parameters = "<none>"
        if let own = row.spec["parameters"] {
            let group = own["apiGroup"]?.string.map { ".\($0)" } ?? ""
            parameters = "\(own.text("kind"))\(group)/\(own.text("name"))"
        }
        let name = row.name.string ?? ""
        return [.string(isDefault ? "\(name) (default)" : name), row.spec["controller"] ?? "", .string(parameters), row.age]
    }
}

/// What is wrong with network policies.
enum NetworkPolicyValidation {
    private static let types = ["Ingress", "Egress"]

    /// A policy is about what comes in, and about what goes out when it says anything of that.
    static func complete(_ object: inout JSONValue) {
        guard let spec = object["spec"] else { return }
        if spec.list("policyTypes").isEmpty {
            object.set(spec.list("egress").isEmpty ? ["Ingress"] : ["Ingress", "Egress"], at: ["spec", "policyTypes"])
        }
    }

    /// A policy; networks that the old one has, and selectors of its kind, are not checked anew.
    static func check(_ object: JSONValue, old: JSONValue? = nil, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        var before: [FieldIssue] = []
        SelectorValidation.selector(old?["spec"]?["podSelector"], .root, &before)
        let known = Known(networks: networks(old?["spec"] ?? [:]), allowsAnyValue: !before.isEmpty)
        let place = path.child("podSelector")
        SelectorValidation.selector(spec["podSelector"], allowsAnyValue: known.allowsAnyValue, place, &issues)
        for (list, peers) in [("ingress", "from"), ("egress", "to")] {
            for (index, rule) in spec.list(list).enumerated() {
                let place = path.child(list).index(index)
                for (number, port) in rule.list("ports").enumerated() { self.port(port, place.child("ports").index(number), &issues) }
                for (number, peer) in rule.list(peers).enumerated() {
                    self.peer(peer, known, place.child(peers).index(number), &issues)
                }
            }
        }
        let given = spec.texts("policyTypes")
        if given.count > types.count {
            return issues.invalid(path.child("policyTypes"), spec["policyTypes"], "may not specify more than two policyTypes")
        }
        for (index, type) in given.enumerated() { issues.oneOf(type, types, path.child("policyTypes").index(index)) }
    }

    private static func port(_ entry: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let name = entry["protocol"]?.string { issues.oneOf(name, ["TCP", "UDP", "SCTP"], path.child("protocol")) }
        let end = entry["endPort"]?.int
        switch entry["port"] {
        case .integer(let number)?:
            issues.range(number, 1, 65535, path.child("port"))
            guard let end else { return }
            if end < number { issues.invalid(path.child("endPort"), .integer(number), "must be greater than or equal to `port`") }
            issues.range(end, 1, 65535, path.child("endPort"))
        case .string(let name)?:
            if let end { issues.invalid(path.child("endPort"), .integer(end), "may not be specified when `port` is non-numeric") }
            issues.add(Names.portNameIssues(name), path.child("port"), name)
        default:
            if let end { issues.invalid(path.child("endPort"), .integer(end), "may not be specified when `port` is not specified") }
        }
    }

    /// What an update does not have to get right anew.
    private struct Known {
        var networks: [String] = []
        var allowsAnyValue = false
    }

    private static func networks(_ spec: JSONValue) -> [String] {
        let peers = spec.list("ingress").flatMap { $0.list("from") } + spec.list("egress").flatMap { $0.list("to") }
        return peers.compactMap { $0["ipBlock"] }.flatMap { [$0.text("cidr")] + $0.texts("except") }
    }

    private static func peer(_ peer: JSONValue, _ known: Known, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = ["podSelector", "namespaceSelector", "ipBlock"].filter { peer[$0] != nil }
        for field in given where field != "ipBlock" {
            SelectorValidation.selector(peer[field], allowsAnyValue: known.allowsAnyValue, path.child(field), &issues)
        }
        if let block = peer["ipBlock"] { self.block(block, known.networks, path.child("ipBlock"), &issues) }
        if given.isEmpty {
            issues.required(path, "must specify a peer")
        } else if given.count > 1, given.contains("ipBlock") {
            issues.forbidden(path, "may not specify both ipBlock and another peer")
        }
    }

    private static func block(_ block: JSONValue, _ known: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let text = block.text("cidr")
        if text.isEmpty { return issues.required(path.child("cidr")) }
        issues.network(text, path.child("cidr"), known: known)
        guard let whole = CIDR(text) else { return }
        for (index, except) in block.texts("except").enumerated() {
            let place = path.child("except").index(index)
            issues.network(except, place, known: known)
            guard let part = CIDR(except) else { continue }
            if !whole.contains(part.network) || whole.prefixLength >= part.prefixLength {
                issues.invalid(place, .string(except), "must be a strict subset of `cidr`")
            }
        }
    }
}
