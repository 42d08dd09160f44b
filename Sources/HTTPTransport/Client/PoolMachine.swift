import DequeModule

/// Which connection takes which request. Pure: no sockets, no clock, no `async`.
struct PoolMachine<Connection: AnyObject, Waiter> {
    /// What the shell must do next, outside of the lock.
    enum Action {
        /// Give the connection to the waiter.
        case use(Connection, Waiter)
        /// Open one more connection.
        case connect
        /// Tell the waiter that it cannot be served.
        case refuse(Waiter, TransportError)
    }

    private struct Multiplexed {
        let connection: Connection
        var streams: Int
    }

    private let limits: HTTPClientConfiguration.Limits
    private var multiplexed: [Multiplexed] = []
    private var idle: [(connection: Connection, since: Int64)] = []
    private var busy: [ObjectIdentifier: Connection] = [:]
    private var connecting = 0
    private var waiting: Deque<(id: UInt64, waiter: Waiter)> = []
    /// Whether the next connection will probably carry many requests, so that one is enough for now.
    private var expectsMultiplexing: Bool
    private var isClosed = false

    init(limits: HTTPClientConfiguration.Limits, expectsMultiplexing: Bool) {
        self.limits = limits
        self.expectsMultiplexing = expectsMultiplexing
    }

    /// Connections that exist or are being made.
    var count: Int { multiplexed.count + idle.count + busy.count + connecting }

    /// Requests that wait.
    var waitingCount: Int { waiting.count }

    mutating func requested(_ waiter: Waiter, id: UInt64) -> [Action] {
        if isClosed { return [.refuse(waiter, TransportError(.closed, "the client is closed"))] }
        if let connection = takeFree() { return [.use(connection, waiter)] }
        guard waiting.count < limits.waiting else {
            return [.refuse(waiter, TransportError(.tooLarge, "too many requests wait for a connection", isSafeToRetry: true))]
        }
        waiting.append((id, waiter))
        return connectIfUseful()
    }

    mutating func waiterCancelled(_ id: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).waiter
    }

    mutating func connected(_ connection: Connection, isMultiplexed: Bool) -> [Action] {
        connecting -= 1
        expectsMultiplexing = isMultiplexed
        if isMultiplexed {
            multiplexed.append(Multiplexed(connection: connection, streams: 0))
        } else {
            idle.append((connection, .max))
        }
        return serve()
    }

    mutating func connectFailed(_ failure: TransportError) -> [Action] {
        connecting -= 1
        guard connecting == 0 || !expectsMultiplexing else { return [] }
        // whoever waits would only fail the same way
        let all = waiting
        waiting.removeAll()
        return all.map { .refuse($0.waiter, failure) }
    }

    mutating func freed(_ connection: Connection, now: Int64) -> [Action] {
        if let index = multiplexed.firstIndex(where: { $0.connection === connection }) {
            multiplexed[index].streams -= 1
        } else if busy.removeValue(forKey: ObjectIdentifier(connection)) != nil {
            idle.append((connection, now))
        }
        return serve()
    }

    mutating func gone(_ connection: Connection) -> [Action] {
        multiplexed.removeAll { $0.connection === connection }
        idle.removeAll { $0.connection === connection }
        busy[ObjectIdentifier(connection)] = nil
        return serve()
    }

    /// Connections nobody used since `limit`; they are forgotten here and must be closed.
    mutating func expired(before limit: Int64) -> [Connection] {
        let old = idle.filter { $0.since < limit }.map(\.connection)
        idle.removeAll { $0.since < limit }
        return old
    }

    /// Ends the pool: what to close and whom to refuse.
    mutating func close() -> (connections: [Connection], waiters: [Waiter]) {
        isClosed = true
        let all = multiplexed.map(\.connection) + idle.map(\.connection) + Array(busy.values)
        let waiters = waiting.map(\.waiter)
        multiplexed = []
        idle = []
        busy = [:]
        waiting.removeAll()
        return (all, waiters)
    }

    private mutating func takeFree() -> Connection? {
        if let index = multiplexed.firstIndex(where: { $0.streams < limits.streamsPerConnection }) {
            multiplexed[index].streams += 1
            return multiplexed[index].connection
        }
        guard let last = idle.popLast() else { return nil }
        busy[ObjectIdentifier(last.connection)] = last.connection
        return last.connection
    }

    private mutating func serve() -> [Action] {
        var actions: [Action] = []
        while !waiting.isEmpty, let connection = takeFree() {
            guard let next = waiting.popFirst() else { break }
            actions.append(.use(connection, next.waiter))
        }
        return actions + connectIfUseful()
    }

    private mutating func connectIfUseful() -> [Action] {
        if isClosed { return [] }
        var actions: [Action] = []
        let perConnection = expectsMultiplexing ? limits.streamsPerConnection : 1
        while connecting * perConnection < waiting.count, count < limits.connections {
            connecting += 1
            actions.append(.connect)
        }
        return actions
    }
}
