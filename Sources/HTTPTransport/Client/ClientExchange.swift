import NIOCore

/// One request on its way and its response.
///
/// `@unchecked Sendable`: everything mutable is touched on the event loop of the connection it is given to; before
/// that nobody else knows it.
final class ClientExchange: @unchecked Sendable {
    private enum State {
        /// Exits: `receiving`, `over`.
        case waiting(CheckedContinuation<Reply, any Error>?)
        /// The head was delivered. Exits: `over`.
        case receiving(ByteChannel)
        /// Terminal.
        case over
    }

    /// What the caller gets.
    struct Reply: Sendable {
        var response: ClientResponse
        /// Set after 101.
        var stream: RawChannelStream?
    }

    let request: HTTPRequest
    let wantsUpgrade: Bool
    private let eventLoop: any EventLoop
    private let highWater: Int
    private var state = State.waiting(nil)
    private var earlyFailure: (any Error)?
    private var timer: Scheduled<Void>?
    private var isPaused = false
    /// Set by the connection: break the exchange off on the wire.
    var abortOnWire: (() -> Void)?
    /// Set by the connection: the consumer has room again.
    var resumeOnWire: (() -> Void)?

    init(request: HTTPRequest, wantsUpgrade: Bool, eventLoop: any EventLoop, highWater: Int) {
        self.request = request
        self.wantsUpgrade = wantsUpgrade
        self.eventLoop = eventLoop
        self.highWater = highWater
    }

    /// Whether the caller has the head.
    var hasHead: Bool {
        if case .waiting = state { false } else { true }
    }

    var isOver: Bool {
        if case .over = state { true } else { false }
    }

    /// Hands the exchange to its connection and waits for the head.
    func run(timeout: Duration?, start: @escaping @Sendable () -> Void) async throws -> Reply {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute {
                    if let failure = self.earlyFailure {
                        continuation.resume(throwing: failure)
                        return
                    }
                    self.state = .waiting(continuation)
                    self.arm(timeout)
                    start()
                }
            }
        } onCancel: {
            eventLoop.execute { if !self.hasHead { self.abort(CancellationError()) } }
        }
    }

    private func arm(_ timeout: Duration?) {
        guard let timeout else { return }
        timer = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            self.abort(TransportError(.timedOut, "no response within \(timeout)"))
        }
    }

    /// Ends the exchange from our side.
    func abort(_ failure: any Error) {
        if isOver { return }
        if case .waiting(nil) = state { earlyFailure = failure }
        failed(failure)
        abortOnWire?()
    }

    // MARK: Connection side

    func headReceived(status: Int, headers: HeaderFields) {
        guard case .waiting(let continuation) = state else { return }
        timer?.cancel()
        let body = ByteChannel(
            highWater: highWater,
            onDrain: { [weak self] in self?.consumerHasRoom() },
            onCancel: { [weak self] in self?.consumerLeft() }
        )
        state = .receiving(body)
        let response = ClientResponse(status: status, headers: headers, body: ResponseBody(channel: body))
        continuation?.resume(returning: Reply(response: response, stream: nil))
    }

    func upgraded(headers: HeaderFields, stream: RawChannelStream) {
        guard case .waiting(let continuation) = state else { return }
        timer?.cancel()
        state = .over
        let response = ClientResponse(status: 101, headers: headers, body: ResponseBody())
        continuation?.resume(returning: Reply(response: response, stream: stream))
    }

    /// False asks the connection to hold further bytes back.
    func bodyReceived(_ buffer: ByteBuffer) -> Bool {
        guard case .receiving(let body) = state else { return true }
        return body.push(buffer.bytesArray())
    }

    func ended() {
        guard case .receiving(let body) = state else { return }
        state = .over
        body.finish()
    }

    func failed(_ failure: any Error) {
        timer?.cancel()
        switch state {
        case .waiting(let continuation):
            state = .over
            continuation?.resume(throwing: failure)
        case .receiving(let body):
            state = .over
            body.finish(throwing: failure)
        case .over: break
        }
    }

    private func consumerHasRoom() {
        eventLoop.execute { self.resumeOnWire?() }
    }

    private func consumerLeft() {
        eventLoop.execute {
            guard !self.isOver else { return }
            self.state = .over
            self.abortOnWire?()
        }
    }
}
