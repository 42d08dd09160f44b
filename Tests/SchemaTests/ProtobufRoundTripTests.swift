import APITypes
import Schema
import Testing
import Values

@Suite struct ProtobufRoundTripTests {
    /// Every type with a protobuf form that is a kind of its own.
    static var kinds: [SchemaNode] {
        let table = BuiltinSchema.table()
        return table.names.compactMap { table.node($0) }.filter { node in
            ProtobufObject.has(node) && node.shape == .object && (!node.body.kinds.isEmpty || node.body.isKindOfEveryVersion)
        }
    }

    private func identified(_ value: JSONValue, _ node: SchemaNode) -> JSONValue {
        var value = value
        let kind = node.body.kinds.first ?? (group: "", version: "v1", kind: "Any")
        value["apiVersion"] = .string(kind.group.isEmpty ? kind.version : "\(kind.group)/\(kind.version)")
        value["kind"] = .string(kind.kind)
        return value
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `every kind with every field filled survives protobuf`(seed: UInt64) throws {
        let kinds = Self.kinds
        #expect(kinds.count > 200)
        for node in kinds {
            var sample = ProtobufSample(seed: seed)
            var value = identified(sample.value(node), node)
            _ = try node.decode(&value)
            let bytes = ProtobufObject.encode(value, schema: node)
            var back = try ProtobufObject.decode(bytes, schema: node)
            _ = try node.decode(&back)
            guard back != value else { continue }
            Issue.record("\(node.name) changed: \(difference(value, back, node.name))")
        }
    }

    @Test func `every kind with no field set survives protobuf`() throws {
        for node in Self.kinds {
            var value = identified([:], node)
            _ = try node.decode(&value)
            var back = try ProtobufObject.decode(ProtobufObject.encode(value, schema: node), schema: node)
            _ = try node.decode(&back)
            #expect(back == value, "\(node.name)")
        }
    }

    @Test func `every field that JSON has, protobuf has`() {
        for node in Self.kinds {
            for field in node.fields where !field.traits.contains(.typeMeta) {
                #expect((field.rare?.protoNumber ?? 0) > 0, "\(node.name).\(field.name)")
            }
        }
    }

    @Test func `an encoding cut short or damaged is refused or read, never more`() throws {
        let pod = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        var sample = ProtobufSample(seed: 7)
        let bytes = ProtobufObject.encode(identified(sample.value(pod), pod), schema: pod)
        let step = max(1, bytes.count / 200)
        for end in stride(from: 0, to: bytes.count, by: step) {
            _ = try? ProtobufObject.decode(Array(bytes[..<end]), schema: pod)
        }
        for index in stride(from: 4, to: bytes.count, by: step) {
            var damaged = bytes
            damaged[index] ^= 0xff
            _ = try? ProtobufObject.decode(damaged, schema: pod)
        }
        #expect(throws: ProtobufError("empty data")) { try ProtobufObject.decode([], schema: pod) }
        #expect(throws: ProtobufError("empty body")) { try ProtobufObject.decode(ProtobufObject.magic, schema: pod) }
        #expect(throws: ProtobufError.self) { try ProtobufObject.decode([1, 2, 3, 4, 5], schema: pod) }
    }

    @Test func `messages that nest without end are refused`() throws {
        // JSONSchemaProps contains itself: not, number 26.
        let props = BuiltinSchema.node("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
        let number = try #require(props.field("not")?.rare?.protoNumber)
        var bytes: [UInt8] = []
        for _ in 0..<5000 {
            var head = varint(UInt64(number) << 3 | 2)
            head += varint(UInt64(bytes.count))
            bytes = head + bytes
        }
        #expect(throws: ProtobufError.self) { try ProtobufObject.decodeMessage(bytes[...], schema: props) }
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        var (rest, out): (UInt64, [UInt8]) = (value, [])
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    /// The first place where two values differ.
    private func difference(_ a: JSONValue, _ b: JSONValue, _ path: String) -> String {
        switch (a, b) {
        case (.object(let x), .object(let y)):
            for key in Set(x.keys).union(y.keys).sorted() {
                guard let left = x[key], let right = y[key] else {
                    return "\(path).\(key): \(x[key]?.description ?? "absent") / \(y[key]?.description ?? "absent")"
                }
                if left != right { return difference(left, right, "\(path).\(key)") }
            }
        case (.array(let x), .array(let y)) where x.count == y.count:
            for (index, pair) in zip(x, y).enumerated() where pair.0 != pair.1 {
                return difference(pair.0, pair.1, "\(path)[\(index)]")
            }
        default: break
        }
        return "\(path): \(a) / \(b)"
    }
}
