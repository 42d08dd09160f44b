import Channels
import Glibc
import Store
import Synchronization

/// One thread that runs the jobs it is given, in order. It blocks so that the cooperative pool does not.
///
/// Guarded by its pthread mutex; `stop()` lets the jobs already given finish and joins the thread.
final class SerialThread: @unchecked Sendable {
    // Proof of Sendable: `jobs` and `stopping` are only touched with `mutex` held; `mutex` and `wakeUp` are heap cells
    // that live as long as the object; `thread` is written once before the object is shared.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [@Sendable () -> Void] = []
    private var stopping = false
    private let ended = Mutex(false)
    private var thread = pthread_t()

    private static let stackSize = 512 << 10

    init(name: String) throws(StoreError) {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackSize)
        let status = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<SerialThread>.fromOpaque(argument).takeRetainedValue().loop() }
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
        guard status == 0 else {
            Unmanaged.passUnretained(self).release()
            throw StoreError(.unavailable, "cannot start thread \(name): \(describe(errno: status))")
        }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(wakeUp)
        mutex.deallocate()
        wakeUp.deallocate()
    }

    /// Adds a job; after `stop()` it is refused.
    @discardableResult
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !stopping else { return false }
        jobs.append(job)
        pthread_cond_signal(wakeUp)
        return true
    }

    /// Runs `body` on the thread and hands its result back.
    func run<T: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withUnsafeContinuation { continuation in
            let accepted = submit {
                do throws(StoreError) { continuation.resume(returning: .success(try body())) } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !accepted { continuation.resume(returning: .failure(StoreError(.closed, "the store is closed"))) }
        }
        return try result.get()
    }

    /// Refuses further jobs; the thread ends after those it has.
    func stop() {
        pthread_mutex_lock(mutex)
        let first = !stopping
        stopping = true
        pthread_cond_signal(wakeUp)
        pthread_mutex_unlock(mutex)
        if first { pthread_detach(thread) }
    }

    private func loop() {
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !stopping { pthread_cond_wait(wakeUp, mutex) }
            let batch = jobs
            jobs = []
            pthread_mutex_unlock(mutex)
            if batch.isEmpty { return }
            for job in batch { job() }
        }
    }
}
