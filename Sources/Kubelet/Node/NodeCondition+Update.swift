import APITypes
import Units

/// What is wrong with the node right now; all false and nil on a healthy one.
struct NodeHealth: Sendable, Hashable {
    var memoryPressure = false
    var diskPressure = false
    var pidPressure = false
    /// Why pods cannot be run; nil when they can.
    var problem: String?
}

extension NodeHealth {
    /// The four conditions, with the times of those that stay as they were.
    func conditions(previous: [NodeCondition], now: Timestamp) -> [NodeCondition] {
        let made = [
            pressure(
                "MemoryPressure",
                memoryPressure,
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"
            ),
            pressure(
                "DiskPressure",
                diskPressure,
                "KubeletHasDiskPressure",
                "kubelet has disk pressure",
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure"
            ),
            pressure(
                "PIDPressure",
                pidPressure,
                "KubeletHasInsufficientPID",
                "kubelet has insufficient PID available",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available"
            ),
            ready,
        ]
        return made.map { condition in
            var condition = condition
            let old = previous.first { $0.type == condition.type && $0.status == condition.status }
            condition.lastHeartbeatTime = now
            condition.lastTransitionTime = old?.lastTransitionTime ?? now
            return condition
        }
    }

    private func pressure(
        _ type: String,
        _ isPressed: Bool,
        _ badReason: String,
        _ badMessage: String,
        _ goodReason: String,
        _ goodMessage: String
    ) -> NodeCondition {
        NodeCondition {
            $0.type = type
            $0.status = isPressed ? "True" : "False"
            $0.reason = isPressed ? badReason : goodReason
            $0.message = isPressed ? badMessage : goodMessage
        }
    }

    private var ready: NodeCondition {
        NodeCondition {
            $0.type = "Ready"
            $0.status = problem == nil ? "True" : "False"
            $0.reason = problem == nil ? "KubeletReady" : "KubeletNotReady"
            $0.message = problem ?? "kubelet is posting ready status"
        }
    }
}
