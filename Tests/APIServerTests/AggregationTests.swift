import APIModel
import Access
import Channels
import HTTPTransport
import Proxying
import Testing
import Values

@testable import APIServer

@Suite struct AggregationTests {
    private static let objects = "/apis/apiregistration.k8s.io/v1/apiservices"

    @Test func `every group version served here has an object that says so`() async throws {
        try await withCluster { cluster in
            let apps = try await cluster.get("\(Self.objects)/v1.apps")
            #expect(apps["spec", "groupPriorityMinimum"] == 17800)
            #expect(apps["spec", "versionPriority"] == 15)
            #expect(apps["metadata", "labels", "kube-aggregator.kubernetes.io/automanaged"] == "onstart")
            #expect(apps["status", "conditions", "0", "reason"] == "Local")
            #expect(apps["status", "conditions", "0", "message"] == "Local APIServices are always available")
            let core = try await cluster.get("\(Self.objects)/v1.")
            #expect(core["spec", "group"] == nil || core["spec", "group"] == "")
            #expect(try await cluster.get("\(Self.objects)/v1beta1.extensions").status == 200)
        }
    }

    private struct Setup: Sendable {
        let cluster: TestCluster
        let metrics: MetricsServer
        let caPEM: String
        let port: Int

        func register(ca: Bool = true, service: String = "metrics", insecure: Bool = false, port: Int? = nil) async throws {
            var spec: JSONValue = [
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": ["namespace": "kube-system", "name": .string(service), "port": JSONValue(port ?? self.port)],
            ]
            if ca { spec["caBundle"] = .string(Base64.encode(Array(caPEM.utf8))) }
            if insecure { spec["insecureSkipTLSVerify"] = true }
            let made = try await cluster.post(AggregationTests.objects, ["metadata": ["name": "v1beta1.metrics.k8s.io"], "spec": spec])
            #expect(made.status == 201, "\(made.text)")
        }

        /// The service stands for the test's own server, as an external name: slices refuse loopback addresses.
        func addService() async throws {
            let service: JSONValue = ["metadata": ["name": "metrics"], "spec": ["type": "ExternalName", "externalName": "localhost"]]
            let made = try await cluster.post("/api/v1/namespaces/kube-system/services", service)
            #expect(made.status == 201, "\(made.text)")
        }

        func condition() async throws -> JSONValue? {
            try await cluster.get("\(AggregationTests.objects)/v1beta1.metrics.k8s.io")["status", "conditions", "0"]
        }

        func awaitReason(_ reason: String) async throws {
            try await eventually {
                APIServiceObjects(server: cluster.server).load()
                await APIServiceObjects(server: cluster.server).check()
                return try await condition()?["reason"]?.string == reason
            }
        }
    }

    private func withMetrics(
        clock: any ClusterClock = SystemClock(),
        _ body: @Sendable @escaping (Setup) async throws -> Void
    ) async throws {
        let serving = try TestAuthority("serving-ca")
        let proxies = try TestAuthority("front-proxy-ca")
        let pair = try serving.issue("metrics", dnsNames: ["metrics.kube-system.svc"], usage: .serverAuth)
        let client = try proxies.issue("front-proxy-client", usage: .clientAuth)
        let metrics = MetricsServer()
        let tls = TLSServer(
            certificateChainPEM: pair.certificatePEM,
            keyPEM: pair.keyPEM,
            requestHeaderCAPEM: proxies.certificatePEM
        )
        let (caPEM, proxyCA) = (serving.certificatePEM, proxies.certificatePEM)
        try await withHTTPServer(tls: tls, metrics) { port in
            try await withCluster(
                clock: clock,
                configure: {
                    $0.frontProxy = FrontProxy(clientCAPEM: caPEM, requestHeaderCAPEM: proxyCA) {
                        TLSClient(certificateChainPEM: client.certificatePEM, keyPEM: client.keyPEM)
                    }
                }
            ) { cluster in
                try await body(Setup(cluster: cluster, metrics: metrics, caPEM: caPEM, port: port))
            }
        }
    }

    @Test func `requests reach the other server in the name of who asks`() async throws {
        try await withMetrics { setup in
            try await setup.addService()
            try await setup.register()
            try await setup.awaitReason("Passed")
            #expect(try await setup.condition()?["message"] == "all checks passed")
            let list = try await setup.cluster.send(
                "GET",
                "/apis/metrics.k8s.io/v1beta1/nodes?limit=5",
                user: InProcessUser(name: "admin", groups: ["system:masters", "ops"]),
                headers: ["Authorization": "Bearer secret", "X-Remote-User": "forged", "X-Remote-Group": "forged"]
            )
            #expect(list.status == 200, "\(list.text)")
            #expect(list["kind"] == "NodeMetricsList")
            let seen = setup.metrics.seen
            #expect(seen.path == "/apis/metrics.k8s.io/v1beta1/nodes")
            #expect(seen.user == "admin")
            #expect(Set(seen.groups) == ["system:masters", "ops", "system:authenticated"])
            #expect(seen.proxy == "front-proxy-client")
            #expect(seen.authorization == nil)
            let refused = try await setup.cluster.get("/apis/metrics.k8s.io/v1beta1/nodes", user: InProcessUser(name: "jane"))
            #expect(refused.status == 403)
        }
    }

