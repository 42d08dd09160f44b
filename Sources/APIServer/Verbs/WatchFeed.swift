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
        var failure: StoreError?
    }

    private let watch: CacheWatch
    private let state: Mutex<State>

    init(_ watch: CacheWatch, _ writer: WatchResponse.FrameWriter) {
        self.watch = watch
        state = Mutex(State(writer: writer))
    }

    /// Why the watch has ended, when that is more than its time being over.
    var failure: StoreError? { state.withLock { $0.failure } }

    func next() -> ResponseFeedStep {
        state.withLock { state in
            while true {
                if let bytes = Self.write(&state) { return .bytes(bytes) }
                switch watch.poll() {
                case .wait: return .wait
                case .end(let failure):
                    state.failure = failure
                    return .end
                case .events(let events):
                    state.batch = events[...]
                    state.isOnly = events.count == 1
                }
            }
        }
    }

    func onReady(_ wake: @escaping @Sendable () -> Void) {
        watch.onReady(wake)
    }

    func cancel() {
        watch.cancel()
    }

    private static func write(_ state: inout State) -> [UInt8]? {
        while let event = state.batch.popFirst() {
            if let bytes = state.writer.add(event, isOnly: state.isOnly) { return bytes }
        }
        return state.writer.takePending()
    }
}
