import Schema
import Units
import Values

/// What is wrong with a pod spec, in upstream's words and order.
///
/// Source: pkg/apis/core/validation.
package struct PodSpecValidation {
    private let spec: JSONValue
    private let old: JSONValue?
    private let path: FieldPath
    private let isPod: Bool

    private static let restartPolicies = ["Always", "OnFailure", "Never"]
    private static let dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
    private static let nameserverLimit = 3
    private static let searchLimit = 32
    private static let searchCharacters = 2048
    private static let hostnameLimit = 64
    private static let underscoreWords =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end "
        + "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')"

    /// Checks the spec of a pod (`name` is the pod's) or of a template (no name); `old` is the spec it replaces.
    package static func check(
        _ spec: JSONValue,
        old: JSONValue? = nil,
        at path: FieldPath,
        podName: String? = nil,
        _ issues: inout [FieldIssue]
    ) {
        let check = PodSpecValidation(spec: spec, old: old, path: path, isPod: podName != nil)
        check.run(podName: podName ?? "", &issues)
    }

    private func run(podName: String, _ issues: inout [FieldIssue]) {
        if spec["terminationGracePeriodSeconds"]?.int == nil { issues.required(path.child("terminationGracePeriodSeconds")) }
        let volumes = VolumeValidation(podName: podName, isPod: isPod).check(spec.list("volumes"), at: path.child("volumes"), &issues)
        let claims = resourceClaims(&issues)
        ContainerValidation(spec: spec, volumes: volumes, claims: claims).check(at: path, &issues)
        if let resources = spec["resources"] { podResources(resources, claims, &issues) }
        if spec.flag("hostNetwork") { hostNetworkPorts(&issues) }
        issues.choice(spec.text("restartPolicy"), Self.restartPolicies, path.child("restartPolicy"))
        issues.choice(spec.text("dnsPolicy"), Self.dnsPolicies, path.child("dnsPolicy"))
        if let selector = spec["nodeSelector"] { SelectorValidation.labels(selector, path.child("nodeSelector"), &issues) }
        SecurityValidation.pod(
            spec["securityContext"] ?? [:],
            old: old?["securityContext"],
            spec: spec,
            path.child("securityContext"),
            &issues
        )
        PlacementValidation.affinity(spec, at: path, &issues)
        dnsConfig(&issues)
        gates(&issues)
        PlacementValidation.spread(spec, at: path, &issues)
        hostProcess(&issues)
        hostUsers(&issues)
        hostname(&issues)
        names(&issues)
        PlacementValidation.tolerations(spec.list("tolerations"), path.child("tolerations"), &issues)
        for (index, alias) in spec.list("hostAliases").enumerated() {
            let place = path.child("hostAliases").index(index)
            issues.address(alias.text("ip"), place.child("ip"))
            for (number, name) in alias.texts("hostnames").enumerated() {
                issues.subdomain(name, place.child("hostnames").index(number))
            }
        }
        classes(&issues)
        if let overhead = spec["overhead"], overhead.object?.isEmpty == false {
            ResourceValidation.requirements(["limits": overhead], claims: [], path.child("overhead"), &issues)
        }
        if let system = spec["os"] { OperatingSystemValidation.check(spec, system.text("name"), at: path, &issues) }
        fileVolumes(&issues)
    }

    private func resourceClaims(_ issues: inout [FieldIssue]) -> [String] {
        let claims = spec.list("resourceClaims")
        var names: [String] = []
        for (index, claim) in claims.enumerated() {
            let place = path.child("resourceClaims").index(index)
            let name = claim.text("name")
            if name.isEmpty {
                issues.required(place.child("name"))
            } else if names.contains(name) {
                issues.append(.duplicate(place.child("name"), .string(name)))
            } else {
                issues.label(name, place.child("name"))
                names.append(name)
            }
            let given = ["resourceClaimName", "resourceClaimTemplateName"].filter { claim[$0]?.string != nil }
            if given.count == 2 {
                issues.invalid(place, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
            } else if given.isEmpty {
                issues.invalid(place, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
            }
            for field in given { issues.subdomain(claim.text(field), place.child(field)) }
        }
        return names
    }

    private func podResources(_ resources: JSONValue, _ claims: [String], _ issues: inout [FieldIssue]) {
        let place = path.child("resources")
        if spec["os"]?.text("name") == "windows" { return issues.forbidden(place, "may not be set for a windows pod") }
        if resources["claims"] != nil { issues.forbidden(place.child("claims"), "claims may not be set for Resources at pod-level") }
        ResourceValidation.requirements(resources, claims: claims, isPodLevel: true, place, &issues)
        PodResourceSums(spec: spec).check(resources, place, &issues)
    }

    private func hostNetworkPorts(_ issues: inout [FieldIssue]) {
        for (index, container) in spec.list("containers").enumerated() {
            for (number, port) in container.list("ports").enumerated() {
                let host = port.number("hostPort")
                guard isPod || host != 0, host != port.number("containerPort") else { continue }
                let place = path.child("containers").index(index).child("ports").index(number).child("hostPort")
                issues.invalid(place, .integer(host), "must match `containerPort` when `hostNetwork` is true")
            }
        }
    }

    private func dnsConfig(_ issues: inout [FieldIssue]) {
        let place = path.child("dnsConfig")
        let isNone = spec.text("dnsPolicy") == "None"
        guard let config = spec["dnsConfig"] else {
            if isNone { issues.required(place, "must provide `dnsConfig` when `dnsPolicy` is None") }
            return
        }
        let servers = config.texts("nameservers")
        if isNone, servers.isEmpty {
            return issues.required(place.child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None")
        }
        if servers.count > Self.nameserverLimit {
            let words = "must not have more than \(Self.nameserverLimit) nameservers"
            issues.invalid(place.child("nameservers"), config["nameservers"], words)
        }
        for (index, server) in servers.enumerated() { issues.address(server, place.child("nameservers").index(index)) }
        searches(config, place.child("searches"), &issues)
        for (index, option) in config.list("options").enumerated() where option.text("name").isEmpty {
            issues.required(place.child("options").index(index), "must not be empty")
        }
    }

    private func searches(_ config: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let searches = config.texts("searches")
        if searches.count > Self.searchLimit {
            issues.invalid(place, config["searches"], "must not have more than \(Self.searchLimit) search paths")
        }
        if searches.joined(separator: " ").utf8.count > Self.searchCharacters {
            let words = "must not have more than \(Self.searchCharacters) characters (including spaces) in the search list"
            issues.invalid(place, config["searches"], words)
        }
        for (index, search) in searches.enumerated() where search != "." {
            let name = search.hasSuffix(".") ? String(search.dropLast()) : search
            // Underscores are fine in the parts of a search path.
            let plain = String(name.enumerated().map { $0.element == "_" && $0.offset + 1 < name.count ? "a" : $0.element })
            let problems = Names.dns1123SubdomainIssues(plain).map { $0.hasPrefix("a lowercase") ? Self.underscoreWords : $0 }
            issues.add(problems, place.index(index), name)
        }
    }

    private func gates(_ issues: inout [FieldIssue]) {
        for (index, gate) in spec.list("readinessGates").enumerated() {
            issues.qualifiedName(gate.text("conditionType"), path.child("readinessGates").index(index).child("conditionType"))
        }
        var seen: Set<String> = []
        for (index, gate) in spec.list("schedulingGates").enumerated() {
            let name = gate.text("name")
            issues.qualifiedName(name, path.child("schedulingGates").index(index))
            if !seen.insert(name).inserted { issues.append(.duplicate(path.child("schedulingGates").index(index), .string(name))) }
        }
    }

    /// Host processes are all or none, and in the host's network.
    private func hostProcess(_ issues: inout [FieldIssue]) {
        let wanted = spec["securityContext"]?["windowsOptions"]?["hostProcess"]?.bool
        let containers = spec.containersWithPaths(at: path)
        var count = 0
        for (container, place) in containers {
            let own = container["securityContext"]?["windowsOptions"]?["hostProcess"]?.bool
            if let own, let wanted, own != wanted {
                let words = "pod hostProcess value must be identical if both are specified, was \(wanted)"
                issues.invalid(place.child("securityContext", "windowsOptions", "hostProcess"), .bool(own), words)
            }
            if own ?? wanted == true { count += 1 }
        }
        if count == 0 { return }
        if count != containers.count {
            issues.invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers")
        }
        if !spec.flag("hostNetwork") {
            issues.invalid(path.child("hostNetwork"), false, "hostNetwork must be true if pod contains any hostProcess containers")
        }
    }

    private func hostUsers(_ issues: inout [FieldIssue]) {
        guard spec["hostUsers"]?.bool == false else { return }
        let words = "when `hostUsers` is false"
        if spec.flag("hostNetwork") { issues.forbidden(path.child("hostNetwork"), words) }
        if spec.flag("hostPID") { issues.forbidden(path.child("HostPID"), words) }
        if spec.flag("hostIPC") { issues.forbidden(path.child("HostIPC"), words) }
        for (container, place) in spec.containersWithPaths(at: path) where !container.list("volumeDevices").isEmpty {
            issues.forbidden(place.child("volumeDevices"), words)
        }
    }

    private func hostname(_ issues: inout [FieldIssue]) {
        guard let name = spec["hostnameOverride"]?.string else { return }
        let place = path.child("hostnameOverride")
        if spec.flag("setHostnameAsFQDN") { issues.forbidden(place, "may not be specified when setHostnameAsFQDN is true") }
        if spec.flag("hostNetwork") { issues.forbidden(place, "may not be specified when hostNetwork is true") }
        if name.utf8.count > Self.hostnameLimit { issues.append(.tooLong(place, maximum: Self.hostnameLimit)) }
        issues.subdomain(name, place)
    }

    private func names(_ issues: inout [FieldIssue]) {
        for field in ["serviceAccountName", "nodeName"] {
            let name = spec.text(field)
            if !name.isEmpty { issues.subdomain(name, path.child(field)) }
        }
        if let deadline = spec["activeDeadlineSeconds"]?.int {
            issues.range(deadline, 1, 2_147_483_647, path.child("activeDeadlineSeconds"))
        }
        for field in ["hostname", "subdomain"] {
            let name = spec.text(field)
            if !name.isEmpty { issues.label(name, path.child(field)) }
        }
    }

    private func classes(_ issues: inout [FieldIssue]) {
        for field in ["priorityClassName", "runtimeClassName"] {
            let name = spec.text(field)
            if !name.isEmpty || field == "runtimeClassName" && spec[field] != nil { issues.subdomain(name, path.child(field)) }
        }
        if let policy = spec["preemptionPolicy"]?.string {
            issues.choice(policy, ["PreemptLowerPriority", "Never"], path.child("preemptionPolicy"))
        }
    }

    private func fileVolumes(_ issues: inout [FieldIssue]) {
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, container) in spec.list(list).enumerated() {
                for (number, variable) in container.list("env").enumerated() {
                    guard let file = variable["valueFrom"]?["fileKeyRef"] else { continue }
                    let name = file.text("volumeName")
                    let place = path.child(list).index(index).child("env").index(number).child("valueFrom", "fileKeyRef", "volumeName")
                    guard let volume = spec.list("volumes").last(where: { $0.text("name") == name }) else {
                        issues.append(.notFound(place, .string(name)))
                        continue
                    }
                    if volume["emptyDir"] == nil {
                        issues.invalid(place, .string(name), "referenced volume must be of type emptyDir")
                    }
                }
            }
        }
    }
}

extension JSONValue {
    /// The containers of a pod spec in the order of upstream's visits, each with where it stands.
    package func containersWithPaths(at path: FieldPath) -> [(container: JSONValue, path: FieldPath)] {
        var result: [(container: JSONValue, path: FieldPath)] = []
        for field in ["initContainers", "containers", "ephemeralContainers"] {
            let place = path.child(field)
            for (index, container) in list(field).enumerated() { result.append((container, place.index(index))) }
        }
        return result
    }
}
