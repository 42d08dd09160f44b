import CSyscalls
import Glibc

/// Runs blocking work on a thread made for it, so that the cooperative pool keeps all its threads.
///
/// For rare and long waits (a child process). Frequent short calls belong on a `BlockingPool`.
/// - Throws: what `body` throws. Cancellation does not interrupt `body`.
public func onDedicatedThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        startThread(name: "blocking") { continuation.resume(with: Result(catching: body)) }
    }
}

/// Starts a detached thread. Where the system refuses one, the body runs on the caller's: late beats never.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    let work = ThreadWork(name: String(name.prefix(15)), body: body)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(work)
    let status = pthread_create(&thread, &attributes, { runThreadWork($0) }, argument.toOpaque())
    if status != 0 {
        argument.release()
        body()
    }
}

private func runThreadWork(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let work = Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue()
    apus_name_thread(work.name)
    work.body()
    return nil
}

/// Carries a closure through `pthread_create`'s untyped argument.
private final class ThreadWork: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

/// The words of strerror(3) for an error number.
public func describe(errno code: Int32) -> String {
    String(cString: strerror(code))
}
