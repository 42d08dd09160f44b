import APITypes

/// The environment variables that tell a container of the services around it.
enum ServiceVariables {
    /// The services a pod of `namespace` is told of: all of its own, and always the API server's.
    static func variables(_ services: [Service], namespace: String, links: Bool) -> [String: String] {
        var chosen: [String: Service] = [:]
        for service in services {
            let address = service.spec.clusterIP
            if address.isEmpty || address == "None" || service.spec.ports.isEmpty { continue }
            let meta = service.metadata
            if meta.namespace == "default", meta.name == "kubernetes" {
                if chosen[meta.name] == nil { chosen[meta.name] = service }
            } else if links, meta.namespace == namespace {
                chosen[meta.name] = service
            }
        }
        var result: [String: String] = [:]
        for service in chosen.values { add(service, to: &result) }
        return result
    }

    private static func add(_ service: Service, to result: inout [String: String]) {
        let prefix = variableName(service.metadata.name)
        let address = service.spec.clusterIP
        result["\(prefix)_SERVICE_HOST"] = address
        for (index, port) in service.spec.ports.enumerated() {
            let number = "\(port.port)"
            if index == 0 { result["\(prefix)_SERVICE_PORT"] = number }
            if !port.name.isEmpty { result["\(prefix)_SERVICE_PORT_\(variableName(port.name))"] = number }
            let transport = port.`protocol`.isEmpty ? "TCP" : port.`protocol`
            let host = address.contains(":") ? "[\(address)]" : address
            let url = "\(transport.lowercased())://\(host):\(number)"
            if index == 0 { result["\(prefix)_PORT"] = url }
            let portPrefix = "\(prefix)_PORT_\(number)_\(transport.uppercased())"
            result[portPrefix] = url
            result["\(portPrefix)_PROTO"] = transport.lowercased()
            result["\(portPrefix)_PORT"] = number
            result["\(portPrefix)_ADDR"] = address
        }
    }

    private static func variableName(_ name: String) -> String {
        String(name.map { $0 == "-" ? "_" : $0 }).uppercased()
    }
}
