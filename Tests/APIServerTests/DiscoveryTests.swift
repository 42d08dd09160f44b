import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct DiscoveryTests {
    @Test func `the legacy documents`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.get("/api")["versions"] == ["v1"])
            let groups = try await cluster.get("/apis")
            let names = groups["groups"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names.contains("apps"))
            #expect(!names.contains(""))
            #expect(try await cluster.get("/apis/apps")["preferredVersion", "version"] == "v1")
            let core = try await cluster.get("/api/v1")
            #expect(core["kind"] == "APIResourceList")
            let pods = core["resources"]?.array?.first { $0["name"] == "pods" }
            #expect(pods?["shortNames"] == ["po"])
            #expect(pods?["categories"] == ["all"])
            #expect(core["resources"]?.array?.contains { $0["name"] == "pods/log" } == true)
            let scale = try await cluster.get("/apis/apps/v1")["resources"]?.array?.first { $0["name"] == "deployments/scale" }
            #expect(scale?["group"] == "autoscaling")
            #expect(scale?["kind"] == "Scale")
        }
    }

    @Test func `groups come by their priority and then by name, whatever was defined first`() async throws {
        try await withCluster { cluster in
            for group in ["zebra.test", "apus.test"] {
                try await cluster.install(Samples.definition(group: group, schema: Samples.schema(["a": ["type": "string"]])))
            }
            let builtin = [
                "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
            ]
            let plain = try await cluster.get("/apis")["groups"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(Array(plain.prefix(builtin.count)) == builtin)
            #expect(plain.suffix(2) == ["apus.test", "zebra.test"])
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            let items = try await cluster.get("/apis", accept: accept)["items"]?.array ?? []
            #expect(items.compactMap { $0.value(at: ["metadata", "name"])?.string } == plain)
        }
    }

    @Test func `the aggregated document and its tag`() async throws {
        try await withCluster { cluster in
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
            let all = try await cluster.get("/apis", accept: accept)
            #expect(all["kind"] == "APIGroupDiscoveryList")
            #expect(all.headers["content-type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
            let tag = all.headers["etag"] ?? ""
            #expect(tag.count > 10)
            let same = try await cluster.send("GET", "/apis", accept: accept, headers: ["If-None-Match": tag])
            #expect(same.status == 304)
            let core = try await cluster.get("/api", accept: accept)
            let resources = core["items", "0", "versions", "0", "resources"]?.array ?? []
            #expect(resources.contains { $0["resource"] == "pods" && $0["scope"] == "Namespaced" })
        }
    }

    @Test func `version, paths, health and metrics`() async throws {
        try await withCluster { cluster in
            let version = try await cluster.get("/version", user: nil)
            #expect(version["minor"] == "36")
            #expect(version["gitVersion"]?.string?.hasPrefix("v1.36.2+apus") == true)
            #expect(try await cluster.get("/")["paths"]?.array?.contains("/apis/apps/v1") == true)
            #expect(try await cluster.get("/healthz", user: nil).text == "ok")
            let verbose = try await cluster.get("/readyz?verbose", user: nil)
            #expect(verbose.text.contains("[+]etcd ok\n"))
            #expect(verbose.text.hasSuffix("readyz check passed\n"))
            #expect(try await cluster.get("/livez/ping").text == "ok")
            let whole = try await cluster.get("/healthz?verbose=1").text.split(separator: "\n").map(String.init)
            #expect(whole.prefix(4) == ["[+]ping ok", "[+]log ok", "[+]loopback-serving-certificate ok", "[+]etcd ok"])
            #expect(whole.contains("[+]poststarthook/apiservice-status-remote-available-controller ok"))
            #expect(whole.contains("[+]autoregister-completion ok"))
            #expect(try await cluster.get("/healthz/poststarthook/rbac/bootstrap-roles").text == "ok")
            #expect(try await cluster.get("/healthz/poststarthook/nope").status == 404)
            let indicators = try await cluster.get("/metrics/slis").text
            #expect(indicators.contains("kubernetes_healthcheck{name=\"etcd\",type=\"healthz\"} 1\n"))
            #expect(indicators.contains("kubernetes_healthchecks_total{name=\"etcd\",status=\"success\",type=\"readyz\"} "))
            #expect(try await cluster.get("/readyz?exclude=etcd&verbose").text.contains("[+]etcd excluded: ok"))
            cluster.server.prepareToStop()
            #expect(try await cluster.get("/readyz", user: nil).status == 500)
            _ = try await cluster.get("/api/v1/namespaces/default/pods/nope")
            let metrics = try await cluster.get("/metrics").text
            #expect(
                metrics.contains(
                    "apiserver_request_total{component=\"apiserver\",group=\"\",resource=\"pods\",scope=\"resource\",subresource=\"\",verb=\"GET\",version=\"v1\",code=\"404\",dry_run=\"\"} 1"
                )
            )
            #expect(metrics.contains("process_resident_memory_bytes "))
            #expect(!metrics.contains("nope"))
        }
    }

    @Test func `OpenAPI documents say that a token is wanted`() async throws {
        try await withCluster { cluster in
            let token: JSONValue = [
                "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header",
            ]
            let second = try await cluster.get("/openapi/v2")
            #expect(second["securityDefinitions"] == ["BearerToken": token])
            #expect(second["security"] == [["BearerToken": []]])
            let third = try await cluster.get("/openapi/v3/apis/batch/v1")
            #expect(third["components", "securitySchemes"] == ["BearerToken": token])
            try await cluster.install(Samples.definition(schema: Samples.schema([:])))
            let path = "/openapi/v3/apis/apus.test/v1"
            try await cluster.waitFor("a document of the definition") { try await cluster.get(path).status == 200 }
            let custom = try await cluster.get(path)
            #expect(custom["components", "schemas"] != nil && custom["components", "securitySchemes"] == nil)
            let encoded = try await cluster.get("/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
            let requirement: [UInt8] = [0x62, 0x11, 0x0a, 0x0f, 0x0a, 0x0b] + Array("BearerToken".utf8) + [0x12, 0x00]
            let scheme = "\u{0a}\u{06}apiKey\u{12}\u{0d}authorization\u{1a}\u{06}header\u{22}\u{1b}Bearer Token authentication"
            let named: [UInt8] = [0x6a, 0x4f, 0x0a, 0x4d, 0x0a, 0x0b] + Array("BearerToken".utf8) + [0x12, 0x3e, 0x12, 0x3c]
            #expect(encoded.bytes.suffix(100) == (requirement + named + Array(scheme.utf8))[...])
        }
    }

    @Test func `component statuses`() async throws {
        try await withCluster { cluster in
            let list = try await cluster.get("/api/v1/componentstatuses")
            #expect(list["items"]?.array?.count == 3)
            cluster.server.report(component: "controller-manager", problem: nil)
            let table = try await cluster.get(
                "/api/v1/componentstatuses",
                accept: "application/json;as=Table;v=v1;g=meta.k8s.io"
            )
            #expect(table["rows", "0", "cells", "1"] == "Healthy")
            #expect(table["rows", "1", "cells", "1"] == "Healthy")
            #expect(table["rows", "2", "cells", "1"] == "Unhealthy")
            #expect(table["rows", "2", "cells", "2"] == "not started")
        }
    }
}
