import Channels
import Testing

/// Senders and receivers that are cancelled.
@Suite struct ChannelCancellationTests {
    @Test func `a sender that is cancelled before it waits does not wait`() async throws {
        let channel = BoundedChannel<Int>(capacity: 1)
        try await channel.send(1)
        // unstructured: it must be cancelled before it begins
        let sender = Task {
            while !Task.isCancelled { await Task.yield() }
            try await channel.send(2)
        }
        sender.cancel()
        await #expect(throws: CancellationError.self) { try await withDeadline(.seconds(30)) { try await sender.value } }
        #expect(channel.count == 1)
    }

    @Test func `what waits is delivered in order and admits the next sender`() async throws {
        let channel = BoundedChannel<Int>(capacity: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<100 { try await channel.send(number) }
                channel.finish()
            }
            var seen: [Int] = []
            while let batch = try await channel.receiveBatch() { seen += batch }
            #expect(seen == Array(0..<100))
            try await group.waitForAll()
        }
    }
}