    @Test func `discovery and documents include what the other server serves`() async throws {
        try await withMetrics { setup in
            try await setup.addService()
            try await setup.register()
            try await setup.awaitReason("Passed")
            let cluster = setup.cluster
            try await cluster.install(Samples.definition(schema: Samples.schema(["a": ["type": "string"]])))
            let groups = try await cluster.get("/apis")["groups"]?.array?.compactMap { $0["name"]?.string } ?? []
            // Its priority is 100, that of custom resources 1000.
            #expect(groups.suffix(2) == ["apus.test", "metrics.k8s.io"])
            #expect(try await cluster.get("/apis/metrics.k8s.io")["preferredVersion", "version"] == "v1beta1")
            #expect(try await cluster.get("/apis/metrics.k8s.io/v1beta1")["resources", "0", "kind"] == "NodeMetrics")
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            let all = try await cluster.get("/apis", accept: accept)
            let group = all["items"]?.array?.last
            #expect(group?.value(at: ["metadata", "name"]) == "metrics.k8s.io")
            #expect(group?.value(at: ["versions", "0", "freshness"]) == "Current")
            #expect(group?.value(at: ["versions", "0", "resources", "1", "scope"]) == "Namespaced")
            let index = try await cluster.get("/openapi/v3")
            let path = "apis/metrics.k8s.io/v1beta1"
            #expect(index.json.value(at: ["paths", path, "serverRelativeURL"]) == "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=AB12")
            #expect(try await cluster.get("/openapi/v3/\(path)")["openapi"] == "3.0.0")
        }
    }

    /// The OpenAPI v2 document of the test's server; its `Status` is not the one served here.
    private static func document(_ description: String) -> JSONValue {
        let reference: JSONValue = ["$ref": "#/definitions/io.k8s.metrics.NodeMetrics"]
        let operation: JSONValue = ["responses": ["200": ["description": "OK", "schema": reference]]]
        let status: JSONValue = ["$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Status"]
        return [
            "swagger": "2.0",
            "paths": ["/apis/metrics.k8s.io/v1beta1/nodes": ["get": operation], "/apis/metrics.k8s.io/v1/nodes": ["get": operation]],
            "definitions": [
                "io.k8s.metrics.NodeMetrics": ["description": .string(description), "properties": ["status": status]],
                "io.k8s.apimachinery.pkg.apis.meta.v1.Status": ["description": "another"], "unused": ["type": "object"],
            ],
        ]
    }

