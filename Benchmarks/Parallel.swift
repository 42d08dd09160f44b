import APIClient
import Synchronization

/// Many requests by a fixed number of concurrent clients.
enum Parallel {
    /// Calls `body` for every index below `count`, by `workers` tasks that share the clients.
    static func run(
        _ count: Int,
        workers: Int = 64,
        clients: [APIClient],
        _ body: @escaping @Sendable (APIClient, Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    let client = clients[worker % clients.count]
                    for index in stride(from: worker, to: count, by: workers) { try await body(client, index) }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Waits until a condition holds, asked every few milliseconds.
func waitUntil(
    _ what: String,
    within limit: Duration = .seconds(60),
    every pause: Duration = .milliseconds(20),
    _ condition: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw BenchError(message: "\(what): not within \(limit)") }
        try await Task.sleep(for: pause)
    }
}

/// A count that many tasks share.
final class Tally: Sendable {
    private let state = Atomic<Int>(0)

    /// The count.
    var count: Int { state.load(ordering: .relaxed) }

    /// Counts one more; returns the new count.
    @discardableResult
    func add() -> Int { state.add(1, ordering: .relaxed).newValue }
}
