import HTTPTransport
import Store
import Synchronization

/// A watch's events as frames, for a connection to ask. Guarded by `state`; asked by one caller at a time.
final class WatchFeed: ResponseFeed {
    private struct State {
        var writer: WatchResponse.FrameWriter
        /// Events that were taken and not written yet.
        var batch: ArraySlice<CacheEvent> = []
        var isOnly = false
        var isOver = false
    }

    private enum Found {
        case step(ResponseFeedStep)
        case end(StoreError?)
    }

    private let watch: CacheWatch
    private let whenOver: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameter whenOver: Called once, when the watch has ended or the client is gone.
    init(_ watch: CacheWatch, _ writer: WatchResponse.FrameWriter, whenOver: @escaping @Sendable () -> Void) {
        self.watch = watch
        self.whenOver = whenOver
        state = Mutex(State(writer: writer))
    }

    func next() -> ResponseFeedStep {
        switch state.withLock({ find(&$0) }) {
        case .step(let step): return step
        case .end(let failure):
            settle()
            guard let failure, let frame = state.withLock({ $0.writer.farewell(failure) }) else { return .end }
            return .bytes(frame)
        }
    }

    private func find(_ state: inout State) -> Found {
        while true {
            if let bytes = Self.write(&state) { return .step(.bytes(bytes)) }
            if state.isOver { return .step(.end) }
            switch watch.poll() {
            case .wait: return .step(.wait)
            case .end(let failure): return .end(failure)
            case .events(let events, let hasMore):
                state.isOnly = events.count == 1
                // As nearly always: one event, which others have too.
                if state.isOnly, let bytes = state.writer.add(events[0], isOnly: true) {
                    return .step(hasMore ? .bytes(bytes) : .lastBytes(bytes))
                }
                if !state.isOnly { state.batch = events[...] }
            }
        }
    }

    func onReady(_ wake: @escaping @Sendable () -> Void) {
        watch.onReady(wake)
    }

    func cancel() {
        watch.cancel()
        settle()
    }

    private func settle() {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { whenOver() }
    }

    private static func write(_ state: inout State) -> [UInt8]? {
        while let event = state.batch.popFirst() {
            if let bytes = state.writer.add(event, isOnly: state.isOnly) { return bytes }
        }
        return state.writer.takePending()
    }
}
