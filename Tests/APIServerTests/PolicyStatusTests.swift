import HTTPTransport
import Testing
import Values

@testable import APIServer

/// What checking the types of a policy's expressions finds, and who may write policies.
@Suite struct PolicyStatusTests {
    private typealias Policies = AdmissionPolicyTests

    private func status(_ name: String, _ rules: JSONValue, _ spec: JSONValue, _ cluster: TestCluster) async throws -> JSONValue? {
        var spec = spec
        spec["matchConstraints"] = ["resourceRules": rules]
        let target = "\(Policies.group)/validatingadmissionpolicies"
        let made = try await cluster.post(target, ["metadata": ["name": .string(name)], "spec": spec])
        #expect(made.status == 201, "\(made.text)")
        try await eventually { try await cluster.get("\(target)/\(name)")["status", "observedGeneration"] == 1 }
        return try await cluster.get("\(target)/\(name)")["status"]
    }

    private static func rule(_ groups: JSONValue, _ resources: JSONValue, version: String = "v1") -> JSONValue {
        [["apiGroups": groups, "apiVersions": [.string(version)], "operations": ["*"], "resources": resources]]
    }

    @Test func `mistakes are warnings in the status, for each kind`() async throws {
        try await withCluster { cluster in
            let one = try await status(
                "one",
                Self.rule(["apps"], ["deployments"]),
                [
                    "variables": [["name": "a", "expression": "object.metadata.name"]],
                    "validations": [
                        ["expression": "object.spec.replicas > '1'"], ["expression": "object.spec.strategy.rollingUpdate.maxSurge == 1"],
                        ["expression": "variables.a == 1"], ["expression": "authorizer.requestResource.check('x').allowed()"],
                        ["expression": "object.spec.template.spec.containers[0].resources.limits['cpu'] == 1"],
                    ],
                ],
                cluster
            )
            func warning(_ index: Int, _ words: String, _ line: String, _ column: Int) -> JSONValue {
                let mark = String(repeating: ".", count: column - 1) + "^"
                let text = "apps/v1, Kind=Deployment: ERROR: <input>:1:\(column): \(words)\n | \(line)\n | \(mark)\n"
                return ["fieldRef": .string("spec.validations[\(index)].expression"), "warning": .string(text)]
            }
            let overload = "found no matching overload for '_==_' applied to '(string, int)'"
            let wanted: JSONValue = [
                warning(0, "found no matching overload for '_>_' applied to '(int, string)'", "object.spec.replicas > '1'", 22),
                warning(2, overload, "variables.a == 1", 13),
                warning(
                    3,
                    "unexpected failed resolution of 'kubernetes.authorization.Authorizer'",
                    "authorizer.requestResource.check('x').allowed()",
                    11
                ),
                warning(
                    4,
                    "undefined field 'limits'",
                    "object.spec.template.spec.containers[0].resources.limits['cpu'] == 1",
                    50
                ),
            ]
            #expect(one?.value(at: ["typeChecking", "expressionWarnings"]) == wanted)
            let several = try await status(
                "several",
                Self.rule(["batch", "apps", ""], ["pods", "jobs", "deployments", "deployments/scale"]),
                ["validations": [["expression": "true", "messageExpression": "string(object.spec.template.nope)"]]],
                cluster
            )
            let found = several?.value(at: ["typeChecking", "expressionWarnings", "0"])
            #expect(found?["fieldRef"] == "spec.validations[0].messageExpression")
            let kinds = (found?["warning"]?.string ?? "").split(separator: "\n").filter { $0.contains("Kind=") }.map {
                $0.prefix { $0 != ":" }
            }
            #expect(kinds == ["/v1, Kind=Pod", "apps/v1, Kind=Deployment", "batch/v1, Kind=Job"])
            let fine = try await status(
                "fine",
                Self.rule(["*"], ["deployments"]),
                ["validations": [["expression": "object.zz == 1"]]],
                cluster
            )
            #expect(fine == ["observedGeneration": 1, "typeChecking": [:]])
            let records = try await cluster.get("\(Policies.group)/validatingadmissionpolicies/fine")["metadata", "managedFields"]
            let own = records?.array?.first { $0["manager"] == "validatingadmissionpolicy-status" }
            #expect(own?["operation"] == "Apply" && own?["subresource"] == "status")
        }
    }

