import APITypes
import Units

/// What one probe run found, and the words for it.
struct ProbeResult: Sendable {
    var result: ProbeOutcome
    var output: String
    /// Succeeded, but oddly (a redirect elsewhere): told as ProbeWarning.
    var isWarning = false
}

/// Runs probes. None can hang: each ends with its timeout.
protocol Prober: Sendable {
    func probe(_ probe: Probe, container: Container, containerID: String, podIP: String) async -> ProbeResult
    func httpGet(_ get: HTTPGetAction, container: Container, podIP: String, timeout: Duration) async -> ProbeResult
}

extension Container {
    /// The number of a port given by number or name.
    func port(_ value: IntOrString) -> Int? {
        switch value {
        case .int(let number):
            return (1...65535).contains(number) ? Int(number) : nil
        case .string(let name):
            if let found = ports.first(where: { $0.name == name }) { return found.containerPort }
            return Int(name)
        }
    }
}
