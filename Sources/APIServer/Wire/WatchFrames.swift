import APIModel
import HTTPTransport
import Negotiation
import Schema
import Store
import Values

/// The frames of watch streams: a line of JSON, a protobuf `WatchEvent` with its length, or one item of a CBOR sequence.
enum WatchFrames {
    /// Numbers the encodings whose frames all watchers of a change share.
    static func encoding(_ form: ResponseForm) -> FrameEncoding {
        let syntax: Int
        switch form.syntax {
        case .json, .yaml: syntax = 0
        case .protobuf: syntax = 1
        case .cbor: syntax = 2
        }
        switch form.shape {
        case .object, .table: return FrameEncoding(syntax * 3)
        case .partial(let version): return FrameEncoding(syntax * 3 + (version == "v1" ? 1 : 2))
        }
    }

    /// The headers of a stream.
    static func headers(_ form: ResponseForm) -> HeaderFields {
        ["Content-Type": form.syntax.streamType ?? form.contentType, "Cache-Control": "no-cache, private"]
    }

    /// The frame of an event about any value that names its kind: bookmarks, errors, tables.
    static func frame(_ type: String, _ value: JSONValue, _ syntax: ResponseForm.Syntax, schema: SchemaNode? = nil) -> [UInt8] {
        switch syntax {
        case .protobuf:
            let (apiVersion, kind) = (value["apiVersion"]?.string ?? "", value["kind"]?.string ?? "")
            guard let schema = schema ?? WireTypes.node(apiVersion: apiVersion, kind: kind) else { return [] }
            return ProtobufObject.watchFrame(type: type, object: ProtobufObject.encode(value, schema: schema))
        case .cbor:
            var out = CBOR.selfDescribed
            CBOR.openMap(2, into: &out)
            CBOR.encode(string: "type", into: &out)
            CBOR.encode(string: type, into: &out)
            CBOR.encode(string: "object", into: &out)
            out += CBOR.encode(value)
            return out
        case .json, .yaml:
            var out = Array("{\"type\":\"\(type)\",\"object\":".utf8)
            value.encode(into: &out)
            return out + [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        }
    }

    /// The frame of an event about a stored object, for the forms that decode it. Nil when it cannot be read.
    static func frame(_ type: String, _ object: CachedObject, _ form: ResponseForm, view: ResourceView) -> [UInt8]? {
        guard let tree = tree(object, view: view, shape: form.shape) else { return nil }
        return frame(type, tree, form.syntax, schema: schema(view, form.shape))
    }

    /// The type of the objects of a list or watch.
    static func schema(_ view: ResourceView, _ shape: ResponseForm.Shape) -> SchemaNode {
        if case .partial = shape { return WireTypes.partialObject }
        return view.version.schema
    }

    /// An object as it is served, or its metadata alone.
    static func tree(_ object: CachedObject, view: ResourceView, shape: ResponseForm.Shape) -> JSONValue? {
        guard object.splice > 0, let tree = view.tree(object) else { return nil }
        guard case .partial(let version) = shape else { return tree }
        return [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": tree["metadata"] ?? [:],
        ]
    }
}

extension CacheEventType {
    /// The type as watch events name it.
    var name: String {
        switch self {
        case .added: "ADDED"
        case .modified: "MODIFIED"
        case .deleted: "DELETED"
        case .bookmark: "BOOKMARK"
        }
    }
}
