import APIModel
import CustomResources
import HTTPTransport
import Proxying
import Values

/// Converts the objects of a custom resource by asking its webhook.
struct WebhookConversion: RemoteConversion {
    let webhook: ConversionWebhook
    let dialer: WebhookDialer
    let uid: @Sendable () -> String

    /// So many objects are sent at once.
    private static let batch = 200

    func convert(_ objects: [JSONValue], to version: GroupVersion) async throws(APIError) -> [JSONValue] {
        var objects = objects
        let places = objects.indices.filter { objects[$0]["apiVersion"]?.string != version.apiVersion }
        var start = 0
        while start < places.count {
            let part = Array(places[start..<min(start + Self.batch, places.count)])
            let converted = try await ask(part.map { objects[$0] }, version)
            for (place, object) in zip(part, converted) { objects[place] = object }
            start += part.count
        }
        return objects
    }

    private func ask(_ objects: [JSONValue], _ version: GroupVersion) async throws(APIError) -> [JSONValue] {
        do throws(ConversionReview.Problem) {
            let review = try ConversionReview(
                objects,
                to: version.apiVersion,
                uid: uid(),
                accepted: webhook.reviewVersions
            )
            let answer: JSONValue
            do throws(WebhookDialer.Problem) {
                answer = try await dialer.post(review.request, to: webhook.endpoint)
            } catch {
                throw review.failure(error.message)
            }
            return try review.converted(answer)
        } catch {
            throw APIError(code: 500, reason: "", message: error.message)
        }
    }
}
