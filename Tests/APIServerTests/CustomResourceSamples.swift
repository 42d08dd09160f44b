import Testing
import Values

@testable import APIServer

/// Definitions for the tests.
enum Samples {
    static let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    /// A definition with one version.
    static func definition(
        group: String = "apus.test",
        kind: String = "Widget",
        schema: JSONValue,
        status: Bool = false,
        more: JSONValue = [:]
    ) -> JSONValue {
        var version: JSONValue = [
            "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
        ]
        if status { version["subresources"] = ["status": [:]] }
        for (key, value) in more.object ?? [:] { version[key] = value }
        return definition(group: group, kind: kind, versions: [version])
    }

    /// A definition with the versions given.
    static func definition(group: String = "apus.test", kind: String = "Widget", versions: JSONValue) -> JSONValue {
        let plural = kind.lowercased() + "s"
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(plural).\(group)")],
            "spec": [
                "group": .string(group), "scope": "Namespaced",
                "names": ["plural": .string(plural), "kind": .string(kind)], "versions": versions,
            ],
        ]
    }

    /// A schema of an object with a spec of these properties.
    static func schema(_ spec: JSONValue, required: [String] = []) -> JSONValue {
        var inner: JSONValue = ["type": "object", "properties": spec]
        if !required.isEmpty { inner["required"] = JSONValue(required) }
        return ["type": "object", "properties": ["spec": inner]]
    }

    static func object(_ name: String, _ spec: JSONValue, kind: String = "Widget", version: String = "v1") -> JSONValue {
        [
            "apiVersion": .string("apus.test/\(version)"), "kind": .string(kind), "metadata": ["name": .string(name)],
            "spec": spec,
        ]
    }
}

extension TestCluster {
    /// Creates a definition and waits until its kind is served.
    func install(_ definition: JSONValue) async throws {
        let answer = try await post(Samples.definitions, definition)
        #expect(answer.status == 201, "\(answer.text)")
        let name = definition.value(at: ["metadata", "name"])?.string ?? ""
        try await waitFor("\(name) established") { try await condition(name, "Established") == "True" }
    }

    /// The status of a condition of a definition.
    func condition(_ name: String, _ type: String) async throws -> String? {
        let found = try await get("\(Samples.definitions)/\(name)")
        return found["status", "conditions"]?.array?.first { $0["type"]?.string == type }?["status"]?.string
    }

    /// Waits until something holds.
    func waitFor(_ what: String, _ test: () async throws -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(90)
        while try await !test() {
            if clock.now > deadline {
                Issue.record("not in time: \(what)")
                return
            }
            await Task.yield()
            try await clock.sleep(for: .milliseconds(10))
        }
    }
}
