import Values

/// Kubernetes objects in protobuf: the four bytes `k8s\0` and a `runtime.Unknown`, which names the kind and holds the
/// message. Pure functions of the schema's numbers; no state.
public enum ProtobufObject {
    /// The media type of one object.
    public static let mediaType = "application/vnd.kubernetes.protobuf"
    /// What every object begins with.
    public static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]
    /// What ends an envelope: the encoding and type of its content, both empty.
    public static let closing: [UInt8] = [0x1a, 0x00, 0x22, 0x00]

    /// Whether the type has a protobuf form: every built-in type but a few, and no custom resource.
    public static func has(_ schema: SchemaNode) -> Bool { schema.body.wire != nil }

    // MARK: Writing

    /// An object with its envelope. `apiVersion` and `kind` are taken from the object.
    public static func encode(_ value: JSONValue, schema: SchemaNode) -> [UInt8] {
        var encoder = ProtobufEncoder()
        encoder.writer.raw(closing)
        let mark = encoder.writer.count
        encoder.message(schema.protobufShape, value.object)
        encoder.writer.close(2, since: mark)
        typeMeta(value["apiVersion"]?.string ?? "", value["kind"]?.string ?? "", &encoder.writer)
        encoder.writer.raw(magic)
        return encoder.writer.bytes
    }

    /// The bare message of a value, without envelope.
    public static func message(_ value: JSONValue, schema: SchemaNode) -> [UInt8] {
        var encoder = ProtobufEncoder()
        encoder.message(schema.protobufShape, value.object)
        return encoder.writer.bytes
    }

    private static func typeMeta(_ apiVersion: String, _ kind: String, _ writer: inout ProtobufWriter) {
        let mark = writer.count
        writer.text(2, kind)
        writer.text(1, apiVersion)
        writer.close(1, since: mark)
    }

    /// An item of a list, as it stands in the list's message: all lists have their items under number 2.
    public static func listItem(_ value: JSONValue, schema: SchemaNode) -> [UInt8] {
        var encoder = ProtobufEncoder()
        encoder.message(schema.protobufShape, value.object)
        encoder.writer.close(2, since: 0)
        return encoder.writer.bytes
    }

    /// How a list begins; then come its items, `itemBytes` in all, and `closing`.
    public static func listOpening(
        apiVersion: String,
        kind: String,
        metadata: JSONValue,
        metadataSchema: SchemaNode,
        itemBytes: Int
    ) -> [UInt8] {
        var encoder = ProtobufEncoder()
        encoder.message(metadataSchema.protobufShape, metadata.object)
        encoder.writer.close(1, since: 0)
        encoder.writer.varint(UInt64(encoder.writer.count + itemBytes))
        encoder.writer.tag(2, .delimited)
        typeMeta(apiVersion, kind, &encoder.writer)
        encoder.writer.raw(magic)
        return encoder.writer.bytes
    }

    /// An event of a watch stream: four bytes of length and a `WatchEvent` that holds an object with its envelope.
    public static func watchFrame(type: String, object: [UInt8]) -> [UInt8] {
        var writer = ProtobufWriter(room: object.count + 64)
        writer.bytes(1, object)
        writer.close(2, since: 0)
        writer.text(1, type)
        let count = UInt32(writer.count)
        for shift in [UInt32(0), 8, 16, 24] { writer.byte(UInt8(truncatingIfNeeded: count >> shift)) }
        return writer.bytes
    }

    // MARK: Reading

    /// The object in an envelope, with `apiVersion` and `kind` where the envelope names them. Zero values are present
    /// as they were on the wire: `SchemaNode.decode` makes of them what JSON has.
    public static func decode(_ bytes: [UInt8], schema: SchemaNode) throws(ProtobufError) -> JSONValue {
        let envelope = try envelope(bytes)
        var value = try decodeMessage(envelope.raw, schema: schema)
        if !envelope.apiVersion.isEmpty { value["apiVersion"] = .string(envelope.apiVersion) }
        if !envelope.kind.isEmpty { value["kind"] = .string(envelope.kind) }
        return value
    }

    /// A bare message.
    public static func decodeMessage(_ bytes: ArraySlice<UInt8>, schema: SchemaNode) throws(ProtobufError) -> JSONValue {
        try bytes.withBytes { (bytes) throws(ProtobufError) in
            var object = JSONObject()
            try ProtobufDecoder.fill(&object, schema.protobufShape, bytes, depth: 0)
            return .object(object)
        }
    }

    /// What an envelope holds.
    public struct Envelope: Sendable {
        /// Group and version; empty when not given.
        public var apiVersion = ""
        /// The kind; empty when not given.
        public var kind = ""
        /// The message.
        public var raw: ArraySlice<UInt8> = []
    }

    /// Opens an envelope.
    public static func envelope(_ bytes: [UInt8]) throws(ProtobufError) -> Envelope {
        guard !bytes.isEmpty else { throw ProtobufError("empty data") }
        guard bytes.starts(with: magic) else {
            throw ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
        }
        guard bytes.count > magic.count else { throw ProtobufError("empty body") }
        let all = bytes[magic.count...]
        return try all.withBytes { (buffer) throws(ProtobufError) in
            var envelope = Envelope()
            var reader = ProtobufReader(buffer)
            while !reader.isAtEnd {
                switch try reader.next() {
                case (1, .bytes(let meta)):
                    var inner = ProtobufReader(meta)
                    while !inner.isAtEnd {
                        switch try inner.next() {
                        case (1, .bytes(let text)): envelope.apiVersion = String(utf8: text)
                        case (2, .bytes(let text)): envelope.kind = String(utf8: text)
                        default: continue
                        }
                    }
                case (2, .bytes(let raw)):
                    let start = all.startIndex + (raw.baseAddress.flatMap { raw in buffer.baseAddress.map { raw - $0 } } ?? 0)
                    envelope.raw = all[start..<start + raw.count]
                default: continue
                }
            }
            return envelope
        }
    }
}
