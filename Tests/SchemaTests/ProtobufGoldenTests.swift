import APITypes
import Schema
import Testing
import Values

@Suite struct ProtobufGoldenTests {
    @Test(arguments: ProtobufGolden.all.indices)
    func `bytes are upstream's`(index: Int) throws {
        let sample = ProtobufGolden.all[index]
        let node = BuiltinSchema.node(sample.type)
        var value = try JSONParser.parse(sample.json)
        #expect(try node.decode(&value).isEmpty)
        let golden = try #require(Hex.decode(sample.bytes.filter { !$0.isWhitespace }))
        #expect(Hex.encode(ProtobufObject.message(value, schema: node)) == Hex.encode(golden))
        var back = try ProtobufObject.decodeMessage(golden[...], schema: node)
        back["apiVersion"] = value["apiVersion"]
        back["kind"] = value["kind"]
        _ = try node.decode(&back)
        #expect(back == value)
    }

    @Test func `an envelope names the kind around the message`() throws {
        let node = BuiltinSchema.node("io.k8s.api.coordination.v1.Lease")
        let value: JSONValue = ["apiVersion": "coordination.k8s.io/v1", "kind": "Lease"]
        let message = ProtobufObject.message(value, schema: node)
        var expected: [UInt8] = [0x6b, 0x38, 0x73, 0, 0x0a, 31, 0x0a, 22] + Array("coordination.k8s.io/v1".utf8)
        expected += [0x12, 5] + Array("Lease".utf8)
        expected += [0x12, UInt8(message.count)] + message + [0x1a, 0, 0x22, 0]
        #expect(ProtobufObject.encode(value, schema: node) == expected)
        let opened = try ProtobufObject.envelope(expected)
        #expect(opened.apiVersion == "coordination.k8s.io/v1")
        #expect(opened.kind == "Lease")
        #expect(Array(opened.raw) == message)
    }

    @Test func `a list put together from its parts is the list encoded at once`() throws {
        let list = BuiltinSchema.node("io.k8s.api.core.v1.ConfigMapList")
        let map = BuiltinSchema.node("io.k8s.api.core.v1.ConfigMap")
        var items: [JSONValue] = (0..<300).map { ["metadata": ["name": .string("m\($0)")], "data": ["k": "v"]] }
        for index in items.indices { _ = try map.decode(&items[index]) }
        let metadata: JSONValue = ["resourceVersion": "7", "continue": "x", "remainingItemCount": 3]
        let whole: JSONValue = ["apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": .array(items)]
        let parts = items.map { ProtobufObject.listItem($0, schema: map) }
        let opening = ProtobufObject.listOpening(
            apiVersion: "v1",
            kind: "ConfigMapList",
            metadata: metadata,
            metadataSchema: BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"),
            itemBytes: parts.reduce(0) { $0 + $1.count }
        )
        #expect(opening + parts.flatMap { $0 } + ProtobufObject.closing == ProtobufObject.encode(whole, schema: list))
    }

    @Test func `what does not fit the type is left out, not fatal`() throws {
        let node = BuiltinSchema.node("io.k8s.api.core.v1.ConfigMap")
        let odd: JSONValue = ["metadata": "no object", "data": [1, 2], "immutable": "yes", "binaryData": ["a": "not base64!"]]
        let back = try ProtobufObject.decode(ProtobufObject.encode(odd, schema: node), schema: node)
        #expect(back["data"] == nil)
        #expect(back["binaryData"] == ["a": ""])
    }

    @Test func `a watch frame begins with its length`() {
        let frame = ProtobufObject.watchFrame(type: "ADDED", object: [1, 2, 3])
        #expect(frame == [0, 0, 0, 14, 0x0a, 5, 0x41, 0x44, 0x44, 0x45, 0x44, 0x12, 5, 0x0a, 3, 1, 2, 3])
    }
}
