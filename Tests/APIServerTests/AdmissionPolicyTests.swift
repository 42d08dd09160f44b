import HTTPTransport
import Testing
import Values

@testable import APIServer

/// Policies in front of the store: what they refuse, warn of and change, with what parameters, and who may write them.
/// The words and codes are those that upstream v1.36.2 answers to the same requests.
@Suite struct AdmissionPolicyTests {
    static let group = "/apis/admissionregistration.k8s.io/v1"
    static let maps = "/api/v1/namespaces/default/configmaps"
    static let deployments = "/apis/apps/v1/namespaces/default/deployments"

    static func match(_ resource: String, group: String = "", operations: JSONValue = ["CREATE", "UPDATE"]) -> JSONValue {
        [
            "resourceRules": [
                ["apiGroups": [.string(group)], "apiVersions": ["v1"], "operations": operations, "resources": [.string(resource)]]
            ]
        ]
    }

    /// Creates a policy with a binding, and waits until it is in force.
    static func add(
        _ kind: String,
        _ name: String,
        _ spec: JSONValue,
        binding: JSONValue = [:],
        _ cluster: TestCluster
    ) async throws {
        let plural = kind == "Validating" ? "validatingadmissionpolicies" : "mutatingadmissionpolicies"
        let policy = try await cluster.post("\(group)/\(plural)", ["metadata": ["name": .string(name)], "spec": spec])
        #expect(policy.status == 201, "\(policy.text)")
        var bound = binding
        bound["policyName"] = .string(name)
        if kind == "Validating", bound["validationActions"] == nil { bound["validationActions"] = ["Deny"] }
        let bindings = kind == "Validating" ? "validatingadmissionpolicybindings" : "mutatingadmissionpolicybindings"
        let made = try await cluster.post("\(group)/\(bindings)", ["metadata": ["name": .string("\(name)-b")], "spec": bound])
        #expect(made.status == 201, "\(made.text)")
        try await settle(cluster)
    }

    /// Waits until the caches have what the store has.
    static func settle(_ cluster: TestCluster) async throws {
        let newest = try await cluster.store.currentRevision()
        for engine in cluster.server.resources.engines.values { try await engine.cache.waitUntil(newest, within: .seconds(90)) }
    }

    static func map(_ data: JSONValue, _ name: String = "c") -> JSONValue { ["metadata": ["name": .string(name)], "data": data] }

    @Test func `a refusal has the words, the reason and the code of the validation`() async throws {
        try await withCluster { cluster in
            let spec: JSONValue = [
                "matchConstraints": Self.match("configmaps"), "variables": [["name": "num", "expression": "int(object.data.n)"]],
                "validations": [
                    ["expression": "!has(object.data.n) || variables.num < 5", "message": "n too big "],
                    ["expression": "!has(object.data.m)", "messageExpression": "'m is ' + string(object.data.m)", "reason": "Forbidden"],
                    ["expression": "!has(object.data.big)", "reason": "RequestEntityTooLarge"],
                    [
                        "expression": "!has(object.data.opts)",
                        "messageExpression":
                            "string(request.options.kind) + request.name + string(request.dryRun) + request.userInfo.username",
                    ],
                ],
            ]
            try await Self.add("Validating", "vap", spec, cluster)
            func refused(_ data: JSONValue, _ words: String, _ code: Int, _ reason: String) async throws {
                let answer = try await cluster.post(Self.maps, Self.map(data))
                let message = "ValidatingAdmissionPolicy 'vap' with binding 'vap-b' denied request: \(words)"
                #expect(answer.status == code && answer.reason == reason)
                #expect(answer.message == "configmaps \"c\" is forbidden: \(message)")
                #expect(answer["details"] == ["name": "c", "kind": "configmaps", "causes": [["message": .string(message)]]])
            }
            try await refused(["n": "7", "m": "x"], "n too big", 422, "Invalid")
            try await refused(["m": "x"], "m is x", 403, "Forbidden")
            try await refused(["big": "x"], "failed expression: !has(object.data.big)", 413, "RequestEntityTooLarge")
            // The store refuses a version that is given, and is asked last.
            var versioned = Self.map(["big": "x"], "v")
            versioned.set("7", at: ["metadata", "resourceVersion"])
            #expect(try await cluster.post(Self.maps, versioned).reason == "RequestEntityTooLarge")
            versioned.set(["other": "x"], at: ["data"])
            let late = try await cluster.post(Self.maps, versioned)
            #expect(late.status == 500 && late.message == "resourceVersion should not be set on objects to be created")
            #expect(try await cluster.post(Self.maps + "?dryRun=All", versioned).status == 201)
            try await refused(["opts": "x"], "CreateOptionscfalseadmin", 422, "Invalid")
            try await refused(
                ["n": "x"],
                "expression '!has(object.data.n) || variables.num < 5' resulted in error: composited variable \"num\" fails to evaluate: "
                    + "type conversion error from 'string' to 'int'",
                422,
                "Invalid"
            )
            #expect(try await cluster.post(Self.maps, Self.map(["n": "3"])).status == 201)
            #expect(try await cluster.patch("\(Self.maps)/c", ["data": ["n": "9"]]).status == 422)
            #expect(try await cluster.delete("\(Self.group)/validatingadmissionpolicybindings/vap-b").status == 200)
            try await Self.settle(cluster)
            #expect(try await cluster.patch("\(Self.maps)/c", ["data": ["n": "9"]]).status == 200)
        }
    }

