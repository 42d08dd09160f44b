import APITypes
import Units

/// What the downward API tells a pod about itself.
struct DownwardFields {
    let pod: Pod
    let addresses: [String]
    let hostAddresses: [String]
    let allocatable: [String: Quantity]

    /// The value of a field path, as text.
    func field(_ path: String) throws(ContainerConfigError) -> String {
        let meta = pod.metadata
        if let (map, key) = Self.subscripted(path) {
            switch map {
            case "metadata.labels": return meta.labels[key] ?? ""
            case "metadata.annotations": return meta.annotations[key] ?? ""
            default: throw ContainerConfigError(message: "invalid field path \"\(path)\"")
            }
        }
        switch path {
        case "metadata.name": return meta.name
        case "metadata.namespace": return meta.namespace
        case "metadata.uid": return meta.uid
        case "metadata.labels": return Self.lines(meta.labels)
        case "metadata.annotations": return Self.lines(meta.annotations)
        case "spec.nodeName": return pod.spec.nodeName
        case "spec.serviceAccountName": return pod.spec.serviceAccountName
        case "status.hostIP": return hostAddresses.first ?? ""
        case "status.hostIPs": return hostAddresses.joined(separator: ",")
        case "status.podIP": return addresses.first ?? ""
        case "status.podIPs": return addresses.joined(separator: ",")
        default: throw ContainerConfigError(message: "unsupported fieldPath: \(path)")
        }
    }

    /// The value of a container's request or limit, in units of the divisor, rounded up.
    func resource(_ reference: ResourceFieldSelector, of container: Container) throws(ContainerConfigError) -> String {
        let parts = reference.resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "limits" || parts[0] == "requests" else {
            throw ContainerConfigError(message: "unsupported container resource : \(reference.resource)")
        }
        let name = parts[1]
        // A container without a limit may use what the node has.
        let quantity =
            parts[0] == "limits"
            ? container.resources.limits[name] ?? allocatable[name] ?? .zero
            : container.resources.requests[name] ?? .zero
        let divisor = reference.divisor > .zero ? reference.divisor : Quantity(value: 1, format: .decimalSI)
        if name == "cpu" { return "\(Self.dividedUp(quantity.milliValue, divisor.milliValue))" }
        return "\(Self.dividedUp(quantity.value, divisor.value))"
    }

    private static func dividedUp(_ value: Int64, _ divisor: Int64) -> Int64 {
        guard divisor > 0 else { return value }
        return value / divisor + (value % divisor > 0 ? 1 : 0)
    }

    /// Splits `metadata.labels['key']`.
    private static func subscripted(_ path: String) -> (map: String, key: String)? {
        guard path.hasSuffix("']"), let start = path.firstIndex(of: "[") else { return nil }
        let inner = path[path.index(after: start)...].dropLast()
        guard inner.first == "'", inner.last == "'", inner.count >= 2 else { return nil }
        return (String(path[..<start]), String(inner.dropFirst().dropLast()))
    }

    /// One `key="value"` a line, sorted, values quoted.
    static func lines(_ map: [String: String]) -> String {
        map.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(quoted($0.value))" }
            .joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
