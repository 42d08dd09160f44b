import Units
import Values

/// A pod's row in `kubectl get pods`.
///
/// Source: printPod of pkg/printers/internalversion.
struct PodCells {
    private let pod: JSONValue
    private let now: Timestamp

    init(_ pod: JSONValue, now: Timestamp) {
        self.pod = pod
        self.now = now
    }

    /// Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates.
    var row: [JSONValue] {
        let facts = summary
        return [
            Cells.name(pod), .string("\(facts.ready)/\(containers.count)"), .string(facts.reason), .string(restarts(facts)),
            Cells.age(pod, now: now), text("status", "podIP"), text("spec", "nodeName"), text("status", "nominatedNodeName"),
            .string(gates),
        ]
    }

    private struct Summary {
        var reason: String
        var ready = 0
        var restarts: Int64 = 0
        var lastRestart: Timestamp?
    }

    private var containers: [JSONValue] {
        // Restartable init containers are counted with the others, as kubectl does since sidecars exist.
        (pod.value(at: ["spec", "containers"])?.array ?? []) + initContainers.filter(isSidecar)
    }

    private var initContainers: [JSONValue] { pod.value(at: ["spec", "initContainers"])?.array ?? [] }

    private func isSidecar(_ container: JSONValue) -> Bool { container["restartPolicy"]?.string == "Always" }

    private func text(_ path: String...) -> JSONValue {
        let value = pod.value(at: path)?.string ?? ""
        return .string(value.isEmpty ? "<none>" : value)
    }

    private var summary: Summary {
        let own = pod.value(at: ["status", "reason"])?.string ?? ""
        let phase = pod.value(at: ["status", "phase"])?.string ?? ""
        var result = Summary(reason: own.isEmpty ? phase : own)
        let gated = conditions.contains { $0["type"]?.string == "PodScheduled" && $0["reason"]?.string == "SchedulingGated" }
        if gated { result.reason = "SchedulingGated" }
        let isInitializing = addInitContainers(&result)
        if !isInitializing || isInitialized { addContainers(&result) }
        if pod.value(at: ["metadata", "deletionTimestamp"])?.string != nil {
            if own == "NodeLost" {
                result.reason = "Unknown"
            } else if phase != "Succeeded", phase != "Failed" {
                result.reason = "Terminating"
            }
        }
        return result
    }

    private var conditions: [JSONValue] { pod.value(at: ["status", "conditions"])?.array ?? [] }

    private var isInitialized: Bool {
        conditions.contains { $0["type"]?.string == "Initialized" && $0["status"]?.string == "True" }
    }

    /// Adds what the init containers tell; true while one of them holds the pod back.
    private func addInitContainers(_ result: inout Summary) -> Bool {
        let sidecars = Set(initContainers.filter(isSidecar).compactMap { $0["name"]?.string })
        let statuses = pod.value(at: ["status", "initContainerStatuses"])?.array ?? []
        for (index, status) in statuses.enumerated() {
            let isSidecar = sidecars.contains(status["name"]?.string ?? "")
            count(status, &result)
            if let terminated = status.value(at: ["state", "terminated"]), terminated["exitCode"]?.int ?? 0 == 0, !isSidecar { continue }
            if isSidecar, status["started"]?.bool == true {
                if status["ready"]?.bool == true { result.ready += 1 }
                continue
            }
            result.reason = "Init:" + initReason(status, index)
            return true
        }
        return false
    }

    private func initReason(_ status: JSONValue, _ index: Int) -> String {
        if let terminated = status.value(at: ["state", "terminated"]) { return ended(terminated) }
        let waiting = status.value(at: ["state", "waiting", "reason"])?.string ?? ""
        if !waiting.isEmpty, waiting != "PodInitializing" { return waiting }
        return "\(index)/\(initContainers.count)"
    }

    private func ended(_ terminated: JSONValue) -> String {
        if let reason = terminated["reason"]?.string, !reason.isEmpty { return reason }
        let signal = terminated["signal"]?.int ?? 0
        return signal != 0 ? "Signal:\(signal)" : "ExitCode:\(terminated["exitCode"]?.int ?? 0)"
    }

    private func addContainers(_ result: inout Summary) {
        result.restarts = 0
        result.lastRestart = nil
        var hasRunning = false
        for status in (pod.value(at: ["status", "containerStatuses"])?.array ?? []).reversed() {
            count(status, &result)
            let waiting = status.value(at: ["state", "waiting", "reason"])?.string ?? ""
            if !waiting.isEmpty {
                result.reason = waiting
            } else if let terminated = status.value(at: ["state", "terminated"]) {
                result.reason = ended(terminated)
            } else if status["ready"]?.bool == true, status.value(at: ["state", "running"]) != nil {
                hasRunning = true
                result.ready += 1
            }
        }
        guard result.reason == "Completed", hasRunning else { return }
        let isReady = conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
        result.reason = isReady ? "Running" : "NotReady"
    }

    private func count(_ status: JSONValue, _ result: inout Summary) {
        result.restarts += status["restartCount"]?.int ?? 0
        guard let text = status.value(at: ["lastState", "terminated", "finishedAt"])?.string, let time = Timestamp(text) else { return }
        result.lastRestart = max(result.lastRestart ?? time, time)
    }

    private func restarts(_ facts: Summary) -> String {
        guard facts.restarts > 0, let last = facts.lastRestart else { return String(facts.restarts) }
        return "\(facts.restarts) (\(humanDuration(now - last)) ago)"
    }

    private var gates: String {
        let gates = pod.value(at: ["spec", "readinessGates"])?.array ?? []
        if gates.isEmpty { return "<none>" }
        let met = gates.count { gate in
            conditions.contains { $0["type"] == gate["conditionType"] && $0["status"]?.string == "True" }
        }
        return "\(met)/\(gates.count)"
    }
}
