import APITypes
import PodRuntime

/// What must be done so that a running container has what it was given.
enum ContainerResize: Sendable, Hashable {
    case none
    /// The runtime changes its limits while it runs.
    case inPlace
    /// The container asks to begin anew with the new amounts.
    case restart

    /// - Parameter actual: what it has; nil when that is not known: then it has what it was given.
    init(_ container: Container, actual: ResourceRequirements?) {
        guard let actual, !container.resources.hasSameAmounts(actual) else {
            self = .none
            return
        }
        let mustRestart = container.resizePolicy.contains { policy in
            let name = policy.resourceName
            guard policy.restartPolicy == "RestartContainer" else { return false }
            return (container.resources.limits[name] ?? .zero) != (actual.limits[name] ?? .zero)
                || (container.resources.requests[name] ?? .zero) != (actual.requests[name] ?? .zero)
        }
        self = mustRestart ? .restart : .inPlace
    }
}

extension ContainerKill {
    static func resized(_ container: ObservedContainer) -> ContainerKill {
        ContainerKill(
            id: container.id,
            name: container.name,
            message: "Container \(container.name) resize requires restart",
            reason: .other
        )
    }
}
