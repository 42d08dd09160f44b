import Testing
import Values

@testable import APIServer

/// What Tools/compare-random found about requests that upstream refuses, or warns of.
@Suite struct RandomSequenceRefusalTests {
    private static let strategic = "application/strategic-merge-patch+json"
    private static let jsonPatch = "application/json-patch+json"
    private static let merge = "application/merge-patch+json"
    private static let core = "/api/v1/namespaces/default"
    private static let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    private static let table = "application/json;as=Table;g=meta.k8s.io;v=v1"

    @Test func `all that is wrong with a deletion's options is said at once, and its selectors come first`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "a"]])
            let options: JSONValue = ["propagationPolicy": "Odd", "orphanDependents": true, "dryRun": ["x"]]
            let odd = try await cluster.delete(Self.core + "/configmaps/a", options)
            #expect(odd.status == 422, "\(odd.text)")
            let fields = odd["details", "causes"]?.array?.compactMap { $0["field"]?.string } ?? []
            #expect(fields == ["propagationPolicy", "propagationPolicy", "dryRun"], "\(odd.text)")
            let empty = try await cluster.delete(Self.core + "/configmaps/a?propagationPolicy=")
            #expect(empty.status == 422 && empty.message.contains("Unsupported value: \"\""), "\(empty.text)")
            let selected = try await cluster.delete(Self.core + "/configmaps?fieldSelector=odd%3D1", options)
            #expect(selected.status == 400, "\(selected.text)")
            #expect(try await cluster.get(Self.core + "/configmaps/a")["metadata", "deletionTimestamp"] == nil)
            let eviction: JSONValue = ["metadata": ["name": "p"], "deleteOptions": options]
            #expect(try await cluster.post(Self.core + "/pods/p/eviction", eviction).status == 404)
        }
    }

    @Test func `a list of a version to come names the version asked for`() async throws {
        try await withCluster { cluster in
            let list = Self.core + "/configmaps?resourceVersion=99999999999&resourceVersionMatch="
            for match in ["Exact", "NotOlderThan"] {
                let odd = try await cluster.get(list + match + "&timeoutSeconds=1")
                #expect(
                    odd.status == 504 && odd.message.hasPrefix("Timeout: Too large resource version: 99999999999, current: "),
                    "\(odd.text)"
                )
                #expect(odd["details", "retryAfterSeconds"] == 1)
            }
        }
    }

    @Test func `what has no route is not warned of`() async throws {
        try await withCluster { cluster in
            let endpoints = Self.core + "/endpoints"
            #expect(try await cluster.get(endpoints).warnings.count == 1)
            let body: JSONValue = ["metadata": ["name": "a"]]
            let put = try await cluster.put(endpoints, body)
            #expect(put.status == 405 && put.warnings.isEmpty, "\(put.text)")
            let status = try await cluster.put(endpoints + "/a/status", body)
            #expect(status.status == 404 && status.warnings.isEmpty, "\(status.text)")
        }
    }

    @Test func `owners named twice are merged where an object is changed, and warned of when its name is right`() async throws {
        try await withCluster { cluster in
            let owner: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "o"]
            let twice: JSONValue = ["name": "a", "ownerReferences": [owner, owner]]
            let quotas = Self.core + "/resourcequotas"
            let absent = try await cluster.put(quotas + "/a", ["metadata": twice])
            #expect(absent.status == 404 && absent.warnings.count == 1, "\(absent.text)")
            _ = try await cluster.post(quotas, ["metadata": ["name": "a"], "spec": ["hard": ["pods": "1"]]])
            let other = try await cluster.put(quotas + "/b", ["metadata": twice])
            #expect(other.status == 400 && other.warnings.isEmpty, "\(other.text)")
            let status = try await cluster.put(quotas + "/a/status", ["metadata": twice, "status": [:]])
            #expect(status["metadata", "ownerReferences"] == [owner] && status.warnings.count == 1, "\(status.text)")
        }
    }

    @Test func `custom resources are served by verb, whatever the path names`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Samples.schema(["n": ["type": "integer"]])))
            let widgets = "/apis/apus.test/v1/namespaces/default/widgets"
            let put = try await cluster.put(widgets, Samples.object("a", [:]))
            #expect(put.status == 400 && put.message == "name must be provided", "\(put.text)")
            let nothing = try await cluster.post(widgets + "/x", [:])
            #expect(nothing.status == 400 && nothing.message.contains("Object 'Kind' is missing in '{}'"), "\(nothing.text)")
            let made = try await cluster.post(widgets + "/x", Samples.object("a", [:]))
            #expect(made.status == 201 && made["metadata", "name"] == "a", "\(made.text)")
            #expect(try await cluster.get(widgets + "/x").status == 404)
        }
    }

    @Test(arguments: [
        (jsonPatch, #"[{"op":"remove","path":"/apiVersion"}]"#), (merge, #"{"apiVersion":null}"#), (merge, #"{"apiVersion":"","kind":""}"#),
    ])
    func `a patched object without its version has no name, as upstream reads it`(type: String, text: String) async throws {
        try await withCluster { cluster in
            let path = Self.core + "/configmaps/a"
            _ = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "a"], "data": ["k": "v"]])
            let patch = try JSONParser.parse(Array(text.utf8))
            let odd = try await cluster.patch(path, patch, type: type)
            #expect(odd.status == 400, "\(odd.text)")
            #expect(odd.message == "the name of the object (a based on URL) was undeterminable: name must be provided")
            #expect(odd.warnings == ["unknown field \\\"data\\\"", "unknown field \\\"metadata\\\""].map { "299 - \"\($0)\"" })
            let strict = try await cluster.patch(path + "?fieldValidation=Strict", patch, type: type)
            #expect(strict.status == 422 && strict.message.hasSuffix(#"unknown field "data", unknown field "metadata""#), "\(strict.text)")
            let whole: JSONValue = [["op": "replace", "path": "", "value": ["data": ["k": "v"]]]]
            let emptied = try await cluster.patch(path, whole, type: Self.jsonPatch)
            #expect(emptied.message.hasPrefix("the name of the object (a based on URL)"), "\(emptied.text)")
            let strategic = try await cluster.patch(path, ["apiVersion": .null], type: Self.strategic)
            #expect(strategic.status == 200, "\(strategic.text)")
        }
    }

    @Test func `a version that is no text is a mistake of the patch`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "a", "labels": ["k": "v"]]])
            let copy: JSONValue = [["op": "copy", "from": "/metadata/labels", "path": "/apiVersion"]]
            let odd = try await cluster.patch(Self.core + "/configmaps/a", copy, type: Self.jsonPatch)
            #expect(odd.status == 422 && odd.warnings.isEmpty, "\(odd.text)")
            // What a patch reads is written anew, with its members in order.
            let shown = odd.message.firstRange(of: "\\\"creationTimestamp")
            let name = odd.message.firstRange(of: "\\\"name")
            #expect(shown.map(\.lowerBound) ?? odd.message.endIndex < name.map(\.lowerBound) ?? odd.message.startIndex, "\(odd.text)")
        }
    }

    @Test func `fields that nobody knows are named in the order of the text`() async throws {
        try await withCluster { cluster in
            let text = #"{"metadata":{"name":"a"},"zeta":1,"alpha":{"x":1},"data":{}}"#
            let path = Self.core + "/configmaps?fieldValidation=Strict"
            let answer = try await cluster.send("POST", path, Array(text.utf8), type: "application/json")
            #expect(answer.message.hasSuffix(#"unknown field "zeta", unknown field "alpha""#), "\(answer.text)")
        }
    }

    @Test func `directives where nothing is merged are fields that nobody knows`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.roles, ["metadata": ["name": "a"], "rules": []])
            let rule: JSONValue = ["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]
            var odd = rule
            odd["$setElementOrder/resources"] = ["pods"]
            let patched = try await cluster.patch(Self.roles + "/a", ["rules": [odd]], type: Self.strategic)
            #expect(patched.status == 200 && patched["rules"] == [rule], "\(patched.text)")
            #expect(patched.warnings.first?.contains("rules[0].$setElementOrder/resources") == true, "\(patched.warnings)")
            let labels: JSONValue = ["metadata": ["labels": ["$retainKeys": ["a"], "a": "b"]]]
            let strings = try await cluster.patch(Self.roles + "/a", labels, type: Self.strategic)
            #expect(strings.status == 422 && strings.message.hasSuffix("unrecognized type: string"), "\(strings.text)")
            let order = try await cluster.patch(Self.roles + "/a", ["rules": [], "$setElementOrder/rules": []], type: Self.strategic)
            #expect(order.status == 500 && order.message.hasSuffix("does not contain declared merge key: "), "\(order.text)")
        }
    }

    @Test func `what upstream has no tables of is refused as one`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            _ = try await cluster.post(
                Self.core + "/pods",
                ["metadata": ["name": "p"], "spec": ["containers": [["name": "c", "image": "i"]]]]
            )
            for part in ["ephemeralcontainers", "resize"] {
                #expect(try await cluster.get(Self.core + "/pods/p/" + part, accept: Self.table).status == 406)
                #expect(try await cluster.get(Self.core + "/pods/p/" + part).status == 200)
            }
            #expect(try await cluster.get(Self.core + "/pods/p/status", accept: Self.table)["kind"] == "Table")
            #expect(try await cluster.get("/api/v1/componentstatuses", accept: Self.table)["kind"] == "Table")
        }
    }

    @Test func `the status of a service that is not there makes the service`() async throws {
        try await withCluster { cluster in
            let services = Self.core + "/services"
            let nothing = try await cluster.put(services + "/a/status", ["metadata": ["name": "a"]])
            #expect(nothing.status == 422 && nothing.message.contains("spec.ports: Required value"), "\(nothing.text)")
            let body: JSONValue = ["metadata": ["name": "a"], "spec": ["ports": [["port": 80]]]]
            let made = try await cluster.put(services + "/a/status", body)
            #expect(made.status == 201, "\(made.text)")
            #expect(try await cluster.get(services + "/a").status == 200)
            #expect(try await cluster.patch(services + "/b/status", ["status": [:]]).status == 404)
            #expect(
                try await cluster.put("/apis/apps/v1/namespaces/default/deployments/a/status", ["metadata": ["name": "a"]]).status == 404
            )
        }
    }

    @Test func `the ports of a template in the node's network are left to its pods`() async throws {
        try await withCluster { cluster in
            let container: JSONValue = ["name": "a", "image": "i", "ports": [["containerPort": 80]]]
            var other = container
            other["name"] = "b"
            let pod: JSONValue = ["hostNetwork": true, "containers": [container, other]]
            let template: JSONValue = ["metadata": ["labels": ["app": "a"]], "spec": pod]
            let spec: JSONValue = ["selector": ["matchLabels": ["app": "a"]], "template": template]
            for kind in ["deployments", "daemonsets", "statefulsets", "replicasets"] {
                let made = try await cluster.post("/apis/apps/v1/namespaces/default/\(kind)", ["metadata": ["name": "a"], "spec": spec])
                let port = made["spec", "template", "spec", "containers", "0", "ports", "0"]
                #expect(port == ["containerPort": 80, "protocol": "TCP"], "\(made.text)")
            }
            try await cluster.addServiceAccount()
            let refused = try await cluster.post(Self.core + "/pods", ["metadata": ["name": "p"], "spec": pod])
            #expect(refused.status == 422 && refused.message.contains("Duplicate value: \"TCP//80\""), "\(refused.text)")
            let one = try await cluster.post(
                Self.core + "/pods",
                ["metadata": ["name": "p"], "spec": ["hostNetwork": true, "containers": [container]]]
            )
            #expect(one["spec", "containers", "0", "ports", "0", "hostPort"] == 80, "\(one.text)")
        }
    }

    @Test func `a scale of another name is refused whether there is an object or not`() async throws {
        try await withCluster { cluster in
            let path = "/apis/apps/v1/namespaces/default/deployments/none/scale"
            let scale: JSONValue = ["metadata": ["name": "x"], "spec": ["replicas": 1]]
            let other = try await cluster.put(path, scale)
            #expect(other.message == "the name of the object (x) does not match the name on the URL (none)", "\(other.text)")
            let nameless = try await cluster.put(path, ["spec": ["replicas": 1]])
            #expect(nameless.status == 400 && nameless.message.contains("undeterminable"), "\(nameless.text)")
            #expect(try await cluster.put(path, ["metadata": ["name": "none"], "spec": ["replicas": -1]]).status == 404)
        }
    }

    @Test func `finalizing a namespace writes its metadata, too`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "n", "labels": ["x": "y"]]])
            let put = try await cluster.put("/api/v1/namespaces/n/finalize", ["metadata": ["name": "n"]])
            #expect(put["metadata", "labels"] == ["kubernetes.io/metadata.name": "n"] && put["spec"] == [:], "\(put.text)")
        }
    }

    @Test func `who wrote a subresource is named before who wrote the object`() async throws {
        try await withCluster { cluster in
            let path = Self.core + "/resourcequotas/a?fieldManager=m"
            let quota: JSONValue = [
                "apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "a"], "spec": ["hard": ["pods": "1"]],
            ]
            _ = try await cluster.patch(path, quota, type: "application/apply-patch+yaml")
            let status: JSONValue = ["metadata": ["labels": ["x": "y"]], "status": ["hard": ["pods": "1"]]]
            _ = try await cluster.patch(Self.core + "/resourcequotas/a/status?fieldManager=m", status)
            _ = try await cluster.patch(path, ["metadata": ["labels": ["z": "z"]]])
            var other = quota
            other.set(["x": "q", "z": "q"], at: ["metadata", "labels"])
            let odd = try await cluster.patch(Self.core + "/resourcequotas/a?fieldManager=o", other, type: "application/apply-patch+yaml")
            #expect(odd.status == 409, "\(odd.text)")
            #expect(
                odd.message == "Apply failed with 2 conflicts: conflicts with \"m\" with subresource \"status\" using v1:\n"
                    + "- .metadata.labels.x\nconflicts with \"m\" using v1:\n- .metadata.labels.z"
            )
        }
    }

    @Test func `a write that completes a deletion is answered with the version before`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "a", "finalizers": ["x.com/y"]]])
            let going = try await cluster.delete(Self.core + "/configmaps/a")
            let last = try await cluster.patch(Self.core + "/configmaps/a", ["metadata": ["finalizers": .null]])
            #expect(last.status == 200 && last["metadata", "finalizers"] == nil, "\(last.text)")
            #expect(last["metadata", "resourceVersion"] == going["metadata", "resourceVersion"], "\(last.text)")
            #expect(try await cluster.get(Self.core + "/configmaps/a").status == 404)
        }
    }

    @Test func `a version without a status of its own owns the field, whatever other versions have`() async throws {
        try await withCluster { cluster in
            let schema = Samples.schema(["a": ["type": "string"]])
            var whole = schema
            whole.set(["type": "object", "properties": ["n": ["type": "integer"]]], at: ["properties", "status"])
            let versions: JSONValue = [
                ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": whole]],
                [
                    "name": "v2", "served": true, "storage": false, "schema": ["openAPIV3Schema": whole],
                    "subresources": ["status": [:]],
                ],
            ]
            try await cluster.install(Samples.definition(versions: versions))
            var widget = Samples.object("a", [:])
            widget["status"] = ["n": 1]
            let made = try await cluster.post("/apis/apus.test/v1/namespaces/default/widgets", widget)
            #expect(made["metadata", "managedFields", "0", "fieldsV1", "f:status"] == [".": [:], "f:n": [:]], "\(made.text)")
            var other = Samples.object("b", [:], version: "v2")
            other["status"] = ["n": 1]
            let second = try await cluster.post("/apis/apus.test/v2/namespaces/default/widgets", other)
            #expect(second["metadata", "managedFields", "0", "fieldsV1", "f:status"] == nil, "\(second.text)")
        }
    }

    @Test func `templates are warned of with every new generation`() async throws {
        try await withCluster { cluster in
            let ports: JSONValue = [["containerPort": 80]]
            let containers: JSONValue = [
                ["name": "a", "image": "i", "ports": ports], ["name": "b", "image": "i", "ports": ports],
            ]
            let template: JSONValue = ["metadata": ["labels": ["app": "a"]], "spec": ["containers": containers]]
            let spec: JSONValue = ["selector": ["matchLabels": ["app": "a"]], "template": template]
            for (kind, warned) in [("deployments", 1), ("statefulsets", 1), ("daemonsets", 0)] {
                let path = "/apis/apps/v1/namespaces/default/\(kind)"
                let made = try await cluster.post(path, ["metadata": ["name": "a"], "spec": spec])
                #expect(made.status == 201 && made.warnings.count == 1, "\(made.text)")
                let same = try await cluster.patch(path + "/a", ["metadata": ["labels": ["x": "y"]]], type: Self.merge)
                #expect(same.status == 200 && same.warnings.isEmpty, "\(kind): \(same.warnings)")
                let changed = try await cluster.patch(path + "/a", ["spec": ["minReadySeconds": 5]], type: Self.merge)
                #expect(changed.status == 200 && changed.warnings.count == warned, "\(kind): \(changed.warnings)")
            }
        }
    }
}
