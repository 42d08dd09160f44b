import APIModel
import BuiltinKinds
import Schema
import Units
import Values

/// Which families of addresses a service has. This cluster has one.
extension ServiceStep {
    private static let policyField = FieldPath("spec.ipFamilyPolicy")

    private var ownFamily: String { addresses.network.network.isV4 ? "IPv4" : "IPv6" }

    /// Fills in policy and families, or says what this cluster cannot do.
    func settle(_ write: inout Write) throws(APIError) {
        guard write.text("type") != "ExternalName", !isAsBefore(write) else { return }
        if write.spec["ipFamilyPolicy"]?.string == nil { write.service.set(.string(policy(write)), at: ["spec", "ipFamilyPolicy"]) }
        var issues = ServiceContinuity.addressIssues(write.service, old: write.old)
        if issues.isEmpty {
            reduce(&write, &issues)
            count(write, &issues)
            infer(&write, &issues)
        }
        guard issues.isEmpty else { throw write.refusal(issues) }
        if isOpen(write) { return openFamilies(&write) }
        if write.text("ipFamilyPolicy") == "RequireDualStack" {
            let words = "this cluster is not configured for dual-stack services"
            issues.append(.invalid(Self.policyField, "RequireDualStack", words))
        }
        for (index, family) in write.texts("ipFamilies").enumerated() where family != ownFamily {
            issues.append(.invalid(FieldPath("spec.ipFamilies").index(index), .string(family), "not configured on this cluster"))
        }
        guard issues.isEmpty else { throw write.refusal(issues) }
        if write.texts("ipFamilies").isEmpty { write.service.set([.string(ownFamily)], at: ["spec", "ipFamilies"]) }
    }

    /// A service that prefers two families keeps what it has, though the cluster may have changed.
    private func isAsBefore(_ write: Write) -> Bool {
        guard let before = write.before, write.text("ipFamilyPolicy") == "PreferDualStack", before["type"] == write.spec["type"],
            ["ClusterIP", "NodePort", "LoadBalancer"].contains(write.text("type"))
        else { return false }
        let policy = before["ipFamilyPolicy"]?.string ?? "PreferDualStack"
        return policy == "PreferDualStack"
            && ["clusterIPs", "ipFamilies"].allSatisfy { write.texts($0) == Self.texts(before, $0) }
    }

    /// Without addresses and without pods of its own: of any family.
    private func isOpen(_ write: Write) -> Bool {
        write.text("clusterIP") == "None" && (write.spec["selector"]?.object ?? [:]).isEmpty
    }

    private func policy(_ write: Write) -> String {
        if let known = write.before?["ipFamilyPolicy"]?.string { return known }
        return isOpen(write) ? "RequireDualStack" : "SingleStack"
    }

    /// What an update gives up, it has to give up in so many words.
    private func reduce(_ write: inout Write, _ issues: inout [FieldIssue]) {
        guard let before = write.before else { return }
        let fields = [("clusterIPs", "IP"), ("ipFamilies", "IP family")]
        for (field, words) in fields {
            let (new, old) = (write.texts(field), Self.texts(before, field))
            if write.text("ipFamilyPolicy") == "SingleStack" {
                if new == old, new.count > 1 { write.service.set([.string(new[0])], at: ["spec", field]) }
            } else if !new.isEmpty, new.count < old.count {
                let thing = field == "clusterIPs" ? "cluster \(words)" : words
                issues.append(
                    .invalid(
                        Self.policyField,
                        write.spec["ipFamilyPolicy"] ?? .null,
                        "must be 'SingleStack' to release the secondary \(thing)"
                    )
                )
            }
        }
    }

    private func count(_ write: Write, _ issues: inout [FieldIssue]) {
        guard write.text("ipFamilyPolicy") == "SingleStack" else { return }
        for (field, words) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] where write.texts(field).count == 2 {
            let reason = "must be 'RequireDualStack' or 'PreferDualStack' when multiple \(words) are specified"
            issues.append(.invalid(Self.policyField, "SingleStack", reason))
        }
    }

    /// Addresses given say of which families they are.
    private func infer(_ write: inout Write, _ issues: inout [FieldIssue]) {
        var families = write.texts("ipFamilies")
        for (index, address) in write.texts("clusterIPs").enumerated() {
            if address == "None" { break }
            guard index >= families.count, let parsed = IPAddress(address) else { continue }
            let family = parsed.isV4 ? "IPv4" : "IPv6"
            if family == ownFamily {
                families.append(family)
            } else {
                let field = FieldPath("spec.clusterIPs").index(index)
                issues.append(.invalid(field, write.spec["clusterIPs"] ?? .null, "\(family) is not configured on this cluster"))
            }
        }
        if !families.isEmpty { write.service.set(.array(families.map { .string($0) }), at: ["spec", "ipFamilies"]) }
    }

    private func openFamilies(_ write: inout Write) {
        var families = write.texts("ipFamilies")
        if families.isEmpty { families = [ownFamily] }
        if families.count < 2, write.text("ipFamilyPolicy") != "SingleStack" {
            families.append(families[0] == "IPv4" ? "IPv6" : "IPv4")
        }
        write.service.set(.array(families.map { .string($0) }), at: ["spec", "ipFamilies"])
    }
}
