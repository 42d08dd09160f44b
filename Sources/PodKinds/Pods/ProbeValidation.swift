import Schema
import Units
import Values

/// What is wrong with probes and life-cycle handlers.
package struct ProbeValidation {
    /// The pod's time to end, which bounds how long a handler may sleep.
    package let gracePeriod: Int64?
    /// The operating system the pod names; empty when it names none.
    package let system: String

    private static let probeKinds = ["exec", "httpGet", "tcpSocket", "grpc"]
    private static let hookKinds = ["exec", "httpGet", "tcpSocket", "sleep"]

    /// The issues of a container's probes and hooks.
    package func check(_ container: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        if let lifecycle = container["lifecycle"] { check(lifecycle: lifecycle, at: path.child("lifecycle"), &issues) }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let probe = container[kind] { check(probe, kind: kind, at: path.child(kind), &issues) }
        }
    }

    private func check(lifecycle: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        for hook in ["postStart", "preStop"] {
            if let handler = lifecycle[hook] { handlerIssues(handler, Self.hookKinds, at: path.child(hook), &issues) }
        }
        guard let signal = lifecycle["stopSignal"]?.string else { return }
        let place = path.child("stopSignal")
        switch system {
        case "": issues.forbidden(place, "may not be set for containers with empty `spec.os.name`")
        case "windows": issues.oneOf(signal, ["SIGKILL", "SIGTERM"], place)
        case "linux": issues.oneOf(signal, Self.signals, place)
        default: break
        }
    }

    private func check(_ probe: JSONValue, kind: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        handlerIssues(probe, Self.probeKinds, at: path, &issues)
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
            issues.nonNegative(probe[field]?.int, path.child(field))
        }
        let grace = probe["terminationGracePeriodSeconds"]?.int
        if let grace, grace <= 0 {
            issues.invalid(path.child("terminationGracePeriodSeconds"), .integer(grace), "must be greater than 0")
        }
        if kind == "readinessProbe" {
            guard let grace else { return }
            issues.invalid(path.child("terminationGracePeriodSeconds"), .integer(grace), "must not be set for readinessProbes")
        } else if probe.number("successThreshold") != 1 {
            issues.invalid(path.child("successThreshold"), .integer(probe.number("successThreshold")), "must be 1")
        }
    }

    /// Exactly one way to act, and that one complete.
    private func handlerIssues(_ handler: JSONValue, _ kinds: [String], at path: FieldPath, _ issues: inout [FieldIssue]) {
        var isFound = false
        for kind in kinds {
            guard let action = handler[kind] else { continue }
            if isFound {
                issues.forbidden(path.child(kind), "may not specify more than 1 handler type")
            } else {
                isFound = true
                actionIssues(action, kind, at: path.child(kind), &issues)
            }
        }
        if !isFound { issues.required(path, "must specify a handler type") }
    }

    private func actionIssues(_ action: JSONValue, _ kind: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        switch kind {
        case "exec":
            if action.list("command").isEmpty { issues.required(path.child("command")) }
        case "httpGet":
            issues.need(action.text("path"), path.child("path"))
            issues.port(action["port"], path.child("port"))
            issues.oneOf(action.text("scheme"), ["HTTP", "HTTPS"], path.child("scheme"))
            for header in action.list("httpHeaders") {
                issues.add(Names.httpHeaderNameIssues(header.text("name")), path.child("httpHeaders"), header.text("name"))
            }
        case "tcpSocket", "grpc":
            issues.port(action["port"], path.child("port"))
        case "sleep":
            let seconds = action.number("seconds")
            if let gracePeriod, seconds < 0 || seconds > gracePeriod {
                let words = "must be non-negative and less than terminationGracePeriodSeconds (\(gracePeriod))"
                issues.invalid(path, .integer(seconds), words)
            }
        default: break
        }
    }

    /// What a container may be stopped with on Linux, sorted.
    private static let signals: [String] = {
        let named = [
            "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF",
            "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM",
            "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
        ]
        let realTime = (1...15).map { "RTMIN+\($0)" } + (1...14).map { "RTMAX-\($0)" }
        return (named + realTime).map { "SIG" + $0 }.sorted()
    }()
}
