/// A producer that is asked for bytes instead of sending them, so that a thousand streams that are mostly silent cost no
/// wake-up of a task each: a server asks all streams of a connection in one turn of its event loop.
public protocol ResponseFeed: AnyObject, Sendable {
    /// What there is now. Never called twice at once. After `.wait` and `.lastBytes` the feed calls what `onReady` gave it,
    /// once; asking before that does no harm.
    func next() -> ResponseFeedStep
    /// Gives the feed what it calls after `.wait`, from any thread, as soon as asking again is worth it.
    func onReady(_ wake: @escaping @Sendable () -> Void)
    /// Makes the feed end; called from any thread.
    func cancel()
}

/// What a feed has.
public enum ResponseFeedStep: Sendable {
    /// Bytes to send; more may follow at once.
    case bytes([UInt8])
    /// Bytes to send, and nothing more now: `.wait` need not be asked for.
    case lastBytes([UInt8])
    /// Nothing now.
    case wait
    /// Nothing any more.
    case end
}

extension ResponseStream {
    /// Sends what the feed has until it ends. Cancelling the task ends the feed.
    public func drain(_ feed: any ResponseFeed) async throws {
        try await drainOneByOne(feed)
    }

    /// For streams without an event loop of their own.
    func drainOneByOne(_ feed: any ResponseFeed) async throws {
        let bell = FeedBell()
        feed.onReady { bell.ring() }
        try await withTaskCancellationHandler {
            while true {
                switch feed.next() {
                case .bytes(let bytes): try await write(bytes)
                case .lastBytes(let bytes):
                    try await write(bytes)
                    await bell.wait()
                case .wait: await bell.wait()
                case .end: return
                }
            }
        } onCancel: {
            feed.cancel()
        }
    }
}
