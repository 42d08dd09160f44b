import Channels
import Testing
import Units

@Suite struct ManualClockTests {
    @Test func `wakes sleepers when their time has come`() async throws {
        let clock = ManualClock()
        async let first: Void = clock.sleep(for: .seconds(1))
        async let second: Void = clock.sleep(for: .seconds(3))
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(2))
        try await first
        #expect(clock.sleeperCount == 1)
        #expect(clock.advanceToNext())
        try await second
        #expect(clock.monotonic == .seconds(3))
        #expect(!clock.advanceToNext())
        #expect(clock.now - Timestamp(unixSeconds: 1_700_000_000) == .seconds(3))
    }

    @Test func `a cancelled sleeper leaves at once`() async {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(for: .seconds(1)) }
        await clock.waitForSleepers(1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a sleep of a cancelled task does not begin`() async {
        let clock = ManualClock()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.sleep(for: .seconds(1))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}

@Suite struct DeadlineTests {
    @Test func `returns the result within the limit`() async throws {
        #expect(try await withDeadline(.seconds(5), clock: ManualClock()) { 7 } == 7)
    }

    @Test func `throws at the limit even when the operation ignores it`() async {
        let clock = ManualClock()
        let gate = Signal(false)
        let task = Task {
            try await withDeadline(.seconds(5), clock: clock) { () -> Int in
                while !gate.value { await Task.yield() }
                return 1
            }
        }
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(5))
        await #expect(throws: DeadlineExceeded.self) { try await task.value }
        gate.set(true)
    }

    @Test func `passes errors on`() async {
        await #expect(throws: ChannelError.self) {
            try await withDeadline(.seconds(5), clock: ManualClock()) { () -> Int in throw ChannelError.finished }
        }
    }
}

@Suite struct RandomSourceTests {
    @Test func `a seed repeats and suffixes use the alphabet of names`() {
        let (a, b) = (SeededRandom(seed: 9), SeededRandom(seed: 9))
        #expect((0..<50).map { _ in a.next() } == (0..<50).map { _ in b.next() })
        let alphabet = Set("bcdfghjklmnpqrstvwxz2456789")
        for _ in 0..<100 { #expect(SystemRandom().suffix(5).allSatisfy { alphabet.contains($0) }) }
        #expect(a.bytes(17).count == 17)
        let parts = a.uuid().split(separator: "-").map(\.count)
        #expect(parts == [8, 4, 4, 4, 12])
        // The digits are the bytes drawn, but for the version and the variant.
        let (text, raw) = (SeededRandom(seed: 3).uuid(), SeededRandom(seed: 3).bytes(16))
        let drawn = raw.enumerated().map { $0 == 6 ? $1 & 0x0f | 0x40 : $0 == 8 ? $1 & 0x3f | 0x80 : $1 }
        let digits = Array(text.filter { $0 != "-" })
        #expect(stride(from: 0, to: 32, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) } == drawn)
        #expect(Set((0..<2_000).flatMap { _ in SystemRandom().suffix(10) }) == alphabet)
        #expect(SystemRandom().uuid() != SystemRandom().uuid())
    }
}

@Suite struct BlockingThreadTests {
    @Test func `does work in order on one thread`() async throws {
        let thread = BlockingThread(name: "apus-test")
        let log = Signal<[Int]>([])
        for number in 0..<100 { thread.post { log.update { $0.append(number) } } }
        #expect(try await thread.run { log.value } == Array(0..<100))
        await #expect(throws: ChannelError.self) { try await thread.run { throw ChannelError.finished } }
    }

    @Test func `a pool runs as many pieces as it has threads`() async throws {
        let pool = BlockingPool(name: "apus-test", threads: 2)
        let arrived = Signal(0)
        try await withThrowingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask {
                    try await pool.run {
                        arrived.update { $0 += 1 }
                        while arrived.value < 2 {}
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
