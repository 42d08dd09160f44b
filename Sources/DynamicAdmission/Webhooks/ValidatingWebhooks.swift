import APIModel
import Access
import Values

/// The plugin `ValidatingAdmissionWebhook`: asks all webhooks that are about a request at once, and refuses it when one of
/// them does.
///
/// Source: apiserver admission/plugin/webhook/validating/dispatcher.go.
public struct ValidatingWebhooks: Admission {
    private let source: WebhookSource
    private let calls: WebhookCalls

    init(source: WebhookSource, calls: WebhookCalls) {
        self.source = source
        self.calls = calls
    }

    /// Upstream's name of the plugin.
    public var name: String { "ValidatingAdmissionWebhook" }

    /// Whether there are webhooks at all, and the request may be shown to them.
    public func handles(_ request: AdmissionRequest) -> Bool {
        !source.webhooks.isEmpty && !request.isExemptFromConfiguredAdmission
    }

    /// Asks the webhooks. The first refusal to arrive is the answer.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        var invocations: [WebhookCalls.Invocation] = []
        for webhook in source.webhooks {
            if let invocation = try await calls.invocation(of: webhook, request) { invocations.append(invocation) }
        }
        guard invocations.count > 1 else {
            if let only = invocations.first, let error = await ask(only, request) { throw error }
            return
        }
        let first = await withTaskGroup(of: APIError?.self) { group in
            for invocation in invocations { group.addTask { await ask(invocation, request) } }
            var first: APIError?
            // All are heard: those that come later still warn and are counted.
            for await error in group { first = first ?? error }
            return first
        }
        if let first { throw first }
    }

    private func ask(_ invocation: WebhookCalls.Invocation, _ request: AdmissionRequest) async -> APIError? {
        let start = calls.clock.monotonic
        var refusal: WebhookRefusal?
        do throws(WebhookRefusal) {
            _ = try await calls.ask(invocation, request)
        } catch {
            refusal = error
        }
        return calls.judged(refusal, invocation.webhook, request, since: start)
    }
}
