import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds that say who has which address of the services.
enum AddressKinds {
    static let address = KindRules(
        generation: [],
        name: .address,
        check: { object, issues in
            let path = FieldPath("spec.parentRef")
            guard let parent = object["spec"]?["parentRef"] else { return issues.required(path) }
            let group = parent.text("group")
            if !group.isEmpty { issues.subdomain(group, path.child("group")) }
            for field in ["resource", "name", "namespace"] {
                let text = parent.text(field)
                if text.isEmpty {
                    if field != "namespace" { issues.required(path.child(field)) }
                } else {
                    issues.add(Names.pathSegmentIssues(text), path.child(field), text)
                }
            }
        },
        update: { object, old, issues in
            issues.immutable(object["spec"]?["parentRef"], old["spec"]?["parentRef"], FieldPath("spec.parentRef"))
        },
        row: PlainRows.ipAddress
    )

    static let serviceCIDR = KindRules(
        status: [:],
        check: { networks($0["spec"] ?? [:], &$1) },
        update: { object, old, issues in networkUpdate(object["spec"] ?? [:], old["spec"] ?? [:], &issues) },
        checksUpdates: false,
        row: PlainRows.serviceCIDR
    )

    private static let path = FieldPath("spec.cidrs")
    private static let immutable = "field is immutable"

    private static func networks(_ spec: JSONValue, _ issues: inout [FieldIssue]) {
        let given = spec.texts("cidrs")
        if given.isEmpty { return issues.required(path, "at least one CIDR required") }
        if given.count > 2 { return issues.invalid(path, ["CIDRs": spec["cidrs"] ?? []], "may only hold up to 2 values") }
        for (index, text) in given.enumerated() { issues.canonicalNetwork(text, path.index(index)) }
        let families = given.compactMap { CIDR($0)?.network.isV4 }
        if families.count == 2, families[0] == families[1] {
            let words = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            issues.invalid(path, spec["cidrs"], words)
        }
    }

    /// The second family may come later; nothing else changes.
    private static func networkUpdate(_ spec: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        let (given, before) = (spec.texts("cidrs"), old.texts("cidrs"))
        switch (before.count, given.count) {
        case let (had, has) where had == has:
            for index in given.indices where given[index] != before[index] {
                issues.invalid(path.index(index), .string(given[index]), immutable)
            }
        case (1, 2):
            if given[0] != before[0] { issues.invalid(path.index(0), .string(given[0]), immutable) }
            networks(spec, &issues)
        default: issues.invalid(path, spec["cidrs"], immutable)
        }
    }
}
