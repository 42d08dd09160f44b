import DequeModule
import Glibc
import Synchronization

/// Threads of their own for system calls that block (fsync, mount, netlink), away from the cooperative pool.
///
/// Work is taken in order; with one thread it is also done in order. Owned: the threads end with the object.
public final class BlockingPool: Sendable {
    private let mailbox: Mailbox

    /// Starts `threads` threads named `name` (15 bytes at most are kept by the kernel).
    public init(name: String, threads: Int) {
        let mailbox = Mailbox()
        self.mailbox = mailbox
        for _ in 0..<max(1, threads) {
            startThread(name: name) { mailbox.work() }
        }
    }

    deinit {
        mailbox.close()
    }

    /// Runs `body` on one of the threads.
    /// - Throws: what `body` throws. Cancellation does not interrupt it.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            mailbox.put { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Hands `body` over without waiting for it.
    public func post(_ body: @escaping @Sendable () -> Void) {
        mailbox.put(body)
    }
}

/// One thread of its own: work is done strictly in order.
public final class BlockingThread: Sendable {
    private let pool: BlockingPool

    /// Starts the thread.
    public init(name: String) {
        pool = BlockingPool(name: name, threads: 1)
    }

    /// Runs `body` on the thread.
    /// - Throws: what `body` throws.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await pool.run(body)
    }

    /// Hands `body` over without waiting for it.
    public func post(_ body: @escaping @Sendable () -> Void) {
        pool.post(body)
    }
}

/// The queue between callers and the pool's threads: a mutex and a condition variable.
private final class Mailbox: @unchecked Sendable {
    // Proof of safety: `work` and `isClosed` are only touched with `mutex` held; the two pointers never change.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs = Deque<@Sendable () -> Void>()
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(filled, nil)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_mutex_destroy(mutex)
        filled.deallocate()
        mutex.deallocate()
    }

    func put(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(filled)
        pthread_mutex_unlock(mutex)
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(filled)
        pthread_mutex_unlock(mutex)
    }

    /// Does jobs until the mailbox is closed and empty.
    func work() {
        while let job = take() { job() }
    }

    private func take() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(filled, mutex)
        }
        return jobs.popFirst()
    }
}
