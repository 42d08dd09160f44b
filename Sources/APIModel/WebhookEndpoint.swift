import Values

/// How a webhook is reached, as `clientConfig` says it: of conversion and of admission.
public struct WebhookEndpoint: Sendable, Hashable {
    /// Where it is.
    public enum Place: Sendable, Hashable {
        /// At an address of its own.
        case url(String)
        /// Behind a service of the cluster.
        case service(namespace: String, name: String, path: String, port: Int)
    }

    /// Where it is.
    public var place: Place
    /// The authorities that sign its certificate, as PEM; empty means those of the system.
    public var authorities: String

    private static let standardPort: Int64 = 443

    /// A webhook at `place`.
    public init(place: Place, authorities: String) {
        self.place = place
        self.authorities = authorities
    }

    /// Reads a `clientConfig`; nil when it has neither service nor URL.
    public init?(clientConfig: JSONValue) {
        if let service = clientConfig["service"], service.object != nil {
            place = .service(
                namespace: service["namespace"]?.string ?? "",
                name: service["name"]?.string ?? "",
                path: service["path"]?.string ?? "",
                port: Int(service["port"]?.int ?? Self.standardPort)
            )
        } else if let url = clientConfig["url"]?.string, !url.isEmpty {
            place = .url(url)
        } else {
            return nil
        }
        let bundle = clientConfig["caBundle"]?.string.flatMap { Base64.decode($0) } ?? []
        let text = String(decoding: bundle, as: UTF8.self)
        authorities = text.allSatisfy(\.isWhitespace) ? "" : text
    }
}