    @Test func `a binding warns, and chooses namespaces; deletions are asked about with the old object`() async throws {
        try await withCluster { cluster in
            let spec: JSONValue = [
                "matchConstraints": Self.match("configmaps", operations: ["*"]),
                "matchConditions": [
                    ["name": "not-free", "expression": "request.operation != 'DELETE' || oldObject.metadata.name != 'free'"]
                ],
                "validations": [
                    ["expression": "request.operation != 'DELETE'", "message": "no delete"],
                    ["expression": "request.operation == 'DELETE' || namespaceObject.metadata.name == 'x'", "message": "where"],
                ],
            ]
            let binding: JSONValue = [
                "validationActions": ["Warn", "Audit"],
                "matchResources": ["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "default"]]],
            ]
            try await Self.add("Validating", "vap", spec, binding: binding, cluster)
            let warning = "299 - \"Validation failed for ValidatingAdmissionPolicy 'vap' with binding 'vap-b': "
            let made = try await cluster.post(Self.maps, Self.map([:]))
            #expect(made.status == 201 && made.warnings == ["\(warning)where\""])
            #expect(try await cluster.delete("\(Self.maps)/c").warnings == ["\(warning)no delete\""])
            let elsewhere = try await cluster.post("/api/v1/namespaces/kube-public/configmaps", Self.map([:]))
            #expect(elsewhere.status == 201 && elsewhere.warnings == [])
            #expect(try await cluster.post(Self.maps, Self.map([:], "free")).status == 201)
            #expect(try await cluster.delete("\(Self.maps)/free").warnings == [])
        }
    }

    @Test func `parameters by name and by labels, and what is done without`() async throws {
        try await withCluster { cluster in
            let spec: JSONValue = [
                "paramKind": ["apiVersion": "v1", "kind": "ConfigMap"], "matchConstraints": Self.match("secrets"),
                "validations": [
                    [
                        "expression": "object.metadata.name.size() <= int(params.data.most)",
                        "messageExpression": "'at most ' + string(params.data.most) + ' by ' + string(params.metadata.name)",
                    ]
                ],
            ]
            func secret(_ name: String) async throws -> String {
                let target = "/api/v1/namespaces/default/secrets?dryRun=All"
                return try await cluster.post(target, ["metadata": ["name": .string(name)]]).message
            }
            let reference: JSONValue = ["name": "limit", "parameterNotFoundAction": "Deny"]
            try await Self.add("Validating", "named", spec, binding: ["paramRef": reference], cluster)
            let head = "secrets \"abc\" is forbidden: ValidatingAdmissionPolicy 'named' with binding 'named-b' denied request: "
            let missing = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
            #expect(try await secret("abc") == head + missing)
            #expect(try await cluster.post(Self.maps, Self.map(["most": "2"], "limit")).status == 201)
            #expect(try await secret("abc") == head + "at most 2 by limit")
            #expect(try await secret("ab") == "")
            #expect(try await cluster.delete("\(Self.group)/validatingadmissionpolicybindings/named-b").status == 200)
            let labelled: JSONValue = [
                "selector": ["matchLabels": ["limit": "yes"]], "namespace": "kube-public", "parameterNotFoundAction": "Allow",
            ]
            try await Self.add("Validating", "labelled", spec, binding: ["paramRef": labelled], cluster)
            #expect(try await secret("abc") == "")
            for (name, most) in [("a", "5"), ("b", "2")] {
                let map: JSONValue = ["metadata": ["name": .string(name), "labels": ["limit": "yes"]], "data": ["most": .string(most)]]
                #expect(try await cluster.post("/api/v1/namespaces/kube-public/configmaps", map).status == 201)
            }
            try await Self.settle(cluster)
            #expect(try await secret("abc").hasSuffix("denied request: at most 2 by b"))
        }
    }

    @Test func `a kind of parameters that nobody serves, and policies that stand aside for themselves`() async throws {
        try await withCluster { cluster in
            let spec: JSONValue = [
                "paramKind": ["apiVersion": "ex.com/v1", "kind": "Foo"],
                "matchConstraints": [
                    "resourceRules": [["apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]]]
                ],
                "validations": [["expression": "false"]],
            ]
            try await Self.add("Validating", "all", spec, binding: ["paramRef": ["name": "x", "parameterNotFoundAction": "Deny"]], cluster)
            let answer = try await cluster.post(Self.maps, Self.map([:]))
            #expect(
                answer.message
                    == "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'all' denied request: failed to configure policy: "
                    + "failed to find resource referenced by paramKind: 'ex.com/v1, Kind=Foo'"
            )
            let namespace = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "x"]])
            #expect(namespace.status == 422)
            #expect(try await cluster.delete("\(Self.group)/validatingadmissionpolicies/all").status == 200)
        }
    }
}
