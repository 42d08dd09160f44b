import APIModel
import APITypes
import Access
import Proxying
import Schema
import Units
import Values

/// What every cluster has from its first moment. Made once at start; what exists is left alone.
struct BootstrapObjects {
    let server: APIServer

    private static let priorities: [(name: String, value: Int64, text: String)] = [
        (
            "system-cluster-critical", 2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
        ),
        ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
    ]

    func create() async throws(APIError) {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            try await ensure(.core("namespaces"), "", name, [:])
        }
        for priority in Self.priorities {
            try await ensure(
                GroupResource(group: "scheduling.k8s.io", resource: "priorityclasses"),
                "",
                priority.name,
                ["value": .integer(priority.value), "globalDefault": false, "description": .string(priority.text)]
            )
        }
        try await ensure(
            GroupResource(group: "networking.k8s.io", resource: "servicecidrs"),
            "",
            "kubernetes",
            ["spec": ["cidrs": [.string(server.environment.configuration.serviceCIDR.description)]]]
        )
        try await kubernetesService()
        if let proxy = server.environment.configuration.frontProxy { try await frontProxy(proxy) }
    }

    /// What servers behind this one need to believe it: upstream's ConfigMap, which they read with a role made for it.
    private func frontProxy(_ proxy: FrontProxy) async throws(APIError) {
        func list(_ names: [String]) -> JSONValue { .string(JSONValue(names).description) }
        let data: JSONValue = [
            "client-ca-file": .string(proxy.clientCAPEM), "requestheader-client-ca-file": .string(proxy.requestHeaderCAPEM),
            "requestheader-allowed-names": list(proxy.allowedNames),
            "requestheader-extra-headers-prefix": list(["X-Remote-Extra-"]),
            "requestheader-group-headers": list(["X-Remote-Group"]), "requestheader-uid-headers": list(["X-Remote-Uid"]),
            "requestheader-username-headers": list(["X-Remote-User"]),
        ]
        let name = "extension-apiserver-authentication"
        try await publish(.core("configmaps"), in: "kube-system", named: name, ["data": data])
    }

    private func kubernetesService() async throws(APIError) {
        let configuration = server.environment.configuration
        let ports: JSONValue = [
            ["name": "https", "protocol": "TCP", "port": 443, "targetPort": .integer(Int64(configuration.advertisePort))]
        ]
        let address = server.services.first
        let spec: JSONValue = [
            "type": "ClusterIP", "sessionAffinity": "None", "ipFamilyPolicy": "SingleStack",
            "clusterIP": .string(address), "clusterIPs": [.string(address)], "ports": ports,
        ]
        let labels: JSONValue = ["component": "apiserver", "provider": "kubernetes"]
        try await ensure(.core("services"), "default", "kubernetes", ["metadata": ["labels": labels], "spec": spec])
        guard !configuration.advertiseAddress.isEmpty else { return }
        try await publish(
            .core("endpoints"),
            [
                "metadata": ["labels": ["endpointslice.kubernetes.io/skip-mirror": "true"]],
                "subsets": [
                    [
                        "addresses": [["ip": .string(configuration.advertiseAddress)]],
                        "ports": [["name": "https", "port": .integer(Int64(configuration.advertisePort)), "protocol": "TCP"]],
                    ]
                ],
            ]
        )
        let isV4 = IPAddress(configuration.advertiseAddress)?.isV4 ?? true
        try await publish(
            GroupResource(group: "discovery.k8s.io", resource: "endpointslices"),
            [
                "metadata": ["labels": ["kubernetes.io/service-name": "kubernetes"]],
                "addressType": isV4 ? "IPv4" : "IPv6",
                "endpoints": [
                    ["addresses": [.string(configuration.advertiseAddress)], "conditions": ["ready": true]]
                ],
                "ports": [["name": "https", "port": .integer(Int64(configuration.advertisePort)), "protocol": "TCP"]],
            ]
        )
    }

    /// Creates an object unless one of that name exists.
    private func ensure(_ resource: GroupResource, _ namespace: String, _ name: String, _ content: JSONValue) async throws(APIError) {
        guard let view = server.resources.storageView(resource) else { return }
        let key = view.engine.key(namespace: namespace, name: name)
        guard try await view.engine.stored(key) == nil else { return }
        let object = try complete(content, view, namespace, name)
        do throws(APIError) {
            _ = try await view.engine.create(object, view: view, write: context(view, namespace, name))
        } catch {
            // Another server of the cluster was faster.
            guard error.isAlreadyExists else { throw error }
        }
    }

    /// Creates an object or makes it say what `content` says.
    private func publish(
        _ resource: GroupResource,
        in namespace: String = "default",
        named name: String = "kubernetes",
        _ content: JSONValue
    ) async throws(APIError) {
        guard let view = server.resources.storageView(resource) else { return }
        let object = try complete(content, view, namespace, name)
        let change = ObjectChange(retriesConflicts: true, creates: true) { old throws(APIError) in
            var object = object
            guard old["metadata"] != nil else { return object }
            object.set(old.value(at: ["metadata", "resourceVersion"]) ?? "", at: ["metadata", "resourceVersion"])
            return object
        }
        _ = try await view.engine.update(change, view: view, write: context(view, namespace, name))
    }

    private func complete(
        _ content: JSONValue,
        _ view: ResourceView,
        _ namespace: String,
        _ name: String
    ) throws(APIError) -> JSONValue {
        var object = content
        object.set(.string(name), at: ["metadata", "name"])
        if !namespace.isEmpty { object.set(.string(namespace), at: ["metadata", "namespace"]) }
        try ObjectDecoding(view).decode(&object, .strict, WarningList())
        return object
    }

    private func context(_ view: ResourceView, _ namespace: String, _ name: String) -> WriteContext {
        let now = server.environment.clock.now.wholeSeconds
        return WriteContext(
            user: UserIdentity(name: "system:apiserver", groups: [UserIdentity.mastersGroup]),
            now: now,
            namespace: namespace,
            name: name,
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: "v1",
            fieldManager: "kube-apiserver",
            owned: server.ownedWrite(view, subresource: "", now: now)
        )
    }
}
