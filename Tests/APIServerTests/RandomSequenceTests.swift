import Testing
import Values

@testable import APIServer

/// What Tools/compare-random found: answers of long sequences that upstream gives otherwise.
@Suite struct RandomSequenceTests {
    private static let apply = "application/apply-patch+yaml"
    private static let strategic = "application/strategic-merge-patch+json"
    private static let apps = "/apis/apps/v1/namespaces/default"
    private static let core = "/api/v1/namespaces/default"
    private static let template: JSONValue = [
        "metadata": ["labels": ["app": "a"]], "spec": ["containers": [["name": "c", "image": "i"]]],
    ]

    @Test func `what is wrong with a patch is said of an object that exists`() async throws {
        try await withCluster { cluster in
            let patches: [(path: String, body: JSONValue, type: String)] = [
                (Self.core + "/configmaps/a", 1, "application/json-patch+json"),
                (Self.core + "/configmaps/a", [], "application/merge-patch+json"),
                (Self.core + "/configmaps/a", "x", Self.strategic),
                (
                    Self.apps + "/deployments/a/status?fieldManager=m",
                    ["apiVersion": "apps/v1", "kind": "Deployment", "status": ["odd": 1]], Self.apply
                ),
                (
                    Self.apps + "/deployments/a/scale?fieldManager=m",
                    ["apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ["replicas": -1]], Self.apply
                ),
            ]
            for patch in patches {
                let answer = try await cluster.patch(patch.path, patch.body, type: patch.type)
                #expect(answer.status == 404, "\(patch.path) \(patch.type): \(answer.text)")
            }
            let made = try await cluster.patch(
                Self.core + "/configmaps/a?fieldManager=m",
                ["apiVersion": "v1", "kind": "Secret"],
                type: Self.apply
            )
            #expect(made.status == 400, "what an apply would create is looked at: \(made.text)")
            _ = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "a"]])
            for patch in patches.prefix(3) {
                #expect(try await cluster.patch(patch.path, patch.body, type: patch.type).status == 400)
            }
            let nameless: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": []]]
            let odd = try await cluster.patch(Self.core + "/configmaps/a?fieldManager=m", nameless, type: Self.apply)
            #expect(odd.status == 500 && odd.message.contains(".metadata.name: expected string"), "\(odd.text)")
        }
    }

    @Test func `who writes a daemon set owns the number of its templates`() async throws {
        try await withCluster { cluster in
            let set: JSONValue = [
                "metadata": ["name": "a"], "spec": ["selector": ["matchLabels": ["app": "a"]], "template": Self.template],
            ]
            let key = "deprecated.daemonset.template.generation"
            let made = try await cluster.post(Self.apps + "/daemonsets?fieldManager=one", set)
            #expect(made["metadata", "annotations", key] == "1", "\(made.text)")
            let fields = made["metadata", "managedFields", "0", "fieldsV1", "f:metadata"]
            #expect(fields == ["f:annotations": [".": [:], "f:\(key)": [:]]])
            let put = try await cluster.put(Self.apps + "/daemonsets/a?fieldManager=two", set)
            #expect(put["metadata", "annotations", key] == "1", "\(put.text)")
        }
    }

    @Test func `a job that is deleted without a word keeps its pods, and a warning says so`() async throws {
        try await withCluster { cluster in
            let jobs = "/apis/batch/v1/namespaces/default/jobs"
            var spec = Self.template["spec"] ?? [:]
            spec["restartPolicy"] = "Never"
            let job: JSONValue = ["metadata": ["name": "a", "finalizers": ["x.com/y"]], "spec": ["template": ["spec": spec]]]
            #expect(try await cluster.post(jobs, job).status == 201)
            let words = "child pods are preserved by default when jobs are deleted"
            let asked = try await cluster.delete(jobs + "/a?dryRun=All&propagationPolicy=Background")
            #expect(asked.warnings.isEmpty && asked["metadata", "finalizers"] == ["x.com/y"], "\(asked.text)")
            let gone = try await cluster.delete(jobs + "/a")
            #expect(gone.warnings.count == 1 && gone.warnings[0].contains(words))
            #expect(gone["metadata", "finalizers"] == ["x.com/y", "orphan"], "\(gone.text)")
            #expect(try await cluster.delete(jobs).warnings.count == 1)
            #expect(try await cluster.delete(Self.core + "/pods").warnings.isEmpty)
        }
    }

    @Test func `what a node has is for pods unless it says otherwise`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post("/api/v1/nodes", ["metadata": ["name": "n"], "status": ["capacity": ["cpu": 2]]])
            #expect(made["status", "allocatable"] == ["cpu": "2"], "\(made.text)")
            let told: JSONValue = ["status": ["capacity": ["cpu": "4"], "allocatable": ["cpu": "3"]]]
            let patched = try await cluster.patch("/api/v1/nodes/n/status", told)
            #expect(patched["status", "allocatable"] == ["cpu": "3"], "\(patched.text)")
        }
    }

    @Test func `a pod's one address belongs to who wrote the list of them`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            _ = try await cluster.post(Self.core + "/pods", ["metadata": ["name": "p"], "spec": Self.template["spec"] ?? [:]])
            let told = try await cluster.patch(
                Self.core + "/pods/p/status?fieldManager=k",
                ["status": ["podIPs": [["ip": "1.1.1.1"]]]],
                type: Self.strategic
            )
            #expect(told["status", "podIP"] == "1.1.1.1", "\(told.text)")
            let own = told["metadata", "managedFields"]?.array?.first { $0["manager"] == "k" }
            #expect(own?.value(at: ["fieldsV1", "f:status", "f:podIP"]) == [:], "\(told.text)")
        }
    }

    @Test func `a list of metadata without items has none`() async throws {
        try await withCluster { cluster in
            let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
            let none = try await cluster.get(Self.core + "/limitranges", accept: accept)
            #expect(none["items"] == .null, "\(none.text)")
            #expect(try await cluster.get(Self.core + "/limitranges")["items"] == [])
            _ = try await cluster.post(Self.core + "/limitranges", ["metadata": ["name": "a"], "spec": ["limits": []]])
            #expect(try await cluster.get(Self.core + "/limitranges", accept: accept)["items"]?.array?.count == 1)
        }
    }

    @Test func `a scale that was never set is none`() async throws {
        try await withCluster { cluster in
            let scale: JSONValue = ["specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"]
            let schema = Samples.schema(["n": ["type": "integer"]])
            try await cluster.install(Samples.definition(schema: schema, more: ["subresources": ["status": [:], "scale": scale]]))
            let widgets = "/apis/apus.test/v1/namespaces/default/widgets"
            let made = try await cluster.post(widgets, Samples.object("a", [:]))
            #expect(made.status == 201, "\(made.text)")
            let none = try await cluster.get(widgets + "/a/scale")
            #expect(none.status == 500, "\(none.text)")
            #expect(none.message == "Internal error occurred: the spec replicas field \".spec.n\" does not exist")
            let set = try await cluster.patch(widgets + "/a/scale", ["spec": ["replicas": 3]])
            #expect(set["spec", "replicas"] == 3, "\(set.text)")
            #expect(try await cluster.get(widgets + "/a/scale")["spec", "replicas"] == 3)
        }
    }

    @Test func `a version of what is gone is no hindrance where a PUT creates`() async throws {
        try await withCluster { cluster in
            let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
            var lease: JSONValue = ["metadata": ["name": "a", "resourceVersion": "1"], "spec": ["holderIdentity": "x"]]
            let made = try await cluster.put(leases + "/a", lease)
            #expect(made.status == 201, "\(made.text)")
            lease.set("x", at: ["metadata", "resourceVersion"])
            lease.set("b", at: ["metadata", "name"])
            let odd = try await cluster.put(leases + "/b", lease)
            #expect(odd.status == 500 && odd.message == "strconv.ParseUint: parsing \"x\": invalid syntax", "\(odd.text)")
        }
    }

    @Test func `options are checked before fields, and an identity of another type is not recognised`() async throws {
        try await withCluster { cluster in
            let list = Self.core + "/limitranges?fieldSelector=odd%3D1&resourceVersion=1&resourceVersionMatch=Odd"
            let odd = try await cluster.get(list)
            #expect(odd.status == 422 && odd.message.hasPrefix("ListOptions.meta.k8s.io \"\" is invalid"), "\(odd.text)")
            let unread = try await cluster.get(list + "&labelSelector=a%3D%3D%3D")
            #expect(unread.status == 400, "\(unread.text)")
            let kind = try await cluster.post(Self.core + "/configmaps", ["kind": [], "metadata": ["name": "a"]])
            #expect(kind.message.contains("couldn't get version/kind; json parse error"), "\(kind.text)")
        }
    }

    @Test(arguments: ["", "?limit=7"])
    func `a few large objects are streamed, not held for each client`(query: String) async throws {
        try await withCluster { cluster in
            let text = JSONValue.string(String(repeating: "x", count: 100_000))
            for name in 0..<8 {
                let made = try await cluster.post(Self.core + "/configmaps", ["metadata": ["name": "m\(name)"], "data": ["a": text]])
                #expect(made.status == 201)
            }
            let request = cluster.request("GET", Self.core + "/configmaps" + query)
            let response = try await cluster.transport().send(request)
            var sizes: [Int] = []
            var all: [UInt8] = []
            for try await piece in response.body {
                sizes.append(piece.count)
                all += piece
            }
            #expect(sizes.count > 1, "\(sizes)")
            #expect(try JSONParser.parse(all)["items"]?.array?.count == (query.isEmpty ? 8 : 7))
        }
    }
}
