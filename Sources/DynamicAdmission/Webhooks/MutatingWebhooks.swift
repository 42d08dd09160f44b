import APIModel
import Access
import Schema
import Values

/// The plugin `MutatingAdmissionWebhook`: asks the webhooks that are about a request one after the other, and changes the
/// object as each of them wants it.
///
/// Source: apiserver admission/plugin/webhook/mutating/dispatcher.go.
public struct MutatingWebhooks: Admission {
    private let source: WebhookSource
    private let calls: WebhookCalls

    init(source: WebhookSource, calls: WebhookCalls) {
        self.source = source
        self.calls = calls
    }

    /// Upstream's name of the plugin.
    public var name: String { "MutatingAdmissionWebhook" }

    /// Whether there are webhooks at all, and the request may be shown to them.
    public func handles(_ request: AdmissionRequest) -> Bool {
        !source.webhooks.isEmpty && !request.isExemptFromConfiguredAdmission
    }

    /// Asks the webhooks in order. In the second round only those are asked that were in the first, want to be asked again
    /// and have missed a change.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        var state = request.reinvocation.plugins[name] ?? Reinvocation.Plugin()
        let isSecondRound = request.reinvocation.isSecondRound
        if isSecondRound { state.begins(with: request.object) }
        for webhook in source.webhooks {
            guard let invocation = try await calls.invocation(of: webhook, request) else { continue }
            if isSecondRound, !state.runsAgain(webhook.id) { continue }
            if try await isChanged(by: invocation, &request) {
                state.changed()
                request.reinvocation.isNeeded = true
            }
            if webhook.isReinvoked { state.invoked(webhook.id) }
        }
        state.ended(with: request.object)
        request.reinvocation.plugins[name] = state
    }

    /// Asks one webhook; true when it has changed the object.
    private func isChanged(by invocation: WebhookCalls.Invocation, _ request: inout AdmissionRequest) async throws(APIError) -> Bool {
        let start = calls.clock.monotonic
        var refusal: WebhookRefusal?
        var changed: JSONValue?
        do throws(WebhookRefusal) {
            let answer = try await calls.ask(invocation, request)
            changed = try await patched(invocation, request, answer)
        } catch {
            refusal = error
        }
        if let error = calls.judged(refusal, invocation.webhook, request, since: start) { throw error }
        guard let changed else { return false }
        request.object = changed
        return true
    }

    /// The object as the webhook wants it, in the version of the request; nil when it stays as it is.
    private func patched(
        _ invocation: WebhookCalls.Invocation,
        _ request: AdmissionRequest,
        _ answer: AdmissionReview.Answer
    ) async throws(WebhookRefusal) -> JSONValue? {
        guard !answer.patch.isEmpty else { return nil }
        let operations = try operations(answer.patch)
        guard operations.array?.isEmpty == false else { return nil }
        let name = invocation.webhook.name
        guard let before = invocation.objects.object else {
            let words = "admission webhook \(GoQuote.quote(name)) attempted to modify the object, which is not supported for this operation"
            throw .fault(.internalError(words))
        }
        guard answer.patchType == "JSONPatch" else {
            throw .call("unsupported patch type \(GoQuote.quote(answer.patchType))", code: 400)
        }
        let after: JSONValue
        do throws(PatchError) {
            after = try JSONPatch.apply(operations, to: before)
        } catch {
            throw .fault(.internalError(error.message))
        }
        do throws(APIError) {
            let matched = invocation.objects.matched
            let decoded = try calls.matcher.kinds.decode(after, as: matched.kind, of: matched.resource)
            guard decoded != before else { return nil }
            guard matched.kind != request.kind else { return decoded }
            return try await calls.matcher.kinds.convert(decoded, to: request.kind, of: request.resource)
        } catch {
            throw .fault(error)
        }
    }

    private func operations(_ patch: [UInt8]) throws(WebhookRefusal) -> JSONValue {
        let start = "received undecodable patch in webhook response"
        let value: JSONValue
        do throws(JSONParseError) {
            value = try JSONParser.parse(patch)
        } catch {
            throw .call("\(start): \(error.message)", code: 503)
        }
        if value.isNull { return [] }
        guard let list = value.array else {
            throw .call("\(start): json: cannot unmarshal \(value.typeName) into Go value of type jsonpatch.Patch", code: 503)
        }
        for item in list where item.object == nil && !item.isNull {
            let words = "json: cannot unmarshal \(item.typeName) into Go value of type jsonpatch.Operation"
            throw .call("\(start): \(words)", code: 503)
        }
        return value
    }
}
