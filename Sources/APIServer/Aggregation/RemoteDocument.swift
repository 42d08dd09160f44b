import APIModel
import HTTPTransport
import Negotiation
import Values

/// What another server documents of its group version in OpenAPI v2: the part of its document that is about it.
struct RemoteDocument: Sendable {
    /// The paths and definitions, in JSON.
    let bytes: [UInt8]
    /// Names the content.
    let hash: String
    /// The server's own tag for its document; empty when it has none.
    let tag: String

    /// Takes from a server's document what is below `path`. Nil for what is no such document.
    init?(_ text: [UInt8], tag: String, below path: String) {
        guard let document = try? JSONParser.parse(text), document["paths"]?.object != nil else { return nil }
        bytes = OpenAPIMerge.part(document, below: path + "/").encoded()
        hash = ContentHash.hex(bytes)
        self.tag = tag
    }
}

extension AvailabilityCheck {
    /// Reads the server's OpenAPI v2 document, unless it is known. What cannot be read now stays as it was.
    func readDocument() async {
        let known = server.aggregation.document(api.groupVersion)
        guard let place = try? server.resolve(api),
            let client = try? server.aggregation.transport(
                api,
                host: place.host,
                port: place.port,
                identity: server.environment.configuration.frontProxy?.client()
            ),
            let answer = try? await get("/openapi/v2", client, tag: known?.tag ?? "")
        else { return }
        switch answer.status {
        case 200:
            guard let document = RemoteDocument(answer.body, tag: answer.tag, below: api.path) else { return }
            server.aggregation.note(api.groupVersion, document: document)
        case 404: server.aggregation.note(api.groupVersion, document: nil)
        default: return
        }
    }
}