    @Test func `who writes a policy has to be allowed to read its parameters`() async throws {
        try await withCluster { cluster in
            let rules: JSONValue = [["apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]]]
            let rbac = "/apis/rbac.authorization.k8s.io/v1"
            #expect(try await cluster.post("\(rbac)/clusterroles", ["metadata": ["name": "w"], "rules": rules]).status == 201)
            let binding: JSONValue = [
                "metadata": ["name": "w"], "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "w"],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann"]],
            ]
            #expect(try await cluster.post("\(rbac)/clusterrolebindings", binding).status == 201)
            try await Policies.settle(cluster)
            let ann = InProcessUser(name: "ann", groups: ["g", "system:authenticated"])
            let spec: JSONValue = [
                "paramKind": ["apiVersion": "v1", "kind": "Secret"], "matchConstraints": Policies.match("configmaps"),
                "validations": [["expression": "true"]],
            ]
            let target = "\(Policies.group)/validatingadmissionpolicies"
            let refused = try await cluster.post(target, ["metadata": ["name": "p"], "spec": spec], user: ann)
            #expect(refused.status == 422)
            #expect(
                refused.message
                    == "ValidatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: spec.paramKind: Forbidden: user "
                    + "&{ann  [g system:authenticated] map[]} must have \"get\" permission on all objects of the referenced paramKind "
                    + "(kind=Secret, apiVersion=v1)"
            )
            #expect(try await cluster.post(target, ["metadata": ["name": "p"], "spec": spec]).status == 201)
            let bound: JSONValue = [
                "metadata": ["name": "b"],
                "spec": [
                    "policyName": "p", "validationActions": ["Deny"],
                    "paramRef": ["name": "x", "namespace": "kube-system", "parameterNotFoundAction": "Deny"],
                ],
            ]
            let bindings = "\(Policies.group)/validatingadmissionpolicybindings"
            let unbound = try await cluster.post(bindings, bound, user: ann)
            #expect(unbound.status == 422)
            #expect(
                unbound.message
                    == "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io \"b\" is invalid: spec.paramRef: Forbidden: user "
                    + "&{ann  [g system:authenticated] map[]} does not have \"get\" permission on the object referenced by paramRef"
            )
            let mutating: JSONValue = [
                "metadata": ["name": "m"],
                "spec": [
                    "paramKind": ["apiVersion": "no.where/v1", "kind": "Foo"], "matchConstraints": Policies.match("configmaps"),
                    "reinvocationPolicy": "Never",
                    "mutations": [["patchType": "ApplyConfiguration", "applyConfiguration": ["expression": "Object{}"]]],
                ],
            ]
            #expect(try await cluster.post("\(Policies.group)/mutatingadmissionpolicies", mutating).status == 201)
            let changing: JSONValue = [
                "metadata": ["name": "m"],
                "spec": ["policyName": "m", "paramRef": ["name": "x", "parameterNotFoundAction": "Deny"]],
            ]
            let strange = try await cluster.post("\(Policies.group)/mutatingadmissionpolicybindings", changing, user: ann)
            #expect(
                strange.message.hasSuffix(
                    "spec.paramRef: Forbidden: unable to resolve paramKind &{no.where/v1 Foo} to determine minimum required permissions "
                        + "and user &{ann  [g system:authenticated] map[]} does not have \"get\" permission for all groups, versions and "
                        + "resources"
                )
            )
            var lost = bound
            lost.set("nowhere", at: ["spec", "policyName"])
            let unknown = try await cluster.post(bindings, lost, user: ann)
            #expect(unknown.message.contains("unable to get policy nowhere to determine minimum required permissions and user &{ann "))
        }
    }
}
