import Channels
import Testing

@Suite struct WorkQueueTests {
    @Test func `a key waits once and is not handed to two workers`() async {
        let queue = WorkQueue<String>(name: "test")
        queue.add("a")
        queue.add("a")
        queue.add("b")
        #expect(queue.count == 2)
        let first = await queue.get()
        #expect(first == "a")
        queue.add("a")
        #expect(queue.count == 1)
        #expect(await queue.get() == "b")
        queue.done("b")
        #expect(queue.count == 0)
        queue.done("a")
        #expect(await queue.get() == "a")
        queue.done("a")
        #expect(queue.isIdle)
        #expect(queue.metrics.adds == 3)
    }

    @Test func `failures back off from 5 ms to 1000 s and are forgotten`() async {
        let clock = ManualClock()
        let queue = WorkQueue<String>(name: "test", clock: clock)
        var expected = Duration.milliseconds(5)
        for failure in 0..<20 {
            let before = clock.monotonic
            queue.addRateLimited("a")
            await clock.waitForSleepers(1)
            #expect(queue.failures("a") == failure + 1)
            clock.advanceToNext()
            #expect(await queue.get() == "a")
            #expect(clock.monotonic - before == expected)
            queue.done("a")
            expected = min(expected * 2, .seconds(1000))
        }
        queue.forget("a")
        #expect(queue.failures("a") == 0)
        #expect(RetryBackoff().delay(failures: 1_000_000) == .seconds(1000))
    }

    @Test func `of several delays the earliest counts`() async {
        let clock = ManualClock()
        let queue = WorkQueue<String>(name: "test", clock: clock)
        queue.addAfter("a", .seconds(10))
        queue.addAfter("a", .seconds(2))
        queue.addAfter("a", .seconds(20))
        queue.addAfter("b", .seconds(3))
        #expect(queue.delayedCount == 2)
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(2))
        #expect(await queue.get() == "a")
        #expect(queue.delayedCount == 1)
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(30))
        #expect(await queue.get() == "b")
        #expect(queue.delayedCount == 0)
    }

    @Test func `workers get what is queued and then nil after shutdown`() async {
        let queue = WorkQueue<Int>(name: "test")
        async let waiting = queue.get()
        queue.add(1)
        #expect(await waiting == 1)
        queue.add(2)
        queue.shutDown()
        queue.add(3)
        #expect(await queue.get() == 2)
        #expect(await queue.get() == nil)
    }

    @Test func `a cancelled worker leaves without a key`() async {
        let queue = WorkQueue<Int>(name: "test")
        let worker = Task { await queue.get() }
        worker.cancel()
        #expect(await worker.value == nil)
        queue.add(1)
        #expect(await queue.get() == 1)
    }

    @Test func `many workers lose and double nothing`() async {
        let queue = WorkQueue<Int>(name: "test")
        let busy = Signal<Set<Int>>([])
        let counts = Signal<[Int: Int]>([:])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    while let key = await queue.get() {
                        busy.update { #expect($0.insert(key).inserted) }
                        await Task.yield()
                        counts.update { $0[key, default: 0] += 1 }
                        busy.update { $0.remove(key) }
                        queue.done(key)
                    }
                }
            }
            for round in 0..<2000 { queue.add(round % 50) }
            while !queue.isIdle { await Task.yield() }
            queue.shutDown()
        }
        #expect(counts.value.count == 50)
    }
}

@Suite struct BoundedChannelTests {
    @Test func `suspends senders when full and keeps the order`() async throws {
        let channel = BoundedChannel<Int>(capacity: 2)
        async let sending: Void = {
            for number in 0..<100 { try await channel.send(number) }
            channel.finish()
        }()
        var received: [Int] = []
        for try await number in channel {
            received.append(number)
            #expect(channel.count <= 2)
        }
        try await sending
        #expect(received == Array(0..<100))
    }

    @Test func `fails or drops as told when full`() async throws {
        let failing = BoundedChannel<Int>(capacity: 1, overflow: .fail)
        #expect(failing.trySend(1))
        #expect(!failing.trySend(2))
        await #expect(throws: ChannelError.full) { try await failing.send(3) }
        let dropping = BoundedChannel<Int>(capacity: 2, overflow: .dropOldest)
        for number in 0..<5 { #expect(dropping.trySend(number)) }
        #expect(try await dropping.receiveBatch() == [3, 4])
    }

    @Test func `delivers what is buffered before the end`() async throws {
        let channel = BoundedChannel<Int>(capacity: 4)
        try await channel.send(1)
        channel.finish(throwing: ChannelError.full)
        #expect(try await channel.receive() == 1)
        await #expect(throws: ChannelError.full) { try await channel.receive() }
        await #expect(throws: ChannelError.finished) { try await channel.send(2) }
    }
}

@Suite struct SignalTests {
    @Test func `waits for the latest value`() async throws {
        let signal = Signal(0)
        let version = signal.current.version
        async let next = signal.next(after: version)
        signal.set(5)
        #expect(await next.value == 5)
        async let large = signal.wait { $0 > 100 }
        for number in 0...101 { signal.set(number) }
        #expect(try await large == 101)
    }
}
