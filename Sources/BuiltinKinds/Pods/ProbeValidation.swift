import Schema
import Units
import Values

/// What is wrong with probes and life-cycle handlers.
enum ProbeValidation {
    private static let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]

    /// The issues of a probe.
    static func issues(_ probe: JSONValue?, kind: String, at path: FieldPath) -> [FieldIssue] {
        guard let probe else { return [] }
        var issues = handlerIssues(probe, at: path)
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
            if let value = probe[field]?.int, value < 0 {
                issues.append(.invalid(path.child(field), .integer(value), "must be greater than or equal to 0"))
            }
        }
        if kind != "readinessProbe", let threshold = probe["successThreshold"]?.int, threshold != 1 {
            issues.append(.invalid(path.child("successThreshold"), .integer(threshold), "must be 1"))
        }
        if let grace = probe["terminationGracePeriodSeconds"]?.int {
            if kind == "readinessProbe" {
                issues.append(.invalid(path.child("terminationGracePeriodSeconds"), .integer(grace), "must not be set for readinessProbes"))
            } else if grace <= 0 {
                issues.append(.invalid(path.child("terminationGracePeriodSeconds"), .integer(grace), "must be greater than 0"))
            }
        }
        return issues
    }

    /// The issues of a handler: exactly one way to act, and that one complete.
    static func handlerIssues(_ handler: JSONValue, at path: FieldPath) -> [FieldIssue] {
        let given = kinds.filter { handler[$0] != nil }
        guard let kind = given.first else { return [.required(path, "must specify a handler type")] }
        var issues: [FieldIssue] = given.dropFirst().map { .forbidden(path.child($0), "may not specify more than 1 handler type") }
        let place = path.child(kind)
        switch kind {
        case "exec":
            if handler.value(at: ["exec", "command"])?.array?.isEmpty ?? true { issues.append(.required(place.child("command"), "")) }
        case "httpGet":
            if handler.value(at: ["httpGet", "path"])?.string?.isEmpty ?? true { issues.append(.required(place.child("path"), "")) }
            issues += portIssues(handler.value(at: ["httpGet", "port"]), place.child("port"))
        case "tcpSocket": issues += portIssues(handler.value(at: ["tcpSocket", "port"]), place.child("port"))
        case "grpc": issues += portIssues(handler.value(at: ["grpc", "port"]), place.child("port"))
        default: break
        }
        return issues
    }

    private static func portIssues(_ port: JSONValue?, _ path: FieldPath) -> [FieldIssue] {
        switch port {
        case .integer(let number)?:
            return (1...65535).contains(number) ? [] : [.invalid(path, .integer(number), ContainerValidation.portRange)]
        case .string(let name)?:
            return Names.portNameIssues(name).map { .invalid(path, .string(name), $0) }
        default:
            return [.invalid(path, .integer(0), ContainerValidation.portRange)]
        }
    }
}
