import APIModel
import APITypes
import Units
import Values

/// Which ports of a pod a service reaches.
enum ServicePorts {
    /// The ports as slices list them; named targets a pod does not have are left out.
    static func endpointPorts(_ service: Service, _ pod: Pod) -> [DiscoveryEndpointPort] {
        service.spec.ports.compactMap { port in
            guard let number = number(of: port, in: pod) else { return nil }
            var result = DiscoveryEndpointPort(fields: [:])
            result.name = port.name
            result.port = number
            result.protocol = port.protocol
            result.appProtocol = port.appProtocol
            return result
        }
    }

    /// The container port a service port leads to; names are looked up in containers, then in sidecars.
    static func number(of port: ServicePort, in pod: Pod) -> Int? {
        switch port.targetPort {
        case .int(let number):
            return Int(number)
        case .string(let name):
            let sidecars = pod.spec.initContainers.filter { $0.restartPolicy == "Always" }
            for container in pod.spec.containers + sidecars {
                for candidate in container.ports where candidate.name == name && candidate.protocol == port.protocol {
                    return candidate.containerPort
                }
            }
            return nil
        }
    }
}

extension Pod {
    /// Has an address and has not finished.
    func belongsInEndpoints(includeTerminating: Bool) -> Bool {
        if isFinished || (status.podIP.isEmpty && status.podIPs.isEmpty) { return false }
        return includeTerminating || metadata.deletionTimestamp == nil
    }

    /// Is known in DNS under its own name within the service.
    func hasHostname(in service: Service) -> Bool {
        !spec.hostname.isEmpty && spec.subdomain == service.name && namespace == service.namespace
    }

    /// Its addresses of one family.
    func addresses(family: String) -> [String] {
        status.podIPs.compactMap { entry in
            guard let address = IPAddress(entry.ip), address.isIPv6 == (family == "IPv6") else { return nil }
            return address.description
        }
    }

    /// How endpoints point at it.
    var reference: ObjectReference {
        ObjectReference {
            $0.kind = "Pod"
            $0.namespace = namespace
            $0.name = name
            $0.uid = uid
        }
    }
}
