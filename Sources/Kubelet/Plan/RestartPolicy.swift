import APITypes
import PodRuntime

extension Container {
    /// An init container that keeps running beside the others (a sidecar).
    var isRestartableInit: Bool { restartPolicy == "Always" }
}

extension PodSpec {
    /// Whether a container that ended with `exitCode` is started again: its own rules first, then its own policy, then
    /// the pod's.
    func restarts(_ container: Container, exitCode: Int) -> Bool {
        for rule in container.restartPolicyRules where rule.matches(exitCode) {
            return rule.action == "Restart"
        }
        switch container.restartPolicy ?? restartPolicy {
        case "Never": return false
        case "OnFailure": return exitCode != 0
        default: return true
        }
    }

    /// Whether a running container that fails a probe is started again after it was killed.
    func restartsAfterKill(_ container: Container) -> Bool {
        (container.restartPolicy ?? restartPolicy) != "Never"
    }
}

extension ContainerRestartRule {
    func matches(_ exitCode: Int) -> Bool {
        guard let condition = exitCodes else { return false }
        let listed = condition.values.contains(exitCode)
        switch condition.`operator` {
        case "In": return listed
        case "NotIn": return !listed
        default: return false
        }
    }
}

extension Pod {
    /// Whether a container that does not run now must be started.
    func mustStart(_ container: Container, _ observed: ObservedPod) -> Bool {
        if metadata.deletionTimestamp != nil { return false }
        guard let latest = observed.latest(container.name) else { return true }
        switch latest.state {
        case .running: return false
        case .unknown, .created: return true
        case .exited: return spec.restarts(container, exitCode: latest.exitCode)
        }
    }
}
