import Schema
import Units
import Values

/// What is wrong with the containers of a pod spec.
package struct ContainerValidation {
    /// The pod spec around the containers.
    package let spec: JSONValue
    /// The volumes that mounts may use, by name.
    package let volumes: [String: JSONValue]
    /// The names of the pod's resource claims.
    package let claims: [String]
    private let hostUsers: Bool
    private let probes: ProbeValidation

    private static let protocols = ["SCTP", "TCP", "UDP"]
    private static let pullPolicies = ["Always", "IfNotPresent", "Never"]
    private static let terminationPolicies = ["File", "FallbackToLogsOnError"]
    private static let notWithoutRestart = "may not be set for init containers without restartPolicy=Always"
    private static let notEphemeral = "cannot be set for an Ephemeral Container"
    private static let hooks = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]
    private static let notInEphemeral = [
        "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
        "startupProbe", "lifecycle",
    ]

    package init(spec: JSONValue, volumes: [String: JSONValue], claims: [String]) {
        self.spec = spec
        self.volumes = volumes
        self.claims = claims
        hostUsers = spec["hostUsers"]?.bool ?? true
        probes = ProbeValidation(gracePeriod: spec["terminationGracePeriodSeconds"]?.int, system: spec["os"]?.text("name") ?? "")
    }

    /// Checks all containers of the spec at `path`.
    package func check(at path: FieldPath, _ issues: inout [FieldIssue]) {
        let containers = spec.list("containers")
        let place = path.child("containers")
        if containers.isEmpty { issues.required(place) }
        var names: Set<String> = []
        for (index, container) in containers.enumerated() {
            regular(container, at: place.index(index), names: &names, &issues)
        }
        hostPorts(containers, place, &issues)
        for (index, container) in spec.list("initContainers").enumerated() {
            initial(container, at: path.child("initContainers"), index, names: &names, &issues)
        }
        // Names that are missing are missed once, but an ephemeral container may not be without one as well.
        if spec.list("initContainers").contains(where: { $0.text("name").isEmpty }) { names.insert("") }
        for (index, container) in spec.list("ephemeralContainers").enumerated() {
            ephemeral(container, at: path.child("ephemeralContainers").index(index), names: &names, &issues)
        }
    }

    private func regular(_ container: JSONValue, at path: FieldPath, names: inout Set<String>, _ issues: inout [FieldIssue]) {
        common(container, at: path, &issues)
        let name = container.text("name")
        if !names.insert(name).inserted { issues.append(.duplicate(path.child("name"), .string(name))) }
        probes.check(container, at: path, &issues)
        restartRules(container, at: path, &issues)
    }

    private func initial(
        _ container: JSONValue,
        at list: FieldPath,
        _ index: Int,
        names: inout Set<String>,
        _ issues: inout [FieldIssue]
    ) {
        let path = list.index(index)
        common(container, at: path, &issues)
        if container["restartPolicy"]?.string != nil {
            restartRules(container, at: path, &issues)
        } else if !container.list("restartPolicyRules").isEmpty {
            issues.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used")
        }
        let name = container.text("name")
        if name.isEmpty, names.contains(name) { issues.append(.duplicate(path.child("name"), .string(name))) }
        if !name.isEmpty, !names.insert(name).inserted { issues.append(.duplicate(path.child("name"), .string(name))) }
        hostPorts([container], list, &issues)
        if container.text("restartPolicy") == "Always" { return probes.check(container, at: path, &issues) }
        for field in Self.hooks where container[field] != nil { issues.forbidden(path.child(field), Self.notWithoutRestart) }
        for (number, policy) in container.list("resizePolicy").enumerated() where policy.text("restartPolicy") == "RestartContainer" {
            let place = path.child("resizePolicy").index(number).child("restartPolicy")
            issues.invalid(place, policy["restartPolicy"], "must not be set to 'RestartContainer' for non-sidecar initContainers")
        }
    }

    private func ephemeral(_ container: JSONValue, at path: FieldPath, names: inout Set<String>, _ issues: inout [FieldIssue]) {
        common(container, at: path, &issues)
        Self.imageSpace(container, at: path, &issues)
        let name = container.text("name")
        if !names.insert(name).inserted { issues.append(.duplicate(path.child("name"), .string(name))) }
        let target = container.text("targetContainerName")
        let others = spec.list("containers") + spec.list("initContainers")
        if !target.isEmpty, !others.contains(where: { $0.text("name") == target }) {
            issues.append(.notFound(path.child("targetContainerName"), .string(target)))
        }
        for field in Self.notInEphemeral {
            guard let value = container[field], value.array?.isEmpty != true else { continue }
            if field == "resources", value.object?.isEmpty == true { continue }
            issues.forbidden(path.child(field), Self.notEphemeral)
        }
        for (index, mount) in container.list("volumeMounts").enumerated() {
            for field in ["subPath", "subPathExpr"] where !mount.text(field).isEmpty {
                issues.forbidden(path.child("volumeMounts").index(index).child(field), Self.notEphemeral)
            }
        }
    }

    private func common(_ container: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let name = container.text("name")
        if name.isEmpty {
            issues.required(path.child("name"))
        } else {
            issues.label(name, path.child("name"))
        }
        issues.need(container.text("image"), path.child("image"))
        issues.choice(container.text("terminationMessagePolicy"), Self.terminationPolicies, path.child("terminationMessagePolicy"))
        ports(container.list("ports"), path.child("ports"), &issues)
        EnvironmentValidation.check(container, at: path, &issues)
        MountValidation(container: container, volumes: volumes).check(at: path, &issues)
        issues.choice(container.text("imagePullPolicy"), Self.pullPolicies, path.child("imagePullPolicy"))
        if let resources = container["resources"], resources.object?.isEmpty == false {
            ResourceValidation.requirements(resources, claims: claims, path.child("resources"), &issues)
        }
        resizePolicies(container.list("resizePolicy"), path.child("resizePolicy"), &issues)
        SecurityValidation.container(container["securityContext"], hostUsers: hostUsers, path.child("securityContext"), &issues)
    }

    /// A pod's image has no spaces around it; a template's may, as it always could.
    package static func imageSpace(_ container: JSONValue, at path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        let image = container.text("image")
        if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            issues.invalid(path().child("image"), .string(image), "must not have leading or trailing whitespace")
        }
    }

    private func ports(_ ports: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = path.index(index)
            let name = port.text("name")
            if !name.isEmpty {
                let problems = Names.portNameIssues(name)
                issues.add(problems, place.child("name"), name)
                if problems.isEmpty, !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
            let number = port.number("containerPort")
            if number == 0 {
                issues.required(place.child("containerPort"))
            } else {
                issues.range(number, 1, 65535, place.child("containerPort"))
            }
            if port.number("hostPort") != 0 { issues.range(port.number("hostPort"), 1, 65535, place.child("hostPort")) }
            issues.choice(port.text("protocol"), Self.protocols, place.child("protocol"))
        }
    }

    private func hostPorts(_ containers: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var taken: Set<String> = []
        for (index, container) in containers.enumerated() {
            for (number, port) in container.list("ports").enumerated() where port.number("hostPort") != 0 {
                let text = "\(port.text("protocol"))/\(port.text("hostIP"))/\(port.number("hostPort"))"
                if taken.insert(text).inserted { continue }
                issues.append(.duplicate(path.index(index).child("ports").index(number).child("hostPort"), .string(text)))
            }
        }
    }

    private func resizePolicies(_ policies: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, policy) in policies.enumerated() {
            let name = policy.text("resourceName")
            if !seen.insert(name).inserted { issues.append(.duplicate(path.index(index), .string(name))) }
            issues.choice(name, ["cpu", "memory"], path)
            let restart = policy.text("restartPolicy")
            issues.choice(restart, ["NotRequired", "RestartContainer"], path)
            if spec.text("restartPolicy") == "Never", restart != "NotRequired" {
                issues.invalid(path, .string(restart), "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
            }
        }
    }

    private func restartRules(_ container: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let rules = container.list("restartPolicyRules")
        if let policy = container["restartPolicy"]?.string {
            issues.oneOf(policy, ["Always", "Never", "OnFailure"], path.child("restartPolicy"))
        } else if !rules.isEmpty {
            issues.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used")
        }
        let place = path.child("restartPolicyRules")
        if rules.count > 20 { issues.append(.tooMany(place, actual: rules.count, maximum: 20)) }
        for (index, rule) in rules.enumerated() {
            let place = place.index(index)
            issues.oneOf(rule.text("action"), ["Restart", "RestartAllContainers"], place.child("action"))
            guard let codes = rule["exitCodes"] else {
                issues.required(place.child("exitCodes"), "must be specified")
                continue
            }
            issues.oneOf(codes.text("operator"), ["In", "NotIn"], place.child("exitCodes", "operator"))
            let count = codes.list("values").count
            if count > 255 { issues.append(.tooMany(place.child("exitCodes", "values"), actual: count, maximum: 255)) }
        }
    }
}
