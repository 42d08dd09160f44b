import APITypes
import HTTPTransport
import Schema
import Testing
import Values

@testable import APIServer

/// The syntaxes of bodies and answers, and how they are agreed on.
@Suite struct FormatsTests {
    static let protobuf = "application/vnd.kubernetes.protobuf"
    static let maps = "/api/v1/namespaces/default/configmaps"

    static func node(_ kind: String) -> SchemaNode { BuiltinSchema.node("io.k8s.api.core.v1.\(kind)") }

    static let map: JSONValue = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a", "namespace": "default", "labels": ["x": "y"]],
        "data": ["one": "1", "two": "2"], "binaryData": ["raw": "AQID"],
    ]

    /// An answer's object, decoded and made what JSON has.
    static func decode(_ answer: TestCluster.Answer, _ node: SchemaNode) throws -> JSONValue {
        var value = try ProtobufObject.decode(answer.bytes, schema: node)
        _ = try node.decode(&value)
        return value
    }

    @Test func `objects travel in protobuf both ways`() async throws {
        try await withCluster { cluster in
            let node = Self.node("ConfigMap")
            let body = ProtobufObject.encode(Self.map, schema: node)
            let created = try await cluster.send("POST", Self.maps, body, type: Self.protobuf, accept: Self.protobuf)
            #expect(created.status == 201)
            #expect(created.headers["content-type"] == Self.protobuf)
            let one = try Self.decode(created, node)
            #expect(one["data"] == ["one": "1", "two": "2"])
            let json = try await cluster.get("\(Self.maps)/a")
            #expect(json["binaryData", "raw"] == "AQID")
            #expect(json.json == one)
            let again = try await cluster.get("\(Self.maps)/a", accept: "\(Self.protobuf),application/json")
            #expect(again.bytes == created.bytes)
        }
    }

    @Test func `a put and a delete take protobuf`() async throws {
        try await withCluster { cluster in
            let node = Self.node("ConfigMap")
            _ = try await cluster.post(Self.maps, Self.map)
            var changed = Self.map
            changed["data"] = ["one": "uno"]
            let body = ProtobufObject.encode(changed, schema: node)
            let put = try await cluster.send("PUT", "\(Self.maps)/a", body, type: Self.protobuf)
            #expect(put.status == 200)
            #expect(put["data", "one"] == "uno")
            #expect(put["data", "two"] == nil)
            let options: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions", "preconditions": ["uid": "other"]]
            let schema = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
            let refused = try await cluster.send(
                "DELETE",
                "\(Self.maps)/a",
                ProtobufObject.encode(options, schema: schema),
                type: Self.protobuf,
                accept: Self.protobuf
            )
            #expect(refused.status == 409)
            let status = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.Status")
            #expect(try Self.decode(refused, status)["reason"] == "Conflict")
            #expect(try ProtobufObject.envelope(refused.bytes).kind == "Status")
        }
    }

    @Test(arguments: [3, 1500])
    func `a list in protobuf and CBOR is the list in JSON`(count: Int) async throws {
        try await withCluster { cluster in
            let filler = String(repeating: "x", count: 3000)
            for index in 0..<count {
                let map: JSONValue = ["metadata": ["name": "m\(index)"], "data": ["filler": .string(filler)]]
                #expect(try await cluster.post(Self.maps, map).status == 201)
            }
            let json = try await cluster.get(Self.maps).json
            let node = Self.node("ConfigMapList")
            let list = try await cluster.get(Self.maps, accept: Self.protobuf)
            #expect(list.headers["content-type"] == Self.protobuf)
            let envelope = try ProtobufObject.envelope(list.bytes)
            #expect(envelope.kind == "ConfigMapList")
            #expect(envelope.apiVersion == "v1")
            #expect(json["items"]?.array?.allSatisfy { $0["kind"] == nil && $0["apiVersion"] == nil } == true)
            #expect(try Self.decode(list, node) == json)
            let cbor = try await cluster.get(Self.maps, accept: "application/cbor")
            #expect(try CBOR.decode(cbor.bytes) == json)
            #expect(cbor.bytes == CBOR.encode(json), "upstream's order")
        }
    }

    @Test func `metadata alone is had in protobuf`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, Self.map)
            let accept = "\(Self.protobuf);as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
            let list = try await cluster.get(Self.maps, accept: accept)
            let schema = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList")
            #expect(try ProtobufObject.envelope(list.bytes).kind == "PartialObjectMetadataList")
            #expect(try Self.decode(list, schema).value(at: ["items"])?.array?.count == 1)
            let one = try await cluster.get("\(Self.maps)/a", accept: "\(Self.protobuf);as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
            let single = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata")
            #expect(try Self.decode(one, single).value(at: ["metadata", "labels", "x"]) == "y")
        }
    }

    @Test func `objects travel in CBOR both ways, patches too`() async throws {
        try await withCluster { cluster in
            let created = try await cluster.send(
                "POST",
                Self.maps,
                CBOR.encode(Self.map),
                type: "application/cbor",
                accept: "application/cbor"
            )
            #expect(created.status == 201)
            #expect(created.headers["content-type"] == "application/cbor")
            #expect(created.bytes.starts(with: [0xd9, 0xd9, 0xf7]))
            #expect(try CBOR.decode(created.bytes) == (try await cluster.get("\(Self.maps)/a").json))
            let apply: JSONValue = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "b"], "data": ["k": "v"],
            ]
            let applied = try await cluster.send(
                "PATCH",
                "\(Self.maps)/b?fieldManager=me",
                CBOR.encode(apply),
                type: "application/apply-patch+cbor"
            )
            #expect(applied.status == 201)
            #expect(applied["data", "k"] == "v")
            let twice: [UInt8] = [0xa2, 0x41, 0x61, 0x01, 0x41, 0x61, 0x02]
            let refused = try await cluster.send("POST", Self.maps, twice, type: "application/cbor")
            #expect(refused.status == 400)
            #expect(refused.message.contains("found duplicate map key \"a\""))
        }
    }

    @Test func `YAML goes in and comes out`() async throws {
        try await withCluster { cluster in
            let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\ndata:\n  a: b\n  a: c\n"
            let strict = try await cluster.send(
                "POST",
                "\(Self.maps)?fieldValidation=Strict",
                Array(text.utf8),
                type: "application/yaml"
            )
            #expect(strict.status == 400)
            #expect(strict.message.contains("line 7: key \"a\" already set in map"))
            let made = try await cluster.send("POST", Self.maps, Array(text.utf8), type: "application/yaml", accept: "application/yaml")
            #expect(made.status == 201)
            #expect(made.headers["content-type"] == "application/yaml")
            #expect(try YAML.parse(made.bytes)["data"] == ["a": "c"])
            #expect(made.warnings.count == 1)
        }
    }

    // MARK: Negotiation

    @Test(arguments: [
        ("application/json;q=0.5,application/yaml", "application/yaml"),
        ("application/yaml;q=0.1,*/*;q=0.5", "application/json"),
        ("*/*", "application/json"), ("text/html,*/*;q=0.8", "application/json"),
        ("application/vnd.kubernetes.protobuf, application/json", "application/vnd.kubernetes.protobuf"),
        ("application/json, application/vnd.kubernetes.protobuf", "application/json"),
        ("application/cbor;q=0.9,application/json;q=0.8", "application/cbor"),
        ("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/yaml", "application/yaml"),
        ("application/json;as=Nonsense;g=meta.k8s.io;v=v1,application/yaml", "application/yaml"),
        ("application/json;stream=nonsense,application/yaml", "application/yaml"),
        ("application/json;sv=v1", "application/json"),
    ])
    func `the best type offered is chosen`(accept: String, type: String) async throws {
        try await withCluster { cluster in
            let answer = try await cluster.get("/api/v1/namespaces/default", accept: accept)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == type)
        }
    }

    @Test func `what is not offered gets 406, what is not understood 415`() async throws {
        try await withCluster { cluster in
            let types = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
            let get = try await cluster.get("/api/v1/namespaces/default", accept: "text/html")
            #expect(get.status == 406)
            #expect(get.reason == "NotAcceptable")
            #expect(get.message == "406: Not Acceptable\n\nAvailable representations: \(types)")
            let watch = try await cluster.get("/api/v1/namespaces?watch=true", accept: "application/yaml")
            #expect(watch.status == 406)
            let streams = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
            #expect(try YAML.parse(watch.bytes)["message"]?.string == "only the following media types are accepted: \(streams)")
            let post = try await cluster.send("POST", Self.maps, Array("<a/>".utf8), type: "text/xml")
            #expect(post.status == 415)
            #expect(post.reason == "UnsupportedMediaType")
            #expect(
                post.message == "the body of the request was in an unknown format - accepted media types include: \(types)"
            )
            let odd = try await cluster.send("POST", Self.maps, [1, 2, 3, 4, 5], type: Self.protobuf)
            #expect(odd.status == 400)
            #expect(odd.message.contains("expected prefix [107 56 115 0]"))
            // An error is told in the best of what is left.
            let missing = try await cluster.get(
                "\(Self.maps)/none",
                accept: "application/json;as=Table;g=meta.k8s.io;v=v1,application/yaml"
            )
            #expect(missing.status == 404)
            #expect(missing.headers["content-type"] == "application/yaml")
        }
    }

    @Test func `a table is JSON even where protobuf is preferred`() async throws {
        try await withCluster { cluster in
            let accept = [Self.protobuf, "application/json"].map { "\($0);as=Table;g=meta.k8s.io;v=v1" }.joined(separator: ",")
            let table = try await cluster.get("/api/v1/namespaces", accept: accept)
            #expect(table.headers["content-type"] == "application/json")
            #expect(table["kind"] == "Table")
        }
    }

    @Test func `discovery is had in protobuf`() async throws {
        try await withCluster { cluster in
            let schema = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList")
            let json = try await cluster.get("/api/v1").json
            let answer = try await cluster.get("/api/v1", accept: Self.protobuf)
            #expect(answer.headers["content-type"] == Self.protobuf)
            let resources = try Self.decode(answer, schema)["resources"]?.array
            #expect(resources?.count == json["resources"]?.array?.count)
            #expect(resources?.first?["verbs"] == json["resources"]?.array?.first?["verbs"])
        }
    }
}
