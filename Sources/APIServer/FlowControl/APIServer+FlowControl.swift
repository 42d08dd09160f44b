import APIModel
import Access
import HTTPTransport
import Negotiation

extension APIServer {
    /// The headers that tell a client which objects decided about its request.
    private static let schemaHeader = "X-Kubernetes-PF-FlowSchema-UID"
    private static let levelHeader = "X-Kubernetes-PF-PriorityLevel-UID"

    /// Waits until it is a request's turn. Nil when the request is one that nobody counts: a stream that lasts.
    func admitted(
        _ attributes: RequestAttributes,
        _ info: RequestInfo,
        _ request: HTTPRequest,
        _ notes: WarningList
    ) async throws(APIError) -> FlowControl.Ticket? {
        // A watch takes a seat while it starts.
        guard info.verb == "watch" || !Self.isLongRunning(info), let flow = flowControl.classify(attributes) else { return nil }
        if !flow.schemaUID.isEmpty {
            notes.set(Self.schemaHeader, flow.schemaUID)
            notes.set(Self.levelHeader, flow.levelUID)
        }
        let seats = flow.isExempt ? 1 : min(seats(of: info, request), flow.widest)
        do throws(FlowControl.Rejection) {
            return try await flowControl.enter(flow, seats: seats)
        } catch {
            environment.metrics.refused(isMutating: !info.isReadOnly)
            throw .overloaded
        }
    }

    private static let objectsPerSeat = 100
    private static let mostSeats = 10

    /// How many seats a request takes: a list one for every hundred objects it may look at, anything else one.
    private func seats(of info: RequestInfo, _ request: HTTPRequest) -> Int {
        guard info.isResource, info.name.isEmpty, info.verb == "list" || info.verb == "watch" else { return 1 }
        if info.verb == "watch" {
            let version = request.query.first("resourceVersion") ?? ""
            let sendsAll = RequestInfo.flag(request.query.first("sendInitialEvents")) || version.isEmpty || version == "0"
            guard sendsAll else { return 1 }
        }
        guard let engine = resources.view(group: info.group, version: info.version, resource: info.resource)?.engine else { return 1 }
        var count = engine.cache.count
        if let limit = request.query.first("limit").flatMap({ Int($0) }), limit > 0 { count = min(count, limit) }
        return min(max((count + Self.objectsPerSeat - 1) / Self.objectsPerSeat, 1), Self.mostSeats)
    }

    /// The answer to a request for which there is no place: plain text, as upstream has it.
    static var overloadedResponse: HTTPResponse {
        HTTPResponse(
            status: 429,
            headers: [
                "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Retry-After": "1",
            ],
            body: .bytes(Array("Too many requests, please try again later.\n".utf8))
        )
    }

    /// What monitors see.
    func flowControlMetrics(_ out: inout PrometheusText) {
        let samples = Dictionary(grouping: flowControl.samples, by: \.metric)
        for family in FlowControl.families {
            guard let found = samples[family.name] else { continue }
            out.family(family.name, family.type, family.help)
            for sample in found { out.sample(sample.metric, sample.labels.map { ($0.name, $0.value) }, sample.value) }
        }
    }

    /// The documents below `/debug/api_priority_and_fairness/`.
    func flowControlReport(_ path: String) throws(APIError) -> HTTPResponse {
        guard let text = flowControl.report(path) else { throw .unknownPath }
        return Responses.text(text)
    }
}

extension RequestInfo {
    /// Whether the request only looks.
    var isReadOnly: Bool { isResource ? ["get", "list", "watch"].contains(verb) : ["get", "head"].contains(verb) }
}

extension APIError {
    /// No place for a request. Answered as plain text.
    static let overloaded = APIError(
        code: 429,
        reason: APIReason.tooManyRequests,
        message: "Too many requests, please try again later."
    )
}
