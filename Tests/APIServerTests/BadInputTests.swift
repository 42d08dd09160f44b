import HTTPTransport
import Schema
import Testing
import Values

@testable import APIServer

@Suite struct BadInputTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test(arguments: [
        ("{", "unexpected end of JSON input"), ("", "<empty>"), ("{\"a\":x}", "invalid character 'x'"), ("[]", "ConfigMap"),
        ("nonsense", "invalid character"),
    ])
    func `malformed JSON is a bad request`(_ body: String, _ words: String) async throws {
        try await withCluster { cluster in
            let refused = try await cluster.send("POST", Self.maps, Array(body.utf8), type: "application/json")
            #expect(refused.status == 400)
            #expect(refused.reason == "BadRequest")
            #expect(refused.message.contains(words), "\(refused.message)")
        }
    }

    @Test func `malformed YAML is a bad request`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.send("POST", Self.maps, Array("a: [b\nc: }".utf8), type: "application/yaml")
            #expect(refused.status == 400)
        }
    }

    @Test func `a wrong type is named`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.post(
                "/apis/apps/v1/namespaces/default/deployments",
                ["metadata": ["name": "a"], "spec": ["replicas": "three"]]
            )
            #expect(refused.status == 400)
            #expect(
                refused.message
                    == "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
            )
        }
    }

    @Test func `unknown and duplicate fields are refused, warned of or ignored`() async throws {
        try await withCluster { cluster in
            let body = Array("{\"metadata\":{\"name\":\"a\"},\"dta\":{},\"data\":{},\"data\":{}}".utf8)
            let strict = try await cluster.send("POST", Self.maps + "?fieldValidation=Strict", body, type: "application/json")
            #expect(strict.status == 400)
            #expect(strict.message.contains("strict decoding error: "))
            #expect(strict.message.contains("unknown field \"dta\""))
            #expect(strict.message.contains("duplicate field \"data\""))
            let ignored = try await cluster.send(
                "POST",
                Self.maps + "?fieldValidation=Ignore&dryRun=All",
                body,
                type: "application/json"
            )
            #expect(ignored.status == 201)
            #expect(ignored.warnings.isEmpty)
            let warned = try await cluster.send("POST", Self.maps, body, type: "application/json")
            #expect(warned.status == 201)
            #expect(warned.warnings.contains("299 - \"unknown field \\\"dta\\\"\""))
        }
    }

    @Test func `illegal names, labels and annotations are refused`() async throws {
        try await withCluster { cluster in
            let slash = try await cluster.post(Self.maps, ["metadata": ["name": "a/b"]])
            #expect(slash.status == 422)
            #expect(slash.message.contains("may not contain '/'") || slash.message.contains("RFC 1123"))
            let label = try await cluster.post(Self.maps, ["metadata": ["name": "a", "labels": ["x": "not ok"]]])
            #expect(label.status == 422)
            #expect(label.message.contains("metadata.labels: Invalid value: \"not ok\""))
        }
    }

    @Test func `a body over three mebibytes is too large`() async throws {
        try await withCluster { cluster in
            let body = [UInt8](repeating: 32, count: (3 << 20) + 1)
            let refused = try await cluster.send("POST", Self.maps, body, type: "application/json")
            #expect(refused.status == 413)
            #expect(refused.message == "Request entity too large: limit is 3145728")
        }
    }

    @Test func `too deep a body is refused`() async throws {
        try await withCluster { cluster in
            let body = Array((String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)).utf8)
            let refused = try await cluster.send("POST", Self.maps, body, type: "application/json")
            #expect(refused.status == 400)
        }
    }

    @Test func `unknown kinds, versions, resources and methods`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.get("/apis/apps/v9/deployments").status == 404)
            let unknown = try await cluster.get("/api/v1/unicorns")
            #expect(unknown.message == "the server could not find the requested resource")
            #expect(try await cluster.get("/apis/example.com/v1/unicorns").text == "404 page not found\n")
            #expect(try await cluster.post("/api/v1/pods", [:]).status == 405)
            #expect(try await cluster.get("/api/v1/namespaces/default/nodes").status == 404)
            #expect(try await cluster.get("/api/v1/namespaces/default/namespaces").status == 404)
            #expect(try await cluster.get("/apis/apps/v1/deployments/x").status == 404)
            let kind = try await cluster.post(Self.maps, ["apiVersion": "v1", "kind": "Secret", "metadata": ["name": "a"]])
            #expect(kind.status == 400)
            let version = try await cluster.post(Self.maps, ["apiVersion": "v2", "kind": "ConfigMap", "metadata": ["name": "a"]])
            #expect(
                version.message
                    == "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version "
                    + "\"v2\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
            )
        }
    }

    @Test func `formats nobody speaks`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.send("POST", Self.maps, [1], type: "application/msgpack")
            #expect(refused.status == 415)
            #expect(refused.reason == "UnsupportedMediaType")
            let accept = try await cluster.get(Self.maps, accept: "application/xml")
            #expect(accept.status == 406)
        }
    }

    @Test func `selectors are checked`() async throws {
        try await withCluster { cluster in
            let field = try await cluster.get("/api/v1/pods?fieldSelector=spec.color%3Dred")
            #expect(field.status == 400)
            #expect(field.message.contains("field label not supported: spec.color"))
            let label = try await cluster.get("/api/v1/pods?labelSelector=a%20b%20c")
            #expect(label.status == 400)
        }
    }

    @Test func `a damaged stored object fails nothing but itself`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "good"]])
            _ = try await cluster.store.put("/registry/core/configmaps/default/bad", Array("{broken".utf8), if: .absent)
            let list = try await cluster.get(Self.maps)
            #expect(list.status == 200)
            #expect(list["items"]?.array?.count == 1)
            #expect(try await cluster.delete(Self.maps + "/bad").status == 200)
        }
    }
}

