import APIModel
import APITypes
import Channels
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

    private struct Key: Hashable {
        let topic: OpenAPI.Topic
        let form: Form
    }

    private struct State {
        var v3: [Key: Document] = [:]
        /// The least recently rendered first.
        var order: [Key] = []
        var size = 0
        /// By path: which content was served first when.
        var times: [String: (identity: String, time: String)] = [:]
    }

    /// How a document is written.
    private enum Form: Hashable { case json, protobuf }

    /// So many bytes of documents are kept.
    private static let keptBytes = 8 << 20
    /// Groups come and go: so many times are kept.
    private static let keptTimes = 4096
    /// A year, for addresses that name their content.
    private static let immutableSeconds = 365 * 86_400
    private static let protobuf = "application/com.github.proto-openapi.spec."
    private let version: String
    private let clock: any ClusterClock
    private let state = Mutex(State())

    init(version: String, clock: any ClusterClock) {
        self.version = version
        self.clock = clock
    }

    private func openAPI(_ resources: ServedResources) -> OpenAPI {
        OpenAPI(kinds: resources.documented, types: BuiltinSchema.table(), version: version)
    }

    /// What came of rendering a document: definitions that change at that moment are not what their tags say.
    private final class Rendering: Sendable {
        private let missed = Atomic(false)

        var isWhole: Bool { !missed.load(ordering: .relaxed) }

        /// The kinds, with a note of every schema that is no longer there.
        func watched(_ kinds: [KindDescriptor]) -> [KindDescriptor] {
            kinds.map { kind in
                guard kind.isCustom else { return kind }
                var kind = kind
                kind.versions = kind.versions.map { version in
                    guard let document = version.document, !document.tag.isEmpty else { return version }
                    var version = version
                    version.document = SchemaDocument(tag: document.tag) {
                        let schema = document.load()
                        if schema == nil { self.missed.store(true, ordering: .relaxed) }
                        return schema
                    }
                    return version
                }
                return kind
            }
        }
    }

    /// The same, for rendering what kinds look like.
    private func openAPI(_ resources: ServedResources, _ rendering: Rendering) -> OpenAPI {
        OpenAPI(kinds: rendering.watched(resources.documented), types: BuiltinSchema.table(), version: version)
    }

    /// An answer whose document is what its tag says; nil if it is not, for a definition is changing.
    private static func checked(_ response: HTTPResponse, _ rendering: Rendering) -> HTTPResponse? {
        rendering.isWhole ? response : nil
    }

    /// `/openapi/v2`, as protobuf for the clients that ask for it; with what other servers document of theirs.
    func v2(_ request: HTTPRequest, _ resources: ServedResources, merging others: [RemoteDocument] = []) -> HTTPResponse? {
        guard let form = Self.form(request, "v2") else {
            return HTTPResponse(status: 406, headers: Self.headers(nil, vary: ["Accept-Encoding", "Accept"]))
        }
        let openAPI = openAPI(resources)
        let hashes = openAPI.groupVersions.map { self.identity(.groupVersion($0), resources) } + others.map(\.hash)
        let tag = ContentHash.hex(Array((hashes + [form == .protobuf ? "protobuf" : "json"]).joined().utf8))
        var headers = Self.headers(Self.type(form, "v2"), vary: [])
        headers.append("ETag", "\"\(tag)\"")
        let content = ServedContent(headers: headers, modified: time(of: ContentHash.hex(Array(hashes.joined().utf8)), at: "v2"))
        let rendering = Rendering()
        var response = content.response(request) {
            let openAPI = self.openAPI(resources, rendering)
            let parts = others.compactMap { try? JSONParser.parse($0.bytes) }
            return form == .protobuf ? openAPI.v2Protobuf(merging: parts) : openAPI.v2(merging: parts)
        }
        if response.status == 200 { BodyCompression.apply(to: &response, request) }
        response.headers.remove("Vary")
        for field in ["Accept-Encoding", "Accept"] { response.headers.append("Vary", field) }
        return Self.checked(response, rendering)
    }

    /// `/openapi/v3`: where the documents are, those of other servers included. The hash in each address changes with the
    /// content. As upstream's, it has neither a tag nor the type of JSON, and is dated at the time of the answer: a second
    /// may see several of its contents, and who took one of them would keep it for good if its date were to vouch for it.
    func v3Index(
        _ request: HTTPRequest,
        _ resources: ServedResources,
        merging others: [(path: String, hash: String)] = []
    ) -> HTTPResponse {
        let entries = openAPI(resources).topics.map { (topic: $0, hash: identity($0, resources)) }
        var index = OpenAPI.v3Index(entries)
        for other in others {
            index.set(["serverRelativeURL": .string("/openapi/v3/\(other.path)?hash=\(other.hash)")], at: ["paths", other.path])
        }
        let bytes = Responses.encoded(index)
        let headers = Self.headers("text/plain; charset=utf-8", vary: [])
        let now = HTTPDate.format(Int(clock.now.unixSeconds))
        return ServedContent(headers: headers, modified: now, isDated: false).response(request) { bytes }
    }

    /// `/openapi/v3/apis/<group>/<version>` or `/openapi/v3/api/v1`, as protobuf for those that ask for it.
    func v3(_ path: String, _ request: HTTPRequest, _ resources: ServedResources) -> HTTPResponse? {
        let openAPI = openAPI(resources)
        guard let topic = openAPI.topics.first(where: { $0.path == path }) else {
            return HTTPResponse(status: 404, headers: Self.headers(nil, vary: []))
        }
        guard let form = Self.form(request, "v3") else {
            return HTTPResponse(status: 406, headers: Self.headers(nil, vary: ["Accept"]))
        }
        let hash = identity(topic, resources)
        var headers = Self.headers(Self.type(form, "v3"), vary: ["Accept"])
        headers.append("ETag", "\"\(hash)\"")
        if let asked = request.query.first("hash"), !asked.isEmpty {
            guard asked == hash else {
                headers.append("Location", "/openapi/v3/\(path)?hash=\(hash)")
                return HTTPResponse(status: 301, headers: headers)
            }
            headers.append("Cache-Control", "public, immutable")
            headers.append("Expires", HTTPDate.format(Int(clock.now.unixSeconds) + Self.immutableSeconds))
        }
        let content = ServedContent(headers: headers, modified: time(of: hash, at: path))
        let rendering = Rendering()
        let response = content.response(request) { document(Key(topic: topic, form: form), hash, resources, rendering) }
        return Self.checked(response, rendering)
    }

    /// What the client likes best of what there is; nil if it takes neither.
    private static func form(_ request: HTTPRequest, _ dialect: String) -> Form? {
        let accept = request.headers["accept"] ?? ""
        for clause in MediaClause.ordered(accept.isEmpty ? "*/*" : accept) {
            switch clause.type {
            case "*/*", "application/*", "application/json", "*/json": return .json
            case "\(protobuf)\(dialect).v1.0+protobuf", "\(protobuf)\(dialect)@v1.0+protobuf": return .protobuf
            default: continue
            }
        }
        return nil
    }

    private static func type(_ form: Form, _ dialect: String) -> String {
        form == .protobuf ? "\(protobuf)\(dialect).v1.0+protobuf" : "application/json"
    }

    private static func headers(_ type: String?, vary: [String]) -> HeaderFields {
        var headers = HeaderFields()
        if let type { headers.append("Content-Type", type) }
        for field in vary { headers.append("Vary", field) }
        return headers
    }

    /// Since when a path has this content, as headers write it.
    private func time(of identity: String, at path: String) -> String {
        let now = Int(clock.now.unixSeconds)
        return state.withLock { state in
            if let known = state.times[path], known.identity == identity { return known.time }
            if state.times.count >= Self.keptTimes { state.times.removeAll() }
            let time = HTTPDate.format(now)
            state.times[path] = (identity, time)
            return time
        }
    }

    private func document(_ key: Key, _ identity: String, _ resources: ServedResources, _ rendering: Rendering) -> [UInt8] {
        if let known = state.withLock({ $0.v3[key] }), known.identity == identity { return known.bytes }
        let openAPI = openAPI(resources, rendering)
        let bytes: [UInt8] =
            switch key.form {
            case .json: openAPI.v3(key.topic)
            case .protobuf: openAPI.v3Protobuf(key.topic)
            }
        // Kept, it would be given out as soon as a definition like the former one is made.
        guard rendering.isWhole else { return bytes }
        state.withLock { state in
            if let former = state.v3.removeValue(forKey: key) { state.size -= former.bytes.count }
            state.order.removeAll { $0 == key }
            state.v3[key] = Document(identity: identity, bytes: bytes)
            state.order.append(key)
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
        for kind in resources.documented where kind.isCustom && kind.group == groupVersion.group {
            guard let version = kind.version(groupVersion.version), version.served else { continue }
            let subresources = (version.subresources ?? []).map(\.name).joined(separator: ",")
            text += " \(kind.plural) \(kind.kind) \(kind.listKind) \(kind.namespaced) \(subresources) \(version.document?.tag ?? "")"
            text += (version.selectableFields ?? []).map(\.label).joined(separator: ",")
        }
        return ContentHash.hex(Array(text.utf8))
    }
}
