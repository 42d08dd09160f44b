import Glibc

/// Gives work that recurses a stack that is large enough, whatever thread asks for it: threads of pools have 512 KiB to
/// 8 MiB. Nesting is bounded where expressions are read, so what is needed is bounded, too.
enum StackRoom {
    /// Several times what the deepest accepted expression takes in a debug build, whose frames are the largest.
    private static let provided = 16 << 20
    /// Expressions of so many bytes or fewer cannot nest deep enough to need more stack than any thread has.
    static let shortText = 40
    /// The same for the nesting of operands, operators and calls, and of values.
    static let shallow = 24

    /// Runs `body` on a thread made for it, for whose end the caller waits. Nil when the system refuses the thread.
    static func run<T>(_ body: () -> T) -> T? {
        withoutActuallyEscaping(body) { body in
            var result: T?
            let isMade = onThread { result = body() }
            return isMade ? result : nil
        }
    }

    /// The same for work that can fail.
    static func result<T>(_ body: () throws(CELError) -> T) throws(CELError) -> T {
        let result = run { () -> Result<T, CELError> in
            do throws(CELError) { return .success(try body()) } catch { return .failure(error) }
        }
        guard let result else { throw .noRoom }
        return try result.get()
    }

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Whether the thread could be made; it has ended then.
    private static func onThread(_ body: @escaping () -> Void) -> Bool {
        let work = Work(body)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, provided)
        var thread = pthread_t()
        let argument = Unmanaged.passUnretained(work).toOpaque()
        return withExtendedLifetime(work) {
            let status = pthread_create(
                &thread,
                &attributes,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
                    return nil
                },
                argument
            )
            guard status == 0 else { return false }
            pthread_join(thread, nil)
            return true
        }
    }
}
