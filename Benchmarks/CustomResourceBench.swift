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
            try await measureRules(server, report)
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

    /// The same kinds without rules and with them: what is more then, is the compiled rules', each with its message.
    private func measureRules(_ server: RunningServer, _ report: Report) async throws {
        let client = try Connections.client(server.kubeconfig)
        let rules = 20
        let plain = try await grown(server, client, "plain", rules: 0)
        let ruled = try await grown(server, client, "ruled", rules: rules)
        let each = (ruled - plain) * 1024 / Double(Self.ruledKinds * rules)
        report.atMost("resident memory per rule with a message, compiled", each, "KiB", budget: 16)
    }

    private static let ruledKinds = 150

    private static func kindName(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }

    /// By how many MiB the server grows with kinds of this many rules, and an object of each.
    private func grown(_ server: RunningServer, _ client: APIClient, _ name: String, rules: Int) async throws -> Double {
        let before = server.facts.residentMiB
        try await Parallel.run(Self.ruledKinds, workers: 8, clients: [client]) { client, index in
            _ = try await client.create(Self.resource, namespace: nil, Self.ruled(name, index, rules))
        }
        for index in 0..<Self.ruledKinds {
            let kind = GroupVersionResource(group: "rules.apus.io", version: "v1", resource: "\(name)\(index)s")
            try await waitUntil("\(name)\(index) served", every: .milliseconds(50)) {
                (try? await client.list(kind, namespace: "default", options: ListOptions())) != nil
            }
            let object: JSONValue = [
                "apiVersion": "rules.apus.io/v1", "kind": .string("\(Self.kindName(name))\(index)"), "metadata": ["name": "one"],
                "spec": ["name": "one", "count": 3, "parts": [["name": "a", "size": 1]]],
            ]
            _ = try await client.create(kind, namespace: "default", object)
        }
        try await Task.sleep(for: .seconds(3))
        return server.facts.residentMiB - before
    }

    /// A definition with rules of the usual length, each of its own.
    private static func ruled(_ name: String, _ index: Int, _ count: Int) -> JSONValue {
        let rules = (0..<count).map { number -> JSONValue in
            let text =
                "self.parts.all(p, p.size < \(100 + number) || p.name.startsWith('x\(index)')) && (!has(self.name) || "
                + "self.name.size() <= \(40 + number)) && self.count in [1, 3, \(number + 5)]"
            return ["rule": .string(text), "messageExpression": "'too many: %d'.format([self.count])"]
        }
        let part: JSONValue = [
            "type": "object", "properties": ["name": ["type": "string", "maxLength": 63], "size": ["type": "integer"]],
        ]
        var spec: JSONValue = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "maxLength": 63], "count": ["type": "integer"],
                "parts": ["type": "array", "maxItems": 20, "items": part],
            ],
        ]
        if !rules.isEmpty { spec["x-kubernetes-validations"] = .array(rules) }
        let names: JSONValue = ["plural": .string("\(name)\(index)s"), "kind": .string("\(kindName(name))\(index)")]
        let schema: JSONValue = ["type": "object", "properties": ["spec": spec]]
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(name)\(index)s.rules.apus.io")],
            "spec": [
                "group": "rules.apus.io", "scope": "Namespaced", "names": names,
                "versions": [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]],
            ],
        ]
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
