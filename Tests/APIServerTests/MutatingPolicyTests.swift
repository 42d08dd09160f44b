import HTTPTransport
import Testing
import Values

@testable import APIServer

/// Policies that change objects. The words and codes are those of upstream v1.36.2.
@Suite struct MutatingPolicyTests {
    private typealias Policies = AdmissionPolicyTests

    private static func add(
        _ name: String,
        _ type: String,
        _ expression: String,
        on resource: String = "configmaps",
        group: String = "",
        more: JSONValue = [:],
        _ cluster: TestCluster
    ) async throws {
        var spec = more
        let field = type == "JSONPatch" ? "jsonPatch" : "applyConfiguration"
        var match = Policies.match(resource, group: group)
        match["objectSelector"] = ["matchLabels": ["by": .string(String(name.prefix { $0 != "." }))]]
        spec["matchConstraints"] = match
        if spec["reinvocationPolicy"] == nil { spec["reinvocationPolicy"] = "Never" }
        spec["mutations"] = [["patchType": .string(type), field: ["expression": .string(expression)]]]
        try await Policies.add("Mutating", name, spec, cluster)
    }

    private static func send(_ by: String, as name: String = "c", _ cluster: TestCluster) async throws -> TestCluster.Answer {
        let metadata: JSONValue = ["name": .string(name), "labels": ["by": .string(by)]]
        return try await cluster.post("\(Policies.maps)?dryRun=All", ["metadata": metadata])
    }

