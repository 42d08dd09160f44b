import APIModel
import Access
import Values

/// One entry of `webhooks` of a configuration, read once per change of the configuration.
///
/// Source: admissionregistration/v1 MutatingWebhook and ValidatingWebhook.
public struct Webhook: Sendable {
    /// Its name, for people.
    public let name: String
    /// The name of the configuration it stands in.
    public let configuration: String
    /// Tells webhooks of one name apart: `configuration/name/0`.
    public let id: String
    /// Which requests it is about.
    public let criteria: MatchCriteria
    /// What has to hold of these requests, too.
    public let conditions: MatchConditions
    /// Whether requests go on when it cannot be asked.
    public let ignoresFailures: Bool
    /// Whether it may be asked about requests that change nothing.
    public let toleratesDryRun: Bool
    /// How long it may take.
    public let seconds: Int
    /// The version of AdmissionReview that it understands and prefers; nil when it understands none of ours.
    public let reviewVersion: String?
    /// Whether it wants to see what others change after it.
    public let isReinvoked: Bool
    /// Where it is; nil when the configuration does not say.
    public let endpoint: WebhookEndpoint?

    private static let standardSeconds: Int64 = 10

    /// Reads an entry.
    public init(_ entry: JSONValue, configuration: String, ordinal: Int) {
        name = entry["name"]?.string ?? ""
        self.configuration = configuration
        id = "\(configuration)/\(name)/\(ordinal)"
        criteria = MatchCriteria(webhook: entry)
        let policy = entry["failurePolicy"]?.string
        ignoresFailures = policy == "Ignore"
        conditions = MatchConditions(entry["matchConditions"], failurePolicy: policy)
        let effects = entry["sideEffects"]?.string ?? ""
        toleratesDryRun = effects == "None" || effects == "NoneOnDryRun"
        seconds = Int(entry["timeoutSeconds"]?.int ?? Self.standardSeconds)
        let versions = entry["admissionReviewVersions"]?.array?.compactMap(\.string) ?? []
        reviewVersion = versions.first { $0 == "v1" || $0 == "v1beta1" }
        isReinvoked = entry["reinvocationPolicy"]?.string == "IfNeeded"
        endpoint = entry["clientConfig"].flatMap { WebhookEndpoint(clientConfig: $0) }
    }

    /// The webhooks of a configuration, in its order.
    public static func all(of configuration: JSONValue) -> [Webhook] {
        let name = configuration.value(at: ["metadata", "name"])?.string ?? ""
        var ordinals: [String: Int] = [:]
        return (configuration["webhooks"]?.array ?? []).map { entry in
            let own = entry["name"]?.string ?? ""
            defer { ordinals[own, default: 0] += 1 }
            return Webhook(entry, configuration: name, ordinal: ordinals[own, default: 0])
        }
    }
}
