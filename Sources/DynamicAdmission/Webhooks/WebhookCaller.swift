import APIModel

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
