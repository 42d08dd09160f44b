import APIModel
import Values

/// Who converts the objects of a custom resource.
public struct ConversionWebhook: Sendable, Hashable {
    /// The definition's name, for messages.
    public var definition: String
    /// How the webhook is reached.
    public var endpoint: WebhookEndpoint
    /// The versions of ConversionReview it understands, the preferred first.
    public var reviewVersions: [String]

    /// Reads a definition; nil when it converts without a webhook.
    public init?(_ definition: JSONValue) {
        guard let conversion = definition.value(at: ["spec", "conversion"]), conversion["strategy"]?.string == "Webhook",
            let client = conversion.value(at: ["webhook", "clientConfig"]), let endpoint = WebhookEndpoint(clientConfig: client)
        else { return nil }
        self.definition = definition.value(at: ["metadata", "name"])?.string ?? ""
        self.endpoint = endpoint
        reviewVersions = conversion.value(at: ["webhook", "conversionReviewVersions"])?.array?.compactMap(\.string) ?? []
    }
}

extension ConversionWebhook {
    /// Whether the authorities of a definition's webhook are no certificates.
    static func hasBrokenAuthorities(_ definition: JSONValue) -> Bool {
        guard let text = definition.value(at: ["spec", "conversion", "webhook", "clientConfig", "caBundle"])?.string else {
            return false
        }
        return !isBundle(text)
    }

    /// Whether base64 text holds certificates in PEM; nothing at all is fine, too.
    static func isBundle(_ text: String) -> Bool {
        guard let bytes = Base64.decode(text) else { return false }
        let pem = String(decoding: bytes, as: UTF8.self)
        if pem.allSatisfy(\.isWhitespace) { return true }
        let marker = "-----BEGIN CERTIFICATE-----"
        guard let start = pem.firstRange(of: marker), let end = pem.firstRange(of: "-----END CERTIFICATE-----"),
            start.upperBound < end.lowerBound
        else { return false }
        let body = pem[start.upperBound..<end.lowerBound].filter { !$0.isWhitespace }
        // A certificate is a sequence in DER.
        return Base64.decode(String(body))?.first == 0x30
    }
}
