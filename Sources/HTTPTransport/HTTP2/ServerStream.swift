import DequeModule
import NIOCore

/// One request and its response on an HTTP/2 connection: very many may wait at once, so it holds little. Owned by the event loop.
final class ServerStream {
    let id: Int32
    /// Bytes the peer takes before it gives more room; a setting may make it negative.
    var sendWindow: Int
    /// Bytes the peer may send before we give more room.
    var receiveWindow = HTTP2Window.stream
    /// Set while the request is arriving.
    var incoming: Incoming?
    /// Set once the handler has the request.
    var exchange: ServerExchange?
    /// The peer has ended its side.
    var isRemoteClosed = false
    /// The rest of the body is not wanted.
    var isBodyDropped = false
    /// The stream's end follows what is queued.
    var endsAfterQueue = false
    /// It stands in the connection's line of streams that have something to send.
    var isInLine = false
    /// Body bytes that wait for a window or the socket; the first is sent from `offset` on.
    var queue: Deque<[UInt8]> = []
    var offset = 0

    init(id: Int32, sendWindow: Int) {
        self.id = id
        self.sendWindow = sendWindow
    }

    /// A request whose body is arriving.
    final class Incoming {
        var request: HTTPRequest
        /// What `content-length` promised.
        let length: Int?
        /// All body bytes so far, whether kept or not.
        var received = 0
        /// When the last part came.
        var heardAt: NIODeadline

        init(_ request: HTTPRequest, length: Int?, at now: NIODeadline) {
            self.request = request
            self.length = length
            heardAt = now
        }
    }
}
