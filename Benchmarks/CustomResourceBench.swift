import APIClient
import APIModel
import Values

/// What a CustomResourceDefinition costs in memory.
struct CustomResourceBench {
    let binary: String
    var count = 200
    private static let resource = GroupVersionResource(group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions")
    private static let what = "resident memory per CRD"

    func run(_ report: Report) async throws {
        let server = try RunningServer(binary: binary, arguments: ["--hollow-nodes", "1"])
        do {
            _ = try await server.time { try await $0.isReady() }
            try await measure(server, report)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    private func measure(_ server: RunningServer, _ report: Report) async throws {
        let client = try Connections.client(server.kubeconfig)
        do {
            _ = try await client.list(Self.resource, namespace: nil, options: ListOptions())
        } catch let error as APIError where error.code == 404 {
            report.missing(Self.what, "this binary serves no CRDs")
            return
        }
        try await Task.sleep(for: .seconds(3))
        let before = server.facts.residentMiB
        try await Parallel.run(count, workers: 8, clients: [client]) { client, index in
            _ = try await client.create(Self.resource, namespace: nil, Self.definition(index))
        }
        let wanted = count
        try await waitUntil("\(count) established CRDs", every: .milliseconds(200)) {
            let list = try await client.list(Self.resource, namespace: nil, options: ListOptions())
            return list.items.count { item in
                let conditions = item.value(at: ["status", "conditions"])?.array ?? []
                return conditions.contains { $0["type"] == "Established" && $0["status"] == "True" }
            } >= wanted
        }
        // One object of each: a kind that nobody uses may be cheap for that reason only.
        try await Parallel.run(count, workers: 8, clients: [client]) { client, index in
            let kind = GroupVersionResource(group: "bench.apus.io", version: "v1", resource: "things\(index)")
            let object: JSONValue = [
                "apiVersion": "bench.apus.io/v1", "kind": .string("Thing\(index)"), "metadata": ["name": "one"],
                "spec": ["part0": ["name": "a", "count": 1]],
            ]
            _ = try await client.create(kind, namespace: "default", object)
        }
        try await Task.sleep(for: .seconds(3))
        report.atMost(Self.what, (server.facts.residentMiB - before) * 1024 / Double(count), "KiB", budget: 200)
    }

    /// About 20 KB, 160 fields with descriptions: the size of a cert-manager or Gateway API definition.
    private static func definition(_ index: Int) -> JSONValue {
        var parts = JSONObject()
        for part in 0..<32 {
            parts["part\(part)"] = [
                "type": "object", "description": "One of the parts that make up the thing; each has a name and says how many there are.",
                "required": ["name"],
                "properties": [
                    "name": [
                        "type": "string", "minLength": 1, "maxLength": 63,
                        "description": "What the part is called, unique within the thing.",
                    ],
                    "count": [
                        "type": "integer", "minimum": 0, "default": 1,
                        "description": "How many of it are wanted; one unless told otherwise.",
                    ],
                    "labels": [
                        "type": "object", "additionalProperties": ["type": "string"], "description": "Marks that selectors find it by.",
                    ],
                    "modes": [
                        "type": "array", "items": ["type": "string", "enum": ["Fast", "Safe"]], "description": "How it may be run.",
                    ],
                ],
            ]
        }
        let names: JSONValue = [
            "plural": .string("things\(index)"), "singular": .string("thing\(index)"), "kind": .string("Thing\(index)"),
        ]
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "spec": ["type": "object", "properties": .object(parts)],
                "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
            ],
        ]
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("things\(index).bench.apus.io")],
            "spec": [
                "group": "bench.apus.io", "scope": "Namespaced", "names": names,
                "versions": [
                    [
                        "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
                        "subresources": ["status": [:]],
                    ]
                ],
            ],
        ]
    }
}
