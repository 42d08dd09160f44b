import APIModel
import APITypes
import HTTPTransport
import Synchronization
import Values

/// The OpenAPI documents of the kinds being served, rendered on first use. Guarded by its mutex.
///
/// The documents of the group versions are kept, for kubectl asks for them with every apply; the large v2 documents are
/// rendered anew, for hardly anyone does.
final class OpenAPIDocuments: Sendable {
    private struct Document {
        let bytes: [UInt8]
        let hash: String
    }

    private struct State {
        var v3: [GroupVersion: Document] = [:]
    }

    private static let protobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    private let openAPI: OpenAPI
    private let version: String
    private let state = Mutex(State())

    init(_ kinds: [KindDescriptor], version: String) {
        self.version = version
        openAPI = OpenAPI(kinds: kinds, types: BuiltinSchema.table(), version: version)
    }

    /// `/openapi/v2`, as protobuf for the clients that ask for it.
    func v2(_ request: HTTPRequest) -> HTTPResponse {
        let accept = request.headers["accept"] ?? ""
        guard accept.contains("com.github.proto-openapi.spec.v2") else {
            return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .bytes(openAPI.v2()))
        }
        return HTTPResponse(status: 200, headers: ["Content-Type": Self.protobufV2], body: .bytes(openAPI.v2Protobuf()))
    }

    /// `/openapi/v3`: where the documents are. The hash in each address changes with the content.
    func v3Index() -> HTTPResponse {
        let entries = openAPI.groupVersions.map { (groupVersion: $0, hash: identity($0)) }
        return Responses.value(OpenAPI.v3Index(entries))
    }

    /// `/openapi/v3/apis/<group>/<version>` or `/openapi/v3/api/v1`.
    func v3(_ path: String, _ request: HTTPRequest) throws(APIError) -> HTTPResponse {
        guard let groupVersion = openAPI.groupVersions.first(where: { OpenAPI.path(of: $0) == path }) else {
            throw .unknownPath
        }
        let document = document(groupVersion)
        var headers: HeaderFields = ["Content-Type": "application/json", "ETag": "\"\(document.hash)\"", "Vary": "Accept"]
        if request.query.first("hash") == identity(groupVersion) {
            headers.append("Cache-Control", "public, immutable")
        }
        if request.headers.elements("if-none-match").contains("\"\(document.hash)\"") {
            return HTTPResponse(status: 304, headers: headers)
        }
        return HTTPResponse(status: 200, headers: headers, body: .bytes(document.bytes))
    }

    private func document(_ groupVersion: GroupVersion) -> Document {
        if let known = state.withLock({ $0.v3[groupVersion] }) { return known }
        let bytes = openAPI.v3(groupVersion)
        let document = Document(bytes: bytes, hash: ContentHash.hex(bytes))
        return state.withLock { state in
            if let known = state.v3[groupVersion] { return known }
            state.v3[groupVersion] = document
            return document
        }
    }

    /// Names the content without rendering it: the documents of a binary differ by its version only.
    private func identity(_ groupVersion: GroupVersion) -> String {
        ContentHash.hex(Array("\(version) \(groupVersion)".utf8))
    }
}
