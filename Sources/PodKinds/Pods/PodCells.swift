import Units
import Values

/// A pod's row in `kubectl get pods`.
///
/// Source: printPod of pkg/printers/internalversion.
package struct PodCells {
    private let pod: JSONValue
    private let now: Timestamp

    package init(_ pod: JSONValue, now: Timestamp) {
        self.pod = pod
        self.now = now
    }

    /// Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates.
    package var row: [JSONValue] {
        let facts = summary
        return [
            Cells.name(pod), .string("\(facts.ready)/\(containers.count)"), .string(facts.reason), .string(restarts(facts)),
            Cells.age(pod, now: now), address, text("spec", "nodeName"), text("status", "nominatedNodeName"),
            .string(gates),
        ]
    }

    private struct Summary {
        var reason: String
        var ready = 0
        var restarts: Int64 = 0
        var lastRestart: Timestamp?

        mutating func count(_ status: JSONValue) {
            restarts += status.number("restartCount")
            guard let text = status["lastState"]?["terminated"]?.text("finishedAt"), let time = Timestamp(text) else { return }
            lastRestart = max(lastRestart ?? time, time)
        }
    }

    private var address: JSONValue {
        let first = pod["status"]?.list("podIPs").first?.text("ip") ?? ""
        return first.isEmpty ? "<none>" : .string(first)
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
        var sidecars = Summary(reason: "")
        let isInitializing = addInitContainers(&result, &sidecars)
        if !isInitializing || isInitialized { addContainers(&result, sidecars) }
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
    private func addInitContainers(_ result: inout Summary, _ sidecars: inout Summary) -> Bool {
        let names = Set(initContainers.filter(isSidecar).map { $0.text("name") })
        for (index, status) in (pod["status"]?.list("initContainerStatuses") ?? []).enumerated() {
            let isSidecar = names.contains(status.text("name"))
            result.count(status)
            if isSidecar { sidecars.count(status) }
            if let terminated = status["state"]?["terminated"], terminated.number("exitCode") == 0 { continue }
            if isSidecar, status.flag("started") {
                if status.flag("ready") { result.ready += 1 }
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

    private func addContainers(_ result: inout Summary, _ sidecars: Summary) {
        result.restarts = sidecars.restarts
        result.lastRestart = sidecars.lastRestart
        var hasRunning = false
        var failure = ""
        for status in (pod["status"]?.list("containerStatuses") ?? []).reversed() {
            result.count(status)
            let state = status["state"] ?? [:]
            let waiting = state["waiting"]?.text("reason") ?? ""
            if !waiting.isEmpty {
                result.reason = waiting
            } else if let terminated = state["terminated"] {
                result.reason = ended(terminated)
                if terminated.number("exitCode") != 0 { failure = result.reason }
            } else if status.flag("ready"), state["running"] != nil {
                hasRunning = true
                result.ready += 1
            }
        }
        guard result.reason == "Completed" else { return }
        let isReady = conditions.contains { $0.text("type") == "Ready" && $0.text("status") == "True" }
        if hasRunning, isReady {
            result.reason = "Running"
        } else if !failure.isEmpty {
            result.reason = failure
        } else if hasRunning {
            result.reason = "NotReady"
        }
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
