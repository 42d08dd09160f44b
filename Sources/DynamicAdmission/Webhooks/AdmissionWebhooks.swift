import Access
import Channels
import Logging

/// The two plugins that ask webhooks, as one server has them.
public struct AdmissionWebhooks: Sendable {
    /// `MutatingAdmissionWebhook`.
    public let mutating: MutatingWebhooks
    /// `ValidatingAdmissionWebhook`.
    public let validating: ValidatingWebhooks
    /// What they count.
    public let metrics: WebhookMetrics

    /// - Parameters:
    ///   - kinds: The kinds served.
    ///   - lookup: The live objects: configurations and namespaces are found there.
    ///   - caller: Reaches webhooks.
    ///   - authorizer: What match conditions ask.
    public init(
        kinds: any AdmissionKinds,
        lookup: any ClusterLookup,
        caller: any WebhookCaller,
        authorizer: any Authorizer,
        random: any RandomSource,
        clock: any ClusterClock,
        log: Logger
    ) {
        let metrics = WebhookMetrics()
        func calls(_ phase: WebhookMetrics.Phase) -> WebhookCalls {
            WebhookCalls(
                matcher: RequestMatcher(kinds: kinds, lookup: lookup),
                caller: caller,
                authorizer: authorizer,
                random: random,
                clock: clock,
                metrics: metrics,
                log: log,
                phase: phase
            )
        }
        self.metrics = metrics
        mutating = MutatingWebhooks(
            source: WebhookSource("mutatingwebhookconfigurations", lookup: lookup),
            calls: calls(.mutating)
        )
        validating = ValidatingWebhooks(
            source: WebhookSource("validatingwebhookconfigurations", lookup: lookup),
            calls: calls(.validating)
        )
    }
}
