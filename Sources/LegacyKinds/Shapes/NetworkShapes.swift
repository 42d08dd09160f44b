import Schema
import Values

extension LegacyShape {
    // MARK: Ingress

    /// Backends named their service in two fields, and the default one was just `backend`.
    static let ingress = LegacyShape(
        edit: SchemaEdit(
            below: [
                "spec": SchemaEdit(
                    removed: ["defaultBackend"],
                    added: { spec in
                        guard let today = spec.field("defaultBackend")?.node else { return [] }
                        let node = SchemaNode(
                            shape: .object,
                            body: SchemaBody(fields: ingressBackendFields(today), isBuiltin: true)
                        )
                        return [.old("backend", node, "Where requests go that match no rule.", number: 1, type: "IngressBackend")]
                    },
                    below: [
                        "rules": SchemaEdit(below: [
                            "http": SchemaEdit(below: [
                                "paths": SchemaEdit(below: [
                                    "backend": SchemaEdit(removed: ["service"], added: { ingressBackendFields($0) })
                                ])
                            ])
                        ])
                    ]
                )
            ]
        ),
        defaults: { object in
            object.forEachPath { $0.fill(["pathType"], "ImplementationSpecific") }
        },
        up: { object in
            if var backend = object.value(at: ["spec", "backend"]) {
                object.remove(at: ["spec", "backend"])
                serviceFields(toToday: &backend)
                object.set(backend, at: ["spec", "defaultBackend"])
            }
            object.forEachPath { path in
                guard var backend = path["backend"] else { return }
                serviceFields(toToday: &backend)
                path["backend"] = backend
            }
        },
        down: { object in
            if var backend = object.value(at: ["spec", "defaultBackend"]) {
                object.remove(at: ["spec", "defaultBackend"])
                serviceFields(toPast: &backend)
                object.set(backend, at: ["spec", "backend"])
            }
            object.forEachPath { path in
                guard var backend = path["backend"] else { return }
                serviceFields(toPast: &backend)
                path["backend"] = backend
            }
        }
    )

    private static func ingressBackendFields(_ today: SchemaNode) -> [SchemaField] {
        let resource = today.field("resource").map { [$0] } ?? []
        return [
            .old("serviceName", .scalar(.string), "The service requests go to.", number: 1, type: "string"),
            .old("servicePort", .scalar(.intOrString), "The service's port, by number or name.", number: 2, type: "IntOrString"),
        ] + resource
    }

    private static func serviceFields(toToday backend: inout JSONValue) {
        let name = backend.take("serviceName")?.string ?? ""
        let port = backend.take("servicePort")
        guard !name.isEmpty || (port != nil && port != 0) else { return }
        var service: JSONValue = ["name": .string(name)]
        switch port {
        case .string(let text)?: service["port"] = ["name": .string(text)]
        case let number?: service["port"] = ["number": number]
        case nil: service["port"] = [:]
        }
        backend["service"] = service
    }

    private static func serviceFields(toPast backend: inout JSONValue) {
        guard let service = backend.take("service") else { return }
        backend["serviceName"] = service["name"] ?? ""
        if let name = service.value(at: ["port", "name"])?.string, !name.isEmpty {
            backend["servicePort"] = .string(name)
        } else {
            backend["servicePort"] = service.value(at: ["port", "number"]) ?? 0
        }
    }

    // MARK: EndpointSlice

    private static let zone = "topology.kubernetes.io/zone"
    private static let hostname = "kubernetes.io/hostname"

    /// Where an endpoint is was said in a map of labels.
    static let endpointSlice = LegacyShape(
        edit: SchemaEdit(below: [
            "endpoints": SchemaEdit(
                removed: ["deprecatedTopology", "zone"],
                added: { endpoint in
                    guard let map = endpoint.field("deprecatedTopology")?.node else { return [] }
                    return [.old("topology", map, "Labels that say where the endpoint is.", number: 5, type: "map<string, string>")]
                }
            )
        ]),
        up: { object in
            object.forEach(at: ["endpoints"]) { endpoint in
                guard var labels = endpoint.take("topology") else { return }
                if let zone = labels.take(zone) { endpoint["zone"] = zone }
                if let node = labels[hostname], node == endpoint["nodeName"] { labels[hostname] = nil }
                if !labels.isEmptyObject { endpoint["deprecatedTopology"] = labels }
            }
        },
        down: { object in
            object.forEach(at: ["endpoints"]) { endpoint in
                var labels = endpoint.take("deprecatedTopology") ?? [:]
                if let zone = endpoint.take("zone") { labels[Self.zone] = zone }
                if let node = endpoint["nodeName"], !node.isNull { labels[hostname] = node }
                if !labels.isEmptyObject { endpoint["topology"] = labels }
            }
        }
    )
}

extension JSONValue {
    /// Changes every path of every rule of an ingress.
    fileprivate mutating func forEachPath(_ change: (inout JSONValue) -> Void) {
        forEach(at: ["spec", "rules"]) { rule in rule.forEach(at: ["http", "paths"], change) }
    }
}
