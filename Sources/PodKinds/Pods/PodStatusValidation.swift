import Schema
import Units
import Values

/// What a writer of a pod's status may not do.
package struct PodStatusValidation {
    private let pod: JSONValue
    private let old: JSONValue
    private let status: JSONValue
    private let before: JSONValue

    private static let path = FieldPath("status")
    private static let notBack = "may not be transitioned to non-terminated state"

    package init(_ pod: JSONValue, old: JSONValue) {
        self.pod = pod
        self.old = old
        status = pod["status"] ?? [:]
        before = old["status"] ?? [:]
    }

    package func check(_ issues: inout [FieldIssue]) {
        if status == before { return }
        for (index, condition) in status.list("conditions").enumerated() {
            let place = Self.path.child("conditions").index(index)
            if condition.number("observedGeneration") < 0 {
                let value = condition["observedGeneration"]
                issues.invalid(place.child("observedGeneration"), value, "must be a non-negative integer")
            }
            issues.qualifiedName(condition.text("type"), place.child("Type"))
        }
        nominatedNode(&issues)
        if status.number("observedGeneration") < 0 {
            issues.invalid(Self.path.child("observedGeneration"), status["observedGeneration"], "must be a non-negative integer")
        }
        issues.immutable(status["qosClass"] ?? "", before["qosClass"] ?? "", Self.path.child("qosClass"))
        transitions(&issues)
        claimStatuses(&issues)
        let spec = pod["spec"] ?? [:]
        extendedClaim(status["extendedResourceClaimStatus"], spec: spec, Self.path.child("extendedResourceClaimStatus"), &issues)
        addresses("podIPs", &issues)
        hostAddresses(&issues)
        users(status, system: spec["os"]?.text("name") ?? "", Self.path, &issues)
        devices(status, spec: spec, Self.path, &issues)
    }

    private func nominatedNode(_ issues: inout [FieldIssue]) {
        let name = status.text("nominatedNodeName")
        if name.isEmpty || name == before.text("nominatedNodeName") { return }
        let place = Self.path.child("nominatedNodeName")
        issues.subdomain(name, place)
        if old["spec"]?.text("nodeName").isEmpty == false {
            issues.forbidden(place, "may not be set on pods that are already bound to a node")
        }
    }

    private func transitions(_ issues: inout [FieldIssue]) {
        let spec = old["spec"] ?? [:]
        let all = spec.list("containers") + spec.list("initContainers")
        let restartsAll = all.contains { container in
            container.list("restartPolicyRules").contains { $0.text("action") == "RestartAllContainers" }
        }
        if !restartsAll {
            for (field, list) in [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")] {
                transitions(field, &issues) { name, code in
                    let container = spec.list(list).first { $0.text("name") == name }
                    return container.map { restarts($0, spec, isInit: list == "initContainers", code) } ?? false
                }
            }
        }
        transitions("ephemeralContainerStatuses", &issues) { _, _ in false }
    }

    private func transitions(_ field: String, _ issues: inout [FieldIssue], mayRestart: (String, Int64) -> Bool) {
        guard let known = before[field]?.array else { return }
        for (index, status) in known.enumerated() {
            guard let terminated = status["state"]?["terminated"] else { continue }
            let name = status.text("name")
            let now = self.status.list(field).first { $0.text("name") == name }
            guard let now, now["state"]?["terminated"] == nil, !mayRestart(name, terminated.number("exitCode")) else { continue }
            issues.forbidden(Self.path.child(field).index(index).child("state"), Self.notBack)
        }
    }

    private func restarts(_ container: JSONValue, _ spec: JSONValue, isInit: Bool, _ code: Int64) -> Bool {
        for rule in container.list("restartPolicyRules") {
            guard let codes = rule["exitCodes"], rule.text("action") == "Restart" else { continue }
            let isListed = codes.list("values").contains { $0.int == code }
            if isListed == (codes.text("operator") == "In") { return true }
        }
        switch container["restartPolicy"]?.string ?? spec.text("restartPolicy") {
        case "Always": return true
        case "OnFailure": return code != 0
        default: return false
        }
    }

    private func claimStatuses(_ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, claim) in status.list("resourceClaimStatuses").enumerated() {
            let place = Self.path.child("resourceClaimStatuses").index(index)
            let name = claim.text("name")
            if pod["spec"]?.list("resourceClaims").contains(where: { $0.text("name") == name }) != true {
                issues.invalid(place.child("name"), .string(name), "must match the name of an entry in `spec.resourceClaims`")
            }
            if !seen.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            if let made = claim["resourceClaimName"]?.string { issues.subdomain(made, place.child("resourceClaimName")) }
        }
    }

    private func addresses(_ field: String, _ issues: inout [FieldIssue]) {
        let all = status.list(field).map { $0.text("ip") }
        let known = before.list(field).map { $0.text("ip") }
        for (index, address) in all.enumerated() {
            issues.address(address, Self.path.child(field).index(index), known: known)
        }
        guard all.count > 1 else { return }
        if let index = all.firstIndex(where: { IPAddress($0) == nil }) {
            let words = "failed to check for dual stack with error:invalid IP[\(index)]: \(all[index])"
            issues.append(FieldIssue(kind: .internalError, path: Self.path.child(field), detail: words))
        }
        let families = all.compactMap { IPAddress($0)?.isV4 }
        if all.count > 2 || families.count != 2 || families[0] == families[1] {
            issues.invalid(Self.path.child(field), status[field], "may specify no more than one IP for each IP family")
        }
    }

    private func hostAddresses(_ issues: inout [FieldIssue]) {
        guard let first = status.list("hostIPs").first else { return }
        if first.text("ip") != status.text("hostIP") {
            issues.invalid(Self.path.child("hostIPs").index(0).child("ip"), first["ip"] ?? "", "must be equal to `hostIP`")
        }
        addresses("hostIPs", &issues)
    }
}
