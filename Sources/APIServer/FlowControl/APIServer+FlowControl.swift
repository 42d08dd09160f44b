import APIModel
import Access
import HTTPTransport
import Negotiation
import Synchronization

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
        do throws(FlowControl.Rejection) {
            return try await flowControl.enter(flow, cost: flow.isExempt ? SeatCost() : cost(of: info, request, widest: flow.widest))
        } catch {
            environment.metrics.refused(isMutating: !info.isReadOnly)
            throw .overloaded
        }
    }

    private func cost(of info: RequestInfo, _ request: HTTPRequest, widest: Int) -> SeatCost {
        switch info.verb {
        case "create", "update", "patch", "delete":
            // A token of an account changes nothing that could be watched.
            guard info.isResource, info.subresource != "token" || info.resource != "serviceaccounts" else { return SeatCost() }
            guard let engine = resources.view(group: info.group, version: info.version, resource: info.resource)?.engine else {
                return SeatCost()
            }
            let watchers = deadlines.watchers(of: engine.cache, namespace: info.namespace, name: info.name)
            return SeatCost(writeSeenBy: watchers, widest: widest)
        default: return SeatCost(seats: min(seats(of: info, request), widest))
        }
    }

    /// A list holds at most so many bytes at once: it is sent in pieces.
    private static let mostBytesHeld = 1_000_000
    private static let bytesPerSeat = 100_000
    /// So many objects tell how large the others are.
    private static let sampled = 8

    /// How many seats a request takes: a list one for every 100 kB it holds, anything else one.
    private func seats(of info: RequestInfo, _ request: HTTPRequest) -> Int {
        guard info.isResource, info.name.isEmpty, info.verb == "list" || info.verb == "watch" else { return 1 }
        if info.verb == "watch" {
            let version = request.query.first("resourceVersion") ?? ""
            let sendsAll = RequestInfo.flag(request.query.first("sendInitialEvents")) || version.isEmpty || version == "0"
            guard sendsAll else { return 1 }
        }
        guard let engine = resources.view(group: info.group, version: info.version, resource: info.resource)?.engine else { return 1 }
        let snapshot = engine.cache.snapshot()
        var count = snapshot.count
        if let limit = request.query.first("limit").flatMap({ Int($0) }), limit > 0 { count = min(count, limit) }
        let sample = snapshot.prefix(Self.sampled).map(\.weight)
        guard count > 0, !sample.isEmpty else { return 1 }
        let bytes = min(count * (sample.reduce(0, +) / sample.count), Self.mostBytesHeld)
        return max((bytes + Self.bytesPerSeat - 1) / Self.bytesPerSeat, 1)
    }

    /// Gives the seats back: at once, or for a list that is sent in pieces when the last of them is sent or nobody wants
    /// them any more.
    func leave(_ ticket: FlowControl.Ticket?, after response: inout HTTPResponse, of info: RequestInfo) {
        guard let ticket else { return }
        guard info.verb == "list", case .stream(let write) = response.body else { return flowControl.leave(ticket) }
        let seat = HeldSeat(ticket, of: flowControl)
        response.body = .stream { stream in
            try await write(stream)
            seat.leave()
        }
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

/// The right to run of a request whose answer outlives its handler. A closure that is dropped unused gives it back, too.
private final class HeldSeat: Sendable {
    private let flowControl: FlowControl
    private let ticket: Mutex<FlowControl.Ticket?>

    init(_ ticket: FlowControl.Ticket, of flowControl: FlowControl) {
        self.ticket = Mutex(ticket)
        self.flowControl = flowControl
    }

    func leave() {
        let ticket = ticket.withLock { $0.take() }
        if let ticket { flowControl.leave(ticket) }
    }

    deinit { leave() }
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
