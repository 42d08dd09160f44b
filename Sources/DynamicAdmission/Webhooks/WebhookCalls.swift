import APIModel
import Access
import Channels
import Logging
import Values

/// Asks webhooks and judges what they answer: what the mutating and the validating plugin have in common.
struct WebhookCalls: Sendable {
    let matcher: RequestMatcher
    let caller: any WebhookCaller
    let authorizer: any Authorizer
    let random: any RandomSource
    let clock: any ClusterClock
    let metrics: WebhookMetrics
    let log: Logger
    let phase: WebhookMetrics.Phase

    /// A webhook that has to be asked, with the objects as it sees them.
    struct Invocation: Sendable {
        let webhook: Webhook
        var objects: VersionedObjects
    }

    /// What comes of asking a webhook about a request; nil when the request is none of its business.
    func invocation(of webhook: Webhook, _ request: AdmissionRequest) async throws(APIError) -> Invocation? {
        guard let matched = try await matcher.match(webhook.criteria, request) else { return nil }
        let objects: VersionedObjects
        do throws(APIError) {
            objects = try await VersionedObjects(request, as: matched, matcher.kinds)
        } catch {
            throw .internalError(error.message)
        }
        guard !webhook.conditions.isEmpty else { return Invocation(webhook: webhook, objects: objects) }
        let inputs = ExpressionInputs(request, objects: objects, authorizer: RequestAuthorizer(request, authorizer))
        switch await webhook.conditions.match(inputs) {
        case .matches: return Invocation(webhook: webhook, objects: objects)
        case .skips:
            metrics.conditionExcluded(webhook.name, phase, request.operation)
            return nil
        case .fails(let words):
            metrics.conditionFailed(webhook.name, phase, request.operation)
            throw .forbidden(request.resource.groupResource, request.objectName, words)
        }
    }

    /// Asks a webhook; warnings go to the client whatever it decides.
    func ask(_ invocation: Invocation, _ request: AdmissionRequest) async throws(WebhookRefusal) -> AdmissionReview.Answer {
        let webhook = invocation.webhook
        if request.isDryRun, !webhook.toleratesDryRun { throw .dryRun(webhook.name) }
        guard let version = webhook.reviewVersion else {
            let words = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
            throw .call("could not create admission objects: \(words)", code: 400)
        }
        guard let endpoint = webhook.endpoint else {
            let words = "failed calling webhook \"\(webhook.name)\": webhook configuration must have either service or URL"
            throw .call("could not get REST client: \(words)", code: 500)
        }
        let review = AdmissionReview(request, invocation.objects, version: version, uid: random.uuid())
        let bytes: [UInt8]
        do throws(WebhookCallFailure) {
            bytes = try await caller.post(review.body.encoded(), to: endpoint, seconds: webhook.seconds)
        } catch {
            throw .call("failed to call webhook: \(error.message)", code: error.code)
        }
        let answer: AdmissionReview.Answer
        do throws(AdmissionReview.Problem) {
            answer = try review.answer(bytes, isMutating: phase == .mutating)
        } catch {
            throw .call(error.message, code: 503)
        }
        for (key, note) in answer.annotations { request.annotate("\(webhook.name)/\(key)", note) }
        answer.warnings.forEach(request.warn)
        guard answer.isAllowed else { throw .denied(by: webhook.name, answer.status) }
        return answer
    }

    /// Counts a call, and decides whether its failure ends the request: nil when it does not.
    func judged(
        _ refusal: WebhookRefusal?,
        _ webhook: Webhook,
        _ request: AdmissionRequest,
        since start: Duration
    ) -> APIError? {
        let took = clock.monotonic - start
        let operation = request.operation
        func count(_ code: Int, isRejected: Bool) {
            metrics.called(webhook.name, phase, operation, code: code, isRejected: isRejected, took: took)
        }
        switch refusal {
        case nil:
            count(200, isRejected: false)
            return nil
        case .call(let message, let code):
            count(code, isRejected: !webhook.ignoresFailures)
            log.warning("admission webhook failed", metadata: ["webhook": "\(webhook.name)", "error": "\(message)"])
            guard !webhook.ignoresFailures else {
                metrics.failedOpen(webhook.name, phase)
                return nil
            }
            metrics.refused(webhook.name, phase, operation, kind: "calling_webhook_error", code: code)
        case .rejection(let error):
            count(error.code, isRejected: true)
            metrics.refused(webhook.name, phase, operation, kind: "no_error", code: error.code)
        case .fault:
            count(0, isRejected: true)
            metrics.refused(webhook.name, phase, operation, kind: "apiserver_internal_error", code: 0)
        }
        return refusal?.error(of: webhook.name)
    }
}
