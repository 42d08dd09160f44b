import NIOCore
import NIOPosix

/// A fixed number of threads that do the sockets' work, shared by servers and clients.
public final class EventLoopThreads: Sendable {
    /// Threads unless told otherwise: one a core of the smallest machine we care for.
    public static let defaultCount = 2

    let group: MultiThreadedEventLoopGroup

    /// Starts the threads.
    public init(count: Int = EventLoopThreads.defaultCount) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
    }

    /// Stops the threads. Everything that uses them must be closed.
    public func shutDown() async {
        try? await group.shutdownGracefully()
    }

    deinit {
        group.shutdownGracefully { _ in }
    }
}

/// Runs a request's task on the event loop that owns its connection, so that neither reading the request nor
/// writing the response changes threads.
final class EventLoopTaskExecutor: TaskExecutor {
    let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        eventLoop.execute { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
