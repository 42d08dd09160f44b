import APIModel
import DynamicAdmission
import Proxying

/// Admission webhooks, called over HTTPS like those of conversion.
struct DialedWebhooks: WebhookCaller {
    let dialer: WebhookDialer

    func post(_ body: [UInt8], to endpoint: WebhookEndpoint, seconds: Int) async throws(WebhookCallFailure) -> [UInt8] {
        do throws(WebhookDialer.Problem) {
            return try await dialer.post(body, to: endpoint, seconds: seconds)
        } catch {
            throw WebhookCallFailure(error.message, code: error.code)
        }
    }
}