@Suite struct ProtobufTests {
    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(content.count)] + content
    }

    private static func field(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    private static func envelope(_ apiVersion: String, _ kind: String, _ raw: [UInt8]) -> [UInt8] {
        let meta = field(1, apiVersion) + field(2, kind)
        return [0x6b, 0x38, 0x73, 0] + field(1, meta) + field(2, raw)
    }

    @Test func `a body in protobuf is the same object`() async throws {
        try await withCluster { cluster in
            let metadata = Self.field(1, "cm") + Self.field(11, Self.field(1, "app") + Self.field(2, "x"))
            let raw = Self.field(1, metadata) + Self.field(2, Self.field(1, "k") + Self.field(2, "v"))
            let made = try await cluster.send(
                "POST",
                "/api/v1/namespaces/default/configmaps",
                Self.envelope("v1", "ConfigMap", raw),
                type: "application/vnd.kubernetes.protobuf",
                accept: "application/json"
            )
            #expect(made.status == 201, "\(made.text)")
            #expect(made["data"] == ["k": "v"])
            #expect(made["metadata", "labels"] == ["app": "x"])
        }
    }

    @Test func `broken protobuf is a bad request`() async throws {
        try await withCluster { cluster in
            for body: [UInt8] in [[1, 2, 3], [0x6b, 0x38, 0x73, 0, 0x12, 0xff], Self.envelope("v1", "ConfigMap", [0x0a, 0x50, 1])] {
                let refused = try await cluster.send(
                    "POST",
                    "/api/v1/namespaces/default/configmaps",
                    body,
                    type: "application/vnd.kubernetes.protobuf"
                )
                #expect(refused.status == 400, "\(body)")
            }
        }
    }

    @Test func `a field that protobuf nests and JSON does not`() throws {
        let pod = BuiltinSchemaNodes.pod
        // Pod.spec(2).containers(2).livenessProbe(10){handler(1){tcpSocket(3){port(1){intVal(2)=80}}}, timeoutSeconds(3)=5}
        let port = Self.field(1, [0x08, 0, 0x10, 80])
        let probe = Self.field(1, Self.field(3, port)) + [0x18, 5]
        let container = Self.field(1, "c") + Self.field(10, probe)
        let raw = Self.field(2, Self.field(2, container))
        let value = try ProtobufObject.decode(Self.envelope("v1", "Pod", raw), schema: pod)
        let read = value.value(at: ["spec", "containers", "0", "livenessProbe"])
        #expect(read?.value(at: ["tcpSocket", "port"]) == 80)
        #expect(read?["timeoutSeconds"] == 5)
    }
}
