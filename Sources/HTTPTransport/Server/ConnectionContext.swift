import Logging
import NIOCore
import Synchronization

/// What every connection of one server shares.
final class ServerContext: Sendable {
    let handler: any HTTPHandler
    let limits: HTTPServerConfiguration.Limits
    let runsOnEventLoops: Bool
    let date = HTTPDate()
    let log: Logger
    private let inboxes = Mutex<[ObjectIdentifier: FeedInbox]>([:])

    init(configuration: HTTPServerConfiguration, handler: any HTTPHandler, log: Logger) {
        self.handler = handler
        limits = configuration.limits
        runsOnEventLoops = configuration.runsHandlersOnEventLoops
        self.log = log
    }

    /// Where the feeds of an event loop's exchanges announce themselves.
    func inbox(_ eventLoop: any EventLoop) -> FeedInbox {
        inboxes.withLock { inboxes in
            if let known = inboxes[ObjectIdentifier(eventLoop)] { return known }
            let inbox = FeedInbox(eventLoop)
            inboxes[ObjectIdentifier(eventLoop)] = inbox
            return inbox
        }
    }

    /// How often a connection looks at its deadlines.
    var sweepInterval: TimeAmount {
        let shortest = [
            limits.handshake, limits.requestHead, limits.requestBody, limits.idle, limits.stalledWrite, limits.probeAfter,
            limits.probeTimeout,
        ].min()
        let quarter = TimeAmount(shortest ?? .seconds(20)).nanoseconds / 4
        return .nanoseconds(max(10_000_000, min(quarter, 5_000_000_000)))
    }
}

/// Told to every connection when the server begins to shut down.
struct ServerDrainEvent {}

extension RequestTarget {
    /// Reads a request target: `/path?query`, or an absolute URL whose path counts.
    init(_ text: String) {
        var rest = Substring(text)
        if !text.utf8.starts(with: [UInt8(ascii: "/")]), let scheme = text.firstRange(of: "://") {
            let afterScheme = text[scheme.upperBound...]
            rest = afterScheme.firstIndex(of: "/").map { afterScheme[$0...] } ?? "/"
        }
        if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(rest[..<mark])
            query = QueryItems(parsing: rest[rest.utf8.index(after: mark)...])
        } else {
            path = String(rest)
            query = QueryItems()
        }
    }
}

/// Path and query of a request line.
struct RequestTarget {
    var path: String
    var query: QueryItems
}
