import DequeModule
import Synchronization

/// The reason a channel takes nothing more.
public enum ChannelError: Error, Sendable, Equatable {
    /// `finish` was called.
    case finished
    /// The channel is full and its rule is to fail.
    case full
}

/// A queue between tasks that holds at most `capacity` elements. Many senders, one receiver.
///
/// Guarded by `state`; continuations are resumed after the lock is released.
public final class BoundedChannel<Element: Sendable>: Sendable, AsyncSequence {
    /// What happens to an element that does not fit.
    public enum Overflow: Sendable {
        /// The sender waits.
        case suspend
        /// The sender gets `ChannelError.full`.
        case fail
        /// The oldest element is dropped.
        case dropOldest
    }

    private struct Sender {
        let id: UInt64
        let element: Element
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var buffer = Deque<Element>()
        var senders = Deque<Sender>()
        var receiver: CheckedContinuation<Element?, any Error>?
        var ending: Result<Void, any Error>?
        var nextID: UInt64 = 0
        var isCancelled = false
    }

    private enum SendAction {
        case none
        case resume(CheckedContinuation<Element?, any Error>)
        case wait
        case refuse(ChannelError)
    }

    private let capacity: Int
    private let overflow: Overflow
    private let state = Mutex(State())

    /// An empty channel.
    public init(capacity: Int, overflow: Overflow = .suspend) {
        self.capacity = Swift.max(1, capacity)
        self.overflow = overflow
    }

    /// How many elements wait.
    public var count: Int { state.withLock { $0.buffer.count } }

    /// Puts an element in; by the channel's rule it waits, fails or drops the oldest when the channel is full.
    /// - Throws: `ChannelError`, `CancellationError`.
    public func send(_ element: Element) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let action: SendAction? = state.withLock { state in
                    let action = offer(element, &state)
                    if case .wait = action {
                        // The cancellation handler has run already and found nobody.
                        if Task.isCancelled { return nil }
                        state.senders.append(Sender(id: id, element: element, continuation: continuation))
                    }
                    return action
                }
                if let action {
                    perform(action, for: continuation, element)
                } else {
                    continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            let sender = state.withLock { state -> Sender? in
                guard let index = state.senders.firstIndex(where: { $0.id == id }) else { return nil }
                return state.senders.remove(at: index)
            }
            sender?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Puts an element in if that can be done at once. False when the channel is full or finished.
    @discardableResult
    public func trySend(_ element: Element) -> Bool {
        let action = state.withLock { offer(element, &$0) }
        switch action {
        case .none: return true
        case .resume(let receiver):
            receiver.resume(returning: element)
            return true
        case .wait, .refuse: return false
        }
    }

    /// Ends the channel: what is buffered is still delivered, then the end or the error.
    public func finish(throwing error: (any Error)? = nil) {
        let (receiver, senders, ending) = state.withLock { state in
            guard state.ending == nil else {
                return (CheckedContinuation<Element?, any Error>?.none, Deque<Sender>(), Result<Void, any Error>.success(()))
            }
            let ending: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
            state.ending = ending
            let receiver = state.receiver
            state.receiver = nil
            let senders = state.senders
            state.senders = []
            return (receiver, senders, ending)
        }
        senders.forEach { $0.continuation.resume(throwing: ChannelError.finished) }
        receiver?.resume(with: ending.map { nil })
    }

    /// The next element; nil at the end.
    /// - Throws: the error given to `finish`, or `CancellationError`.
    public func receive() async throws -> Element? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                take(continuation)
            }
        } onCancel: {
            let receiver = state.withLock { state in
                let receiver = state.receiver
                state.receiver = nil
                return receiver
            }
            receiver?.resume(throwing: CancellationError())
        }
    }

    /// Everything that is buffered, at least one element; nil at the end. One wake-up for a batch.
    public func receiveBatch() async throws -> [Element]? {
        guard let first = try await receive() else { return nil }
        var batch = [first]
        let (more, senders) = state.withLock { state in
            let more = Array(state.buffer)
            state.buffer.removeAll(keepingCapacity: true)
            var admitted: [CheckedContinuation<Void, any Error>] = []
            while state.buffer.count < capacity, let sender = state.senders.popFirst() {
                state.buffer.append(sender.element)
                admitted.append(sender.continuation)
            }
            return (more, admitted)
        }
        senders.forEach { $0.resume() }
        batch += more
        return batch
    }

    private func offer(_ element: Element, _ state: inout State) -> SendAction {
        if state.ending != nil { return .refuse(.finished) }
        if let receiver = state.receiver {
            state.receiver = nil
            return .resume(receiver)
        }
        if state.buffer.count < capacity {
            state.buffer.append(element)
            return .none
        }
        switch overflow {
        case .suspend: return .wait
        case .fail: return .refuse(.full)
        case .dropOldest:
            state.buffer.removeFirst()
            state.buffer.append(element)
            return .none
        }
    }

    private func perform(_ action: SendAction, for sender: CheckedContinuation<Void, any Error>, _ element: Element) {
        switch action {
        case .none: sender.resume()
        case .resume(let receiver):
            receiver.resume(returning: element)
            sender.resume()
        case .wait: break
        case .refuse(let error): sender.resume(throwing: error)
        }
    }

    private func take(_ continuation: CheckedContinuation<Element?, any Error>) {
        let (result, admitted) = state.withLock { state -> (Result<Element?, any Error>?, CheckedContinuation<Void, any Error>?) in
            if let element = state.buffer.popFirst() {
                guard let sender = state.senders.popFirst() else { return (.success(element), nil) }
                state.buffer.append(sender.element)
                return (.success(element), sender.continuation)
            }
            if let ending = state.ending { return (ending.map { nil }, nil) }
            if Task.isCancelled { return (.failure(CancellationError()), nil) }
            state.receiver = continuation
            return (nil, nil)
        }
        admitted?.resume()
        if let result { continuation.resume(with: result) }
    }

    /// Iterates by `receive()`.
    public struct Iterator: AsyncIteratorProtocol {
        let channel: BoundedChannel

        /// The next element; nil at the end.
        public func next() async throws -> Element? {
            try await channel.receive()
        }
    }

    /// The channel's elements, to its end.
    public func makeAsyncIterator() -> Iterator {
        Iterator(channel: self)
    }
}
