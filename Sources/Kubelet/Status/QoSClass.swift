import APITypes
import Units

/// How well a pod is guarded against others' use of the node.
public enum QoSClass: String, Sendable, Hashable {
    /// Every container states equal requests and limits for cpu and memory.
    case guaranteed = "Guaranteed"
    /// Some container states a request or limit.
    case burstable = "Burstable"
    /// Nothing is stated.
    case bestEffort = "BestEffort"

    /// The class that a pod's resources put it in.
    public init(_ pod: Pod) {
        let spec = pod.spec
        if let resources = spec.resources, !(resources.requests.isEmpty && resources.limits.isEmpty) {
            self = Self.of([resources])
            return
        }
        self = Self.of((spec.containers + spec.initContainers).map(\.resources))
    }

    private static let counted = ["cpu", "memory"]

    private static func of(_ all: [ResourceRequirements]) -> QoSClass {
        var isAnyStated = false
        var isGuaranteed = true
        for resources in all {
            for name in counted {
                let limit = resources.limits[name].flatMap { $0 > .zero ? $0 : nil }
                let request = resources.requests[name].flatMap { $0 > .zero ? $0 : nil } ?? limit
                if limit != nil || request != nil { isAnyStated = true }
                if limit == nil || request != limit { isGuaranteed = false }
            }
        }
        if !isAnyStated { return .bestEffort }
        return isGuaranteed ? .guaranteed : .burstable
    }
}