    @Test func `a label, a sidecar with its defaults, and lists that may not be written`() async throws {
        try await withCluster { cluster in
            let group = "apps"
            let part = "Object.spec.template"
            func containers(_ fields: String) -> String {
                "Object{metadata: Object.metadata{labels: {'added': object.metadata.name}}, spec: Object.spec{template: \(part){spec: "
                    + "\(part).spec{containers: [\(part).spec.containers{\(fields)}]}}}}"
            }
            try await Self.add(
                "sidecar",
                "ApplyConfiguration",
                containers("name: 'side', image: 'side:1'"),
                on: "deployments",
                group: group,
                cluster
            )
            try await Self.add(
                "atomic",
                "ApplyConfiguration",
                containers("name: 'c', args: ['a']"),
                on: "deployments",
                group: group,
                cluster
            )
            func deployment(_ by: String) async throws -> TestCluster.Answer {
                let pod: JSONValue = ["metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i:1"]]]]
                let object: JSONValue = [
                    "metadata": ["name": "d", "labels": ["by": .string(by)]],
                    "spec": ["selector": ["matchLabels": ["a": "b"]], "template": pod],
                ]
                return try await cluster.post(Policies.deployments, object)
            }
            let refused = try await deployment("atomic")
            #expect(refused.status == 403 && refused.reason == "Invalid")
            let words =
                "policy 'atomic' with binding 'atomic-b' denied request: error applying patch: invalid ApplyConfiguration: "
                + "may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args"
            #expect(refused.message == words)
            #expect(
                refused["details"] == ["name": "d", "group": "apps", "kind": "deployments", "causes": [["message": .string(words)]]]
            )
            let made = try await deployment("sidecar")
            #expect(made.status == 201, "\(made.text)")
            #expect(made["metadata", "labels"] == ["added": "d", "by": "sidecar"])
            let all = made["spec", "template", "spec", "containers"]?.array ?? []
            #expect(all.map { $0["name"]?.string } == ["c", "side"])
            #expect(all.last?["imagePullPolicy"] == "IfNotPresent")
            // The records of who owns what tell of the whole request, by its manager.
            let stored = try await cluster.get("\(Policies.deployments)/d")
            #expect(stored["metadata", "labels", "added"] == "d")
        }
    }

    @Test func `what patches may not do`() async throws {
        try await withCluster { cluster in
            try await Self.add("unknown", "JSONPatch", "[JSONPatch{op: 'add', path: '/nothere', value: 7}]", cluster)
            try await Self.add("type", "JSONPatch", "[JSONPatch{op: 'replace', path: '/metadata/labels', value: 7}]", cluster)
            try await Self.add("missing", "JSONPatch", "[JSONPatch{op: 'remove', path: '/data/zz'}]", cluster)
            try await Self.add("invalid", "JSONPatch", "[JSONPatch{op: 'add', path: '/metadata/labels/-x', value: 'y'}]", cluster)
            let unknown = try await Self.send("unknown", cluster)
            #expect(unknown.status == 500)
            #expect(unknown.message == "Internal error occurred: strict decoding error: unknown field \"nothere\"")
            let type = try await Self.send("type", cluster)
            #expect(type.status == 500)
            #expect(
                type.message
                    == "Internal error occurred: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type map[string]string"
            )
            let missing = try await Self.send("missing", cluster)
            #expect(missing.status == 403)
            #expect(
                missing.message
                    == "policy 'missing' with binding 'missing-b' denied request: JSON Patch: remove operation does not apply: "
                    + "doc is missing path: \"/data/zz\": missing value"
            )
            let invalid = try await Self.send("invalid", cluster)
            #expect(
                invalid.status == 422 && invalid.message.hasPrefix("ConfigMap \"c\" is invalid: metadata.labels: Invalid value: \"-x\"")
            )
        }
    }

    @Test func `policies run again only when asked to, and conditions leave objects alone`() async throws {
        try await withCluster { cluster in
            let counts =
                "[JSONPatch{op: has(object.data) ? 'replace' : 'add', path: '/data', "
                + "value: {'n': has(object.data) ? string(int(object.data.n) + 1) : '1'}}]"
            let labels = "Object{metadata: Object.metadata{labels: {'b': '1'}}}"
            try await Self.add("again.1", "JSONPatch", counts, more: ["reinvocationPolicy": "IfNeeded"], cluster)
            try await Self.add("again.2", "ApplyConfiguration", labels, cluster)
            try await Self.add("once.1", "JSONPatch", counts, cluster)
            try await Self.add("once.2", "ApplyConfiguration", labels, cluster)
            #expect(try await Self.send("again", cluster)["data"] == ["n": "2"])
            #expect(try await Self.send("once", cluster)["data"] == ["n": "1"])
            let more: JSONValue = [
                "matchConditions": [["name": "n", "expression": "object.metadata.name == 'yes'"]],
                "variables": [["name": "x", "expression": "object.metadata.name + '-x'"]],
            ]
            let named = "Object{metadata: Object.metadata{labels: {'x': variables.x}}}"
            try await Self.add("some", "ApplyConfiguration", named, more: more, cluster)
            #expect(try await Self.send("some", as: "yes", cluster)["metadata", "labels"] == ["by": "some", "x": "yes-x"])
            #expect(try await Self.send("some", as: "no", cluster)["metadata", "labels"] == ["by": "some"])
        }
    }

    @Test func `failures refuse or are ignored`() async throws {
        try await withCluster { cluster in
            let broken = "Object{data: {'k': object.data.nope}}"
            try await Self.add("strict", "ApplyConfiguration", broken, cluster)
            try await Self.add("lax", "ApplyConfiguration", broken, more: ["failurePolicy": "Ignore"], cluster)
            let refused = try await Self.send("strict", cluster)
            #expect(refused.status == 403 && refused.reason == "Invalid")
            #expect(
                refused.message
                    == "policy 'strict' with binding 'strict-b' denied request: expression '\(broken)' resulted in error: no such key: data"
            )
            #expect(try await Self.send("lax", cluster).status == 201)
            let parameters: JSONValue = ["paramKind": ["apiVersion": "ex.com/v1", "kind": "Foo"]]
            try await Self.add("lost", "ApplyConfiguration", "Object{}", more: parameters, cluster)
            let lost = try await Self.send("lost", cluster)
            #expect(lost.status == 403 && lost.reason == "Forbidden")
            #expect(
                lost.message
                    == "policy \"lost\" denied request: failed to configure policy: failed to find resource referenced by paramKind: "
                    + "'ex.com/v1, Kind=Foo'"
            )
        }
    }
}
