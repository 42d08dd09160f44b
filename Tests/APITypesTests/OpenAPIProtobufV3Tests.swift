import APIModel
import APITypes
import Schema
import Testing
import Values

/// A message, read without knowing its type.
private struct Message {
    var fields: [(number: Int, bytes: [UInt8])] = []
    var numbers: [(number: Int, value: UInt64)] = []

    /// Nil if the bytes are no message to the last one.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func varint() -> UInt64? {
            var (result, shift): (UInt64, UInt64) = (0, 0)
            while let byte = rest.popFirst() {
                result |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return result }
                shift += 7
            }
            return nil
        }
        while !rest.isEmpty {
            guard let tag = varint() else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = varint() else { return nil }
                numbers.append((Int(tag >> 3), value))
            case 1:
                guard rest.count >= 8 else { return nil }
                numbers.append((Int(tag >> 3), rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }))
                rest.removeFirst(8)
            case 2:
                guard let length = varint(), rest.count >= length else { return nil }
                fields.append((Int(tag >> 3), Array(rest.prefix(Int(length)))))
                rest.removeFirst(Int(length))
            default: return nil
            }
        }
    }

    func all(_ number: Int) -> [Message] { fields.filter { $0.number == number }.compactMap { Message($0.bytes) } }
    func text(_ number: Int) -> String? {
        fields.first { $0.number == number }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
    func at(_ path: Int...) -> Message? { path.reduce(self) { $0?.all($1).first } }
    /// The value of a member of a list of named messages.
    func named(_ name: String, in number: Int = 1) -> Message? { all(number).first { $0.text(1) == name }?.at(2) }
}

@Suite("OpenAPI v3 in protobuf")
struct OpenAPIProtobufV3Tests {
    private static func document(_ group: String, _ version: String) throws -> Message {
        try #require(Message(OpenAPITests.openAPI.v3Protobuf(.groupVersion(GroupVersion(group: group, version: version)))))
    }

    @Test func `it has the paths and schemas of the JSON form`() throws {
        for topic in OpenAPITests.openAPI.topics {
            let json = try JSONParser.parse(OpenAPITests.openAPI.v3(topic))
            let message = try #require(Message(OpenAPITests.openAPI.v3Protobuf(topic)), "\(topic.path)")
            #expect(message.text(1) == json["openapi"]?.string)
            #expect(message.at(2)?.text(1) == json["info"]?["title"]?.string)
            #expect(message.at(2)?.text(6) == json["info"]?["version"]?.string)
            #expect(message.at(4)?.all(1).compactMap { $0.text(1) } == json["paths"]?.object?.keys, "\(topic.path)")
            let schemas = json["components"]?["schemas"]?.object?.keys ?? []
            #expect((message.at(5, 1)?.all(1) ?? []).compactMap { $0.text(1) } == schemas, "\(topic.path)")
        }
    }

    @Test func `operations carry parameters, bodies and answers`() throws {
        let item = try #require(try Self.document("apps", "v1").at(4)?.named("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"))
        let patch = try #require(item.at(10))
        #expect(patch.text(5) == "patchAppsV1NamespacedDeployment")
        #expect(patch.named("x-kubernetes-action", in: 13)?.text(2) == "\"patch\"\n")
        #expect(patch.all(6).contains { $0.at(1)?.text(1) == "fieldValidation" && $0.at(1)?.text(2) == "query" })
        let body = try #require(patch.at(7, 1))
        #expect(body.numbers.contains { $0 == (3, 1) })
        #expect(body.at(2)?.named("application/apply-patch+yaml")?.at(1, 2)?.text(1)?.hasSuffix(".v1.Patch") == true)
        let answer = try #require(patch.at(8)?.named("200", in: 2)?.at(1, 3)?.named("application/json"))
        #expect(answer.at(1, 2)?.text(1) == "#/components/schemas/io.k8s.api.apps.v1.Deployment")
    }

    @Test func `schemas keep defaults, references, and what is empty`() throws {
        let schemas = try #require(try Self.document("", "v1").at(5, 1))
        func properties(_ type: String) throws -> Message { try #require(schemas.named("io.k8s.api.core.v1.\(type)")?.at(1, 31)) }
        let pod = try #require(try properties("Pod").named("spec")?.at(1))
        #expect(pod.at(26, 2)?.text(1) == "#/components/schemas/io.k8s.api.core.v1.PodSpec")
        // An object as a default has no form: an empty message stands for it.
        #expect(pod.fields.contains { $0.number == 33 && $0.bytes.isEmpty })
        #expect(try properties("Container").named("name")?.at(1, 33)?.text(3) == "")
        #expect(try properties("ServicePort").named("protocol")?.at(1, 33)?.text(3) == "TCP")
        let port = try #require(try properties("ContainerPort").named("containerPort")?.at(1, 33))
        #expect(port.numbers.contains { $0 == (1, 0) })
        let containers = try #require(try properties("PodSpec").named("containers")?.at(1))
        #expect(containers.named("x-kubernetes-list-map-keys", in: 36)?.text(2) == "[\"name\"]\n")
        #expect(containers.at(30)?.all(1).count == 1)
        #expect(try properties("ConfigMap").named("data")?.at(1, 32, 1, 1)?.text(25) == "string")
    }
}
