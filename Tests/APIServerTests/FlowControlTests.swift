import Access
import Channels
import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct FlowControlServingTests {
    private static let levels = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations"
    private static let schemas = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"

    @Test func `the default objects are there and reported`() async throws {
        try await withCluster { cluster in
            let levels = try await cluster.get(Self.levels)
            #expect(levels["items"]?.array?.count == 8)
            let schemas = try await cluster.get(Self.schemas)
            #expect(schemas["items"]?.array?.count == FlowDefaults.schemas.count)
            for schema in schemas["items"]?.array ?? [] {
                #expect(schema.value(at: ["status", "conditions", "0", "type"]) == "Dangling")
                #expect(schema.value(at: ["status", "conditions", "0", "status"]) == "False")
            }
            #expect(schemas["items", "0", "metadata", "annotations", "apf.kubernetes.io/autoupdate-spec"] == "true")
        }
    }

    @Test func `a table of schemas has the order in which they are tried`() async throws {
        try await withCluster { cluster in
            let table = try await cluster.get(Self.schemas, accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
            let cells = (table["rows"]?.array ?? []).map { ($0["cells"]?.array?[2].int ?? 0, $0["cells"]?.array?[0].string ?? "") }
            let ordered = cells.sorted { $0 < $1 }.map(\.1)
            #expect(cells.map(\.1) == ordered && ordered.count == FlowDefaults.schemas.count)
            #expect(ordered.first == "exempt" && ordered.last == "catch-all")
        }
    }

    @Test func `every answer names the schema and the level`() async throws {
        try await withCluster { cluster in
            let exempt = try await cluster.get("\(Self.schemas)/exempt")
            let uid = try #require(exempt["metadata", "uid"]?.string)
            try await eventually {
                try await cluster.get("/api/v1/namespaces").headers["x-kubernetes-pf-flowschema-uid"] == uid
            }
            let refused = try await cluster.get("/api/v1/pods", user: InProcessUser(name: "jane"))
            #expect(refused.status == 403)
            #expect(refused.headers["x-kubernetes-pf-prioritylevel-uid"] != nil)
        }
    }

    @Test func `a level made smaller refuses, in plain text, what exceeds it`() async throws {
        try await withCluster(configure: {
            $0.maxInFlight = 1
            $0.maxMutatingInFlight = 1
        }) { cluster in
            let jane = try await Self.withTinyLevel(cluster, shares: 0)
            // Without seats one request is served at a time; a list is one until it is sent.
            let list = try await Self.startLongList(cluster, jane)
            let refused = try await cluster.get("/version", user: jane)
            #expect(refused.status == 429)
            #expect(refused.headers["retry-after"] == "1")
            #expect(refused.text == "Too many requests, please try again later.\n")
            #expect(try await cluster.get("/version").status == 200)
            let metrics = try await cluster.get("/metrics").text
            #expect(
                metrics.contains(
                    "apiserver_flowcontrol_rejected_requests_total{flow_schema=\"tiny\",priority_level=\"tiny\",reason=\"concurrency-limit\"}"
                )
            )
            #expect(try await cluster.get("/debug/api_priority_and_fairness/dump_priority_levels").text.contains("tiny,"))
            #expect(try await cluster.delete("\(Self.schemas)/tiny").status == 200)
            try await eventually { try await cluster.get("/version", user: jane).status == 200 }
            list.body.cancel()
        }
    }

    /// Makes jane an administrator with a level of her own, and waits until her requests are of it.
    private static func withTinyLevel(_ cluster: TestCluster, shares: Int64) async throws -> InProcessUser {
        let binding: JSONValue = [
            "metadata": ["name": "jane"], "subjects": [["kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"]],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"],
        ]
        #expect(try await cluster.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).status == 201)
        try await addTinyLevel(cluster, shares: shares)
        let jane = InProcessUser(name: "jane")
        let uid = try await cluster.get("\(levels)/tiny")["metadata", "uid"]?.string
        try await eventually {
            let answer = try await cluster.get("/api/v1/nodes", user: jane)
            return answer.status == 200 && answer.headers["x-kubernetes-pf-prioritylevel-uid"] == uid
        }
        return jane
    }

    /// Begins a list of 80 objects of 32 KB that nobody reads yet.
    private static func startLongList(_ cluster: TestCluster, _ user: InProcessUser) async throws -> ClientResponse {
        let text = JSONValue.string(String(repeating: "x", count: 32 << 10))
        for number in 0..<80 {
            let map: JSONValue = ["metadata": ["name": .string("map-\(number)")], "data": ["text": text]]
            #expect(try await cluster.post("/api/v1/namespaces/default/configmaps", map).status == 201)
        }
        let list = try await cluster.transport(user).send(HTTPRequest(method: "GET", path: "/api/v1/configmaps"))
        #expect(list.status == 200)
        return list
    }

    /// A level of its own for jane, with the shares given.
    private static func addTinyLevel(_ cluster: TestCluster, shares: Int64) async throws {
        let level: JSONValue = [
            "metadata": ["name": "tiny"],
            "spec": [
                "type": "Limited",
                "limited": [
                    "nominalConcurrencyShares": .integer(shares), "borrowingLimitPercent": 0, "limitResponse": ["type": "Reject"],
                ],
            ],
        ]
        #expect(try await cluster.post(levels, level).status == 201)
        let everything: JSONValue = ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": true]
        let schema: JSONValue = [
            "metadata": ["name": "tiny"],
            "spec": [
                "matchingPrecedence": 3, "priorityLevelConfiguration": ["name": "tiny"],
                "rules": [
                    [
                        "subjects": [["kind": "User", "user": ["name": "jane"]]],
                        "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]],
                        "resourceRules": [everything],
                    ]
                ],
            ],
        ]
        #expect(try await cluster.post(schemas, schema).status == 201)
    }

    @Test func `a list keeps its seat until it is sent, or nobody wants it any more`() async throws {
        try await withCluster(configure: {
            $0.maxInFlight = 1
            $0.maxMutatingInFlight = 1
        }) { cluster in
            let jane = try await Self.withTinyLevel(cluster, shares: 1)
            let list = try await Self.startLongList(cluster, jane)
            #expect(try await cluster.get("/version", user: jane).status == 429)
            #expect(try await list.body.collect(upTo: 16 << 20).count > 80 * (32 << 10))
            try await eventually { try await cluster.get("/version", user: jane).status == 200 }
            let dropped = try await cluster.transport(jane).send(HTTPRequest(method: "GET", path: "/api/v1/configmaps"))
            #expect(try await cluster.get("/version", user: jane).status == 429)
            dropped.body.cancel()
            try await eventually { try await cluster.get("/version", user: jane).status == 200 }
        }
    }

    @Test func `a write keeps its seat while those who watch are told`() async throws {
        let clock = ManualClock()
        try await withCluster(
            clock: clock,
            configure: {
                $0.maxInFlight = 1
                $0.maxMutatingInFlight = 1
            }
        ) { cluster in
            let maps = "/api/v1/namespaces/default/configmaps"
            let jane = try await Self.withTinyLevel(cluster, shares: 1)
            var watches: [WatchReader] = []
            for target in ["/api/v1/configmaps?watch=1", maps + "?watch=1&fieldSelector=metadata.name%3Da", "/api/v1/secrets?watch=1"] {
                watches.append(try await cluster.watch(target))
            }
            for _ in 0..<8 { watches.append(try await cluster.watch(maps + "?watch=1&labelSelector=a")) }
            let cache = try #require(cluster.server.resources.engines[.core("configmaps")]).cache
            let deadlines = cluster.server.deadlines
            try await eventually { deadlines.watchers(of: cache, namespace: "default", name: "a") == 10 }
            #expect(deadlines.watchers(of: cache, namespace: "default", name: "") == 9)
            #expect(deadlines.watchers(of: cache, namespace: "other", name: "a") == 1)
            // Nine do not count.
            #expect(try await cluster.post(maps, ["metadata": ["name": "a"]], user: jane).status == 201)
            #expect(try await cluster.put(maps + "/a", ["metadata": ["name": "a"], "data": ["x": "y"]], user: jane).status == 200)
            #expect(try await cluster.get("/version", user: jane).status == 429)
            try await eventually {
                clock.advance(by: .milliseconds(5))
                return try await cluster.get("/version", user: jane).status == 200
            }
            watches = []
            try await eventually { deadlines.watchers(of: cache, namespace: "default", name: "a") == 0 }
        }
    }

    @Test func `a flood from one tenant leaves system traffic untouched`() async throws {
        try await withCluster(configure: {
            $0.maxInFlight = 8
            $0.maxMutatingInFlight = 4
        }) { cluster in
            let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            let review: JSONValue = ["spec": ["nonResourceAttributes": ["path": "/", "verb": "get"]]]
            let tenant = InProcessUser(name: "tenant")
            let scheduler = InProcessUser(name: "system:kube-scheduler")
            let outcome = try await withThrowingTaskGroup(of: (isSystem: Bool, status: Int).self) { group in
                for _ in 0..<600 {
                    group.addTask { (false, try await cluster.post(path, review, user: tenant).status) }
                }
                for _ in 0..<4 {
                    group.addTask {
                        var worst = 200
                        for _ in 0..<25 { worst = max(worst, try await cluster.get("/api/v1/nodes", user: scheduler).status) }
                        return (true, worst)
                    }
                }
                var outcome: [Bool: [Int: Int]] = [:]
                for try await one in group { outcome[one.isSystem, default: [:]][one.status, default: 0] += 1 }
                return outcome
            }
            #expect(outcome[true] == [200: 4])
            // The tenant is served as well, as far as there is room.
            #expect((outcome[false]?[201] ?? 0) > 0)
            #expect((outcome[false] ?? [:]).keys.allSatisfy { $0 == 201 || $0 == 429 })
        }
    }

    @Test func `what users change is restored where it must be, and left alone where they asked`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.patch("\(Self.levels)/catch-all", ["spec": ["limited": ["nominalConcurrencyShares": 77]]])
            _ = try await cluster.patch(
                "\(Self.levels)/workload-low",
                [
                    "metadata": ["annotations": ["apf.kubernetes.io/autoupdate-spec": "false"]],
                    "spec": ["limited": ["nominalConcurrencyShares": 77]],
                ]
            )
            _ = try await cluster.patch("\(Self.levels)/system", ["spec": ["limited": ["nominalConcurrencyShares": 77]]])
            await FlowObjects(server: cluster.server).maintain()
            let shares = ["spec", "limited", "nominalConcurrencyShares"]
            #expect(try await cluster.get("\(Self.levels)/catch-all").json.value(at: shares) == 5)
            #expect(try await cluster.get("\(Self.levels)/workload-low").json.value(at: shares) == 77)
            #expect(try await cluster.get("\(Self.levels)/system").json.value(at: shares) == 30)
        }
    }
}

/// Waits for a condition, generously: other suites and other processes may have the processors.
func eventually(_ condition: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(90)
    while try await !condition() {
        guard clock.now < end else {
            Issue.record("the condition did not come true in time")
            return
        }
        try await clock.sleep(for: .milliseconds(2))
    }
}
