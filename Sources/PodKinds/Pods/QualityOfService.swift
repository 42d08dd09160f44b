import Units
import Values

/// The quality-of-service class, which decides who goes first when a node runs short.
package enum QualityOfService {
    /// The class of a pod spec.
    package static func of(_ spec: JSONValue?) -> String {
        guard let spec else { return "BestEffort" }
        // What the pod says of itself counts, also when it is nothing.
        if let own = spec["resources"], own != .null { return of([own]) }
        return of((spec.list("initContainers") + spec.list("containers")).map { $0["resources"] ?? [:] })
    }

    private static func of(_ all: [JSONValue]) -> String {
        var isBestEffort = true
        var isGuaranteed = true
        for resources in all {
            for resource in ["cpu", "memory"] {
                let request = amount(resources, "requests", resource)
                let limit = amount(resources, "limits", resource)
                if request != nil || limit != nil { isBestEffort = false }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        if isBestEffort { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    private static func amount(_ resources: JSONValue, _ list: String, _ resource: String) -> Quantity? {
        guard let value = resources[list]?[resource], let quantity = Quantity.of(value), quantity > .zero else { return nil }
        return quantity
    }
}