    @Test func `the v2 document takes in what the other server documents, and its tag follows`() async throws {
        try await withMetrics { setup in
            let cluster = setup.cluster
            let before = try await cluster.get("/openapi/v2")
            setup.metrics.document(Self.document("first"))
            try await setup.addService()
            try await setup.register()
            try await setup.awaitReason("Passed")
            func described() async throws -> String? {
                await APIServiceObjects(server: cluster.server).check()
                return try await cluster.get("/openapi/v2")["definitions", "io.k8s.metrics.NodeMetrics", "description"]?.string
            }
            try await eventually { try await described() == "first" }
            let merged = try await cluster.get("/openapi/v2")
            let meta = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
            #expect(merged["paths", "/apis/metrics.k8s.io/v1beta1/nodes", "get"] != nil)
            #expect(merged["paths", "/apis/metrics.k8s.io/v1/nodes"] == nil)
            #expect(merged["paths", "/api/v1/namespaces/{namespace}/pods"] != nil)
            #expect(merged["definitions", "unused"] == nil)
            #expect(merged["definitions", meta] == before["definitions", meta])
            #expect(merged["definitions", "\(meta)_v2", "description"] == "another")
            let reference = merged["definitions", "io.k8s.metrics.NodeMetrics", "properties", "status", "$ref"]
            #expect(reference?.string == "#/definitions/\(meta)_v2")
            let tag = try #require(merged.headers["etag"])
            #expect(tag != before.headers["etag"])
            #expect(try await cluster.send("GET", "/openapi/v2", headers: ["If-None-Match": tag]).status == 304)
            let protobuf = try await cluster.get("/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
            #expect(protobuf.text.contains("/apis/metrics.k8s.io/v1beta1/nodes"))
            setup.metrics.document(Self.document("the second"))
            try await eventually { try await described() == "the second" }
            #expect(try await cluster.send("GET", "/openapi/v2", headers: ["If-None-Match": tag]).status == 200)
        }
    }

    @Test func `what a server said of itself stays while it is away`() async throws {
        try await withMetrics { setup in
            let cluster = setup.cluster
            setup.metrics.document(Self.document("kept"))
            try await setup.addService()
            try await setup.register()
            try await setup.awaitReason("Passed")
            func described() async throws -> String? {
                try await cluster.get("/openapi/v2")["definitions", "io.k8s.metrics.NodeMetrics", "description"]?.string
            }
            try await eventually {
                await APIServiceObjects(server: cluster.server).check()
                return try await described() == "kept"
            }
            setup.metrics.breakDown(true)
            try await setup.awaitReason("FailedDiscoveryCheck")
            #expect(try await described() == "kept")
            let path = "apis/metrics.k8s.io/v1beta1"
            let address = try await cluster.get("/openapi/v3").json.value(at: ["paths", path, "serverRelativeURL"])?.string
            #expect(address == "/openapi/v3/\(path)?hash=AB12")
            let groups = try await cluster.get("/apis")["groups"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(groups.contains("metrics.k8s.io"))
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            let items = try await cluster.get("/apis", accept: accept)["items"]?.array
            let version = items?.first { $0.value(at: ["metadata", "name"]) == "metrics.k8s.io" }?.value(at: ["versions", "0"])
            #expect(version?["freshness"] == "Stale" && version?["resources"]?.array?.isEmpty == false)
        }
    }

    @Test func `redirects are refused and failed upgrades closed`() async throws {
        try await withMetrics { setup in
            try await setup.addService()
            try await setup.register()
            try await setup.awaitReason("Passed")
            let redirected = try await setup.cluster.get("/apis/metrics.k8s.io/v1beta1/elsewhere")
            #expect(redirected.status == 502)
            #expect(redirected.text == "the backend attempted to redirect this request, which is not permitted")
            #expect(redirected.headers["location"] == nil)
            let upgrade = try await setup.cluster.send(
                "GET",
                "/apis/metrics.k8s.io/v1beta1/upgrade",
                headers: ["Connection": "Upgrade", "Upgrade": "SPDY/3.1"]
            )
            #expect(upgrade.status == 403)
            #expect(upgrade.headers["connection"] == "close")
        }
    }

    @Test func `what is wrong is told in upstream's words`() async throws {
        try await withMetrics { setup in
            try await setup.register(ca: false)
            try await setup.awaitReason("ServiceNotFound")
            #expect(try await setup.condition()?["message"] == "service/metrics in \"kube-system\" is not present")
            #expect(try await setup.cluster.get("/apis/metrics.k8s.io/v1beta1/nodes").status == 503)
            #expect(try await setup.cluster.get("/apis/metrics.k8s.io/v1beta1/nodes").text == "service unavailable\n")
            try await setup.addService()
            // Its certificate comes from an authority nobody named.
            try await setup.awaitReason("FailedDiscoveryCheck")
            let trust: JSONValue = ["spec": ["caBundle": .string(Base64.encode(Array(setup.caPEM.utf8)))]]
            _ = try await setup.cluster.patch("\(Self.objects)/v1beta1.metrics.k8s.io", trust)
            try await setup.awaitReason("Passed")
            setup.metrics.breakDown(true)
            try await setup.awaitReason("FailedDiscoveryCheck")
            let message = try await setup.condition()?["message"]?.string ?? ""
            #expect(message == "bad status from https://localhost:\(setup.port)/apis/metrics.k8s.io/v1beta1: 500")
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            let all = try await setup.cluster.get("/apis", accept: accept)
            let group = all["items"]?.array?.first { $0.value(at: ["metadata", "name"]) == "metrics.k8s.io" }
            #expect(group?.value(at: ["versions", "0", "freshness"]) == "Stale")
            _ = try await setup.cluster.delete("\(Self.objects)/v1beta1.metrics.k8s.io")
            try await eventually {
                APIServiceObjects(server: setup.cluster.server).load()
                return try await setup.cluster.get("/apis/metrics.k8s.io/v1beta1/nodes").status == 404
            }
        }
    }

    @Test func `services without port or endpoints`() async throws {
        try await withMetrics { setup in
            let service: JSONValue = ["metadata": ["name": "metrics"], "spec": ["ports": [["name": "https", "port": 1]]]]
            _ = try await setup.cluster.post("/api/v1/namespaces/kube-system/services", service)
            try await setup.register()
            try await setup.awaitReason("ServicePortError")
            #expect(
                try await setup.condition()?["message"]?.string
                    == "service/metrics in \"kube-system\" is not listening on port \(setup.port)"
            )
            _ = try await setup.cluster.patch(
                "/api/v1/namespaces/kube-system/services/metrics",
                ["spec": ["ports": [["name": "https", "port": JSONValue(setup.port)]]]]
            )
            try await setup.awaitReason("EndpointsNotFound")
        }
    }

    @Test func `a server behind ready endpoints is reached, and what changes is noticed at once`() async throws {
        // The clock stands still: nothing is found by looking again after a while.
        try await withMetrics(clock: ManualClock()) { setup in
            let cluster = setup.cluster
            func noticed(_ reason: String) async throws {
                try await eventually { try await setup.condition()?["reason"]?.string == reason }
            }
            try await setup.register(port: 443)
            try await noticed("ServiceNotFound")
            let ports: JSONValue = [["name": "https", "port": 443, "targetPort": "https"]]
            let service: JSONValue = ["metadata": ["name": "metrics"], "spec": ["ports": ports, "selector": ["app": "metrics"]]]
            #expect(try await cluster.post("/api/v1/namespaces/kube-system/services", service).status == 201)
            try await noticed("EndpointsNotFound")
            let slice: JSONValue = [
                "metadata": ["name": "metrics-1", "labels": ["kubernetes.io/service-name": "metrics"]], "addressType": "IPv4",
                "endpoints": [["addresses": ["10.9.9.9"], "conditions": ["ready": false]]],
                "ports": [["name": "https", "port": JSONValue(setup.port)]],
            ]
            let slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
            #expect(try await cluster.post(slices, slice).status == 201)
            try await noticed("MissingEndpoints")
            try await Self.setEndpoint("127.0.0.1", isReady: true, cluster)
            try await noticed("Passed")
            try await eventually { try await cluster.get("/apis/metrics.k8s.io/v1beta1/nodes").status == 200 }
            #expect(try await cluster.get("/apis/metrics.k8s.io/v1beta1/nodes")["kind"] == "NodeMetricsList")
            #expect(setup.metrics.seen.user == "admin")
            try await Self.setEndpoint("127.0.0.1", isReady: false, cluster)
            try await noticed("MissingEndpoints")
            try await eventually { try await cluster.get("/apis/metrics.k8s.io/v1beta1/nodes").status == 503 }
        }
    }

    /// Writes the only endpoint of the slice past validation, which refuses the loopback address the test's server has.
    private static func setEndpoint(_ address: String, isReady: Bool, _ cluster: TestCluster) async throws {
        let view = try #require(cluster.server.resources.storageView(GroupResource(group: "discovery.k8s.io", resource: "endpointslices")))
        let key = view.engine.key(namespace: "kube-system", name: "metrics-1")
        var slice = try view.engine.tree(try #require(try await view.engine.stored(key)))
        slice.set([["addresses": [.string(address)], "conditions": ["ready": .bool(isReady)]]], at: ["endpoints"])
        _ = try await cluster.store.put(key, slice.encoded(), if: .none)
    }

    @Test func `other servers find out how to believe this one`() async throws {
        try await withMetrics { setup in
            let map = try await setup.cluster.get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")
            #expect(map["data", "requestheader-allowed-names"] == "[\"front-proxy-client\"]")
            #expect(map["data", "requestheader-username-headers"] == "[\"X-Remote-User\"]")
            #expect(map["data", "client-ca-file"]?.string == setup.caPEM)
            let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/extension-apiserver-authentication-reader"
            #expect(try await setup.cluster.get(role)["rules", "0", "resourceNames", "0"] == "extension-apiserver-authentication")
        }
    }

    @Test func `a front proxy is believed, anybody else is not`() async throws {
        let authenticator = RequestHeaderAuthenticator(allowedNames: ["front-proxy-client"])
        var request = HTTPRequest(path: "/")
        request.headers.append("X-Remote-User", "jane")
        request.headers.append("X-Remote-Group", "ops")
        request.headers.append("X-Remote-Extra-Acme.com%2Fproject", "p")
        #expect(await authenticator.authenticate(request) == .none)
        request.peer.proxyCertificate = ClientIdentity(commonName: "somebody")
        #expect(await authenticator.authenticate(request) == .none)
        request.peer.proxyCertificate = ClientIdentity(commonName: "front-proxy-client")
        let user = UserIdentity(name: "jane", groups: ["ops"], extra: ["acme.com/project": ["p"]])
        #expect(await authenticator.authenticate(request) == .user(user, audiences: []))
    }
}
