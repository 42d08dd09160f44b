import Glibc

/// Runs blocking work on a thread made for it, so that the cooperative pool keeps all its threads.
///
/// For rare and long waits (a child process). Frequent short calls belong on a `BlockingPool`.
/// - Throws: what `body` throws. Cancellation does not interrupt `body`.
public func onDedicatedThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        let work = ThreadWork { continuation.resume(with: Result(catching: body)) }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 << 10)
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            Unmanaged.passRetained(work).toOpaque()
        )
        if status != 0 {
            Unmanaged.passUnretained(work).release()
            continuation.resume(throwing: ChildProcessError(command: "pthread_create", message: describe(errno: status)))
        }
    }
}

/// Carries a closure through `pthread_create`'s untyped argument.
private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

/// The words of strerror(3) for an error number.
public func describe(errno code: Int32) -> String {
    String(cString: strerror(code))
}
