/// Running many like writes.
enum Batches {
    /// The first batch of a slow start.
    static let first = 1
    /// No more writes run at a time.
    static let widest = 64

    /// Runs `count` operations in batches that double as long as all succeed, so that a broken template costs one
    /// failure, not hundreds. Returns how many succeeded and the first error.
    static func slowStart(
        _ count: Int,
        _ operation: @escaping @Sendable () async throws -> Void
    ) async -> (succeeded: Int, error: (any Error)?) {
        var remaining = count
        var succeeded = 0
        var size = min(remaining, first)
        while size > 0 {
            let (done, error) = await concurrently(Array(repeating: (), count: size)) { _ in try await operation() }
            succeeded += done
            if let error { return (succeeded, error) }
            remaining -= size
            size = min(2 * size, remaining)
        }
        return (succeeded, nil)
    }

    /// Runs an operation for each item, a bounded number at a time; goes on after errors and returns the first.
    static func concurrently<Item: Sendable>(
        _ items: [Item],
        _ operation: @escaping @Sendable (Item) async throws -> Void
    ) async -> (succeeded: Int, error: (any Error)?) {
        await withTaskGroup(of: (any Error)?.self) { group in
            var pending = items[...]
            func startNext() {
                guard let item = pending.popFirst() else { return }
                group.addTask {
                    do {
                        try await operation(item)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for _ in 0..<min(widest, items.count) { startNext() }
            var succeeded = 0
            var first: (any Error)?
            while let outcome = await group.next() {
                if let error = outcome {
                    first = first ?? error
                } else {
                    succeeded += 1
                }
                startNext()
            }
            return (succeeded, first)
        }
    }
}
