import Schema
import Units
import Values

/// What is wrong with requests and limits.
package enum ResourceValidation {
    private static let standard: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu",
        "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
        "configmaps", "persistentvolumeclaims", "storage", "requests.storage", "services.nodeports", "services.loadbalancers",
    ]
    private static let counted: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    ]
    private static let hugePages = "hugepages-"

    /// The requirements of a container, or of a whole pod.
    package static func requirements(
        _ resources: JSONValue,
        claims: [String],
        isPodLevel: Bool = false,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let limits = resources.members("limits")
        let requests = resources.members("requests")
        var hasHugePages = false
        var hasCompute = false
        for (name, value) in limits {
            entry(name, value, isPodLevel: isPodLevel, path, "limits", &issues)
            wholePages(name, value, path, "limits", &issues)
            hasHugePages = hasHugePages || isHugePages(name)
            hasCompute = hasCompute || name == "cpu" || name == "memory"
        }
        for (name, value) in requests {
            entry(name, value, isPodLevel: isPodLevel, path, "requests", &issues)
            compare(name, value, limits[name], path, &issues)
            wholePages(name, value, path, "requests", &issues)
            hasHugePages = hasHugePages || isHugePages(name)
            hasCompute = hasCompute || name == "cpu" || name == "memory"
        }
        if hasHugePages, !hasCompute { issues.forbidden(path, "HugePages require cpu or memory") }
        let used = resources.list("claims")
        if !used.isEmpty { claimNames(used, claims, path.child("claims"), &issues) }
    }

    private static func entry(
        _ name: String,
        _ value: JSONValue,
        isPodLevel: Bool,
        _ path: FieldPath,
        _ list: String,
        _ issues: inout [FieldIssue]
    ) {
        if name == "cpu" || name == "memory" || name == "ephemeral-storage" && !isPodLevel {
            guard let quantity = Quantity.of(value), quantity.isNegative else { return }
        }
        let place = path.child(list).key(name)
        if isPodLevel {
            podResourceName(name, place, &issues)
        } else {
            containerResourceName(name, place, &issues)
        }
        guard let quantity = Quantity.of(value) else { return }
        amount(name, quantity, place, &issues)
    }

    /// Huge pages come whole.
    private static func wholePages(_ name: String, _ value: JSONValue, _ path: FieldPath, _ list: String, _ issues: inout [FieldIssue]) {
        guard isHugePages(name), let quantity = Quantity.of(value), !isDivisible(quantity, name) else { return }
        let words = "\(quantity) is not positive integer multiple of \(name)"
        issues.invalid(path.child(list).key(name), .string(quantity.description), words)
    }

    private static func compare(
        _ name: String,
        _ request: JSONValue,
        _ limit: JSONValue?,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let overcommits = isNative(name) && !isHugePages(name)
        guard let limit else {
            if !overcommits { issues.required(path.child("limits"), "Limit must be set for non overcommitable resources") }
            return
        }
        if request == limit { return }
        guard let request = Quantity.of(request), let limit = Quantity.of(limit) else { return }
        if request != limit, !overcommits {
            issues.invalid(path.child("requests"), .string(request.description), "must be equal to \(name) limit of \(limit)")
        } else if request > limit {
            issues.invalid(path.child("requests"), .string(request.description), "must be less than or equal to \(name) limit of \(limit)")
        }
    }

    /// A quantity of a resource: not negative, and whole where the resource is counted.
    package static func amount(_ name: String, _ quantity: Quantity, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.nonNegativeQuantity(quantity, path)
        if counted.contains(name) || isExtended(name), quantity.milliValue % 1000 != 0 {
            issues.invalid(path, .string(quantity.description), "must be an integer")
        }
    }

    /// The name of any resource.
    package static func resourceName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard SelectorValidation.isQualifiedName(name) else { return issues.qualifiedName(name, path) }
        if !name.contains("/"), !standard.contains(name), !isQuotaHugePages(name) {
            issues.invalid(path, .string(name), "must be a standard resource type or fully qualified")
        }
    }

    /// The name of a resource that a container can have.
    package static func containerResourceName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        resourceName(name, path, &issues)
        if !name.contains("/") {
            if !["cpu", "memory", "ephemeral-storage"].contains(name), !isHugePages(name) {
                issues.invalid(path, .string(name), "must be a standard resource for containers")
            }
        } else if !isNative(name), !isExtended(name) {
            issues.invalid(path, .string(name), "doesn't follow extended resource name standard")
        }
    }

    private static func podResourceName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let before = issues.count
        resourceName(name, path, &issues)
        if issues.count > before || isHugePages(name) { return }
        issues.oneOf(name, ["cpu", "hugepages-", "memory"], path)
    }

    package static func isHugePages(_ name: String) -> Bool { name.utf8.starts(with: hugePages.utf8) }

    package static func isQuotaHugePages(_ name: String) -> Bool { isHugePages(name) || name.hasPrefix("requests.hugepages-") }

    package static func isNative(_ name: String) -> Bool {
        !name.utf8.contains(UInt8(ascii: "/")) || name.contains("kubernetes.io/")
    }

    package static func isExtended(_ name: String) -> Bool {
        if isNative(name) || name.hasPrefix("requests.") { return false }
        return SelectorValidation.isQualifiedName("requests." + name)
    }

    private static func isDivisible(_ quantity: Quantity, _ name: String) -> Bool {
        guard let page = Quantity(String(name.dropFirst(hugePages.count))), page > .zero, page.milliValue % 1000 == 0 else { return false }
        return quantity.value % page.value == 0
    }

    private static func claimNames(_ used: [JSONValue], _ known: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, claim) in used.enumerated() {
            let name = claim.text("name")
            let place = path.index(index)
            if name.isEmpty {
                issues.required(place)
                continue
            }
            let request = claim.text("request")
            if !request.isEmpty { issues.label(request, place.child("request")) }
            let key = request.isEmpty ? name : "\(name)/\(request)"
            let overlaps = request.isEmpty && seen.contains { $0.hasPrefix(name + "/") }
            if seen.contains(name) || overlaps {
                issues.append(.duplicate(place, .string(name)))
            } else if !seen.insert(key).inserted {
                issues.append(.duplicate(place, .string(key)))
            }
            if !known.contains(name) {
                let list = known.isEmpty ? " which is empty" : ": " + known.sorted().joined(separator: ", ")
                var issue = FieldIssue.notFound(place, .string(name))
                issue.detail = "must be one of the names in pod.spec.resourceClaims" + list
                issues.append(issue)
            }
        }
    }
}
