import APIModel
import APITypes
import HTTPTransport
import Negotiation
import Synchronization
import Values

/// The OpenAPI documents of the kinds being served, rendered on first use. Guarded by its mutex.
///
/// The documents of the group versions are kept up to a bound, for kubectl asks for them with every apply; the large v2
/// documents are rendered anew, for hardly anyone does.
final class OpenAPIDocuments: Sendable {
    private struct Document {
        let identity: String
        let bytes: [UInt8]
    }

    private struct State {
        var v3: [OpenAPI.Topic: Document] = [:]
        /// The least recently rendered first.
        var order: [OpenAPI.Topic] = []
        var size = 0
    }

    /// So many bytes of documents are kept.
    private static let keptBytes = 8 << 20
    private static let protobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    private let version: String
    private let state = Mutex(State())

    init(version: String) { self.version = version }

    private func openAPI(_ resources: ServedResources) -> OpenAPI {
        OpenAPI(kinds: resources.descriptors, types: BuiltinSchema.table(), version: version)
    }

    /// `/openapi/v2`, as protobuf for the clients that ask for it; with what other servers document of theirs.
    func v2(_ request: HTTPRequest, _ resources: ServedResources, merging others: [RemoteDocument] = []) -> HTTPResponse {
        let accept = request.headers["accept"] ?? ""
        let isProtobuf = accept.contains("com.github.proto-openapi.spec.v2")
        let openAPI = openAPI(resources)
        let identities = openAPI.groupVersions.map { identity(.groupVersion($0), resources) }
        let named = identities + others.map(\.hash) + [isProtobuf ? "protobuf" : "json"]
        let tag = "\"" + ContentHash.hex(Array(named.joined().utf8)) + "\""
        let headers: HeaderFields = [
            "Content-Type": isProtobuf ? Self.protobufV2 : "application/json", "ETag": tag, "Vary": "Accept",
        ]
        if request.headers.elements("if-none-match").contains(tag) { return HTTPResponse(status: 304, headers: headers) }
        let parts = others.compactMap { try? JSONParser.parse($0.bytes) }
        let bytes = isProtobuf ? openAPI.v2Protobuf(merging: parts) : openAPI.v2(merging: parts)
        var response = HTTPResponse(status: 200, headers: headers, body: .bytes(bytes))
        BodyCompression.apply(to: &response, request)
        return response
    }

    /// `/openapi/v3`: where the documents are. The hash in each address changes with the content.
    func v3Index(_ resources: ServedResources) -> HTTPResponse {
        let entries = openAPI(resources).topics.map { (topic: $0, hash: identity($0, resources)) }
        return Responses.value(OpenAPI.v3Index(entries))
    }

    /// `/openapi/v3/apis/<group>/<version>` or `/openapi/v3/api/v1`.
    func v3(_ path: String, _ request: HTTPRequest, _ resources: ServedResources) throws(APIError) -> HTTPResponse {
        let openAPI = openAPI(resources)
        guard let topic = openAPI.topics.first(where: { $0.path == path }) else {
            throw .unknownPath
        }
        let identity = identity(topic, resources)
        var headers: HeaderFields = ["Content-Type": "application/json", "ETag": "\"\(identity)\"", "Vary": "Accept"]
        if let asked = request.query.first("hash"), !asked.isEmpty {
            guard asked == identity else {
                return HTTPResponse(status: 301, headers: ["Location": "/openapi/v3/\(path)?hash=\(identity)"])
            }
            headers.append("Cache-Control", "public, immutable")
        }
        if request.headers.elements("if-none-match").contains("\"\(identity)\"") {
            return HTTPResponse(status: 304, headers: headers)
        }
        return HTTPResponse(status: 200, headers: headers, body: .bytes(document(topic, identity, openAPI)))
    }

    private func document(_ topic: OpenAPI.Topic, _ identity: String, _ openAPI: OpenAPI) -> [UInt8] {
        if let known = state.withLock({ $0.v3[topic] }), known.identity == identity { return known.bytes }
        let bytes = openAPI.v3(topic)
        state.withLock { state in
            if let former = state.v3.removeValue(forKey: topic) { state.size -= former.bytes.count }
            state.order.removeAll { $0 == topic }
            state.v3[topic] = Document(identity: identity, bytes: bytes)
            state.order.append(topic)
            state.size += bytes.count
            while state.size > Self.keptBytes, state.order.count > 1 {
                let oldest = state.order.removeFirst()
                if let former = state.v3.removeValue(forKey: oldest) { state.size -= former.bytes.count }
            }
        }
        return bytes
    }

    /// Names the content without rendering it: the documents of a binary differ by its version and its custom resources.
    private func identity(_ topic: OpenAPI.Topic, _ resources: ServedResources) -> String {
        var text = "\(version) \(topic.path)"
        guard case .groupVersion(let groupVersion) = topic else { return ContentHash.hex(Array(text.utf8)) }
        for kind in resources.descriptors where kind.isCustom && kind.group == groupVersion.group {
            guard let version = kind.version(groupVersion.version), version.served else { continue }
            let subresources = (version.subresources ?? []).map(\.name).joined(separator: ",")
            text += " \(kind.plural) \(kind.kind) \(kind.listKind) \(kind.namespaced) \(subresources) \(version.document?.tag ?? "")"
            text += (version.selectableFields ?? []).map(\.label).joined(separator: ",")
        }
        return ContentHash.hex(Array(text.utf8))
    }
}
