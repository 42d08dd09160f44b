import Values

/// How a webhook is reached.
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

/// Why a webhook did not answer.
public struct WebhookCallFailure: Error, Sendable, Hashable {
    /// In the words of upstream's client, such as `Post "https://…": context deadline exceeded`.
    public var message: String
    /// The status code of the answer, when there was one; for metrics.
    public var code: Int

    /// A failure. Without an answer the code is that of an unavailable service.
    public init(_ message: String, code: Int = 503) {
        self.message = message
        self.code = code
    }
}

/// Calls webhooks. The API server does it over HTTPS.
public protocol WebhookCaller: Sendable {
    /// Posts JSON and returns the body of an answer that succeeded (2xx).
    ///
    /// - Parameters:
    ///   - seconds: How long all of it may take; also said to the webhook, as `?timeout=10s`.
    func post(_ body: [UInt8], to endpoint: WebhookEndpoint, seconds: Int) async throws(WebhookCallFailure) -> [UInt8]
}
