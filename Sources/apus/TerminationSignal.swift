import CSyscalls
import Channels
import Glibc

/// SIGTERM, SIGINT or SIGHUP, taken from a pipe that the signal handler writes to.
struct TerminationSignal: Sendable {
    private let received = Signal<Int32?>(nil)

    /// Installs the handlers; once in a process.
    init() throws {
        let descriptor = apus_signal_pipe()
        guard descriptor >= 0 else { throw FileError(path: "pipe", message: FileBytes.lastError()) }
        let received = received
        let reader = BlockingThread(name: "signals")
        reader.post {
            var byte: UInt8 = 0
            while true {
                let count = read(descriptor, &byte, 1)
                if count == 1 { received.set(Int32(byte)) } else if count == 0 || errno != EINTR { return }
            }
        }
    }

    /// Waits for a signal.
    /// - Returns: its number.
    /// - Throws: `CancellationError`.
    func wait() async throws -> Int32 {
        try await received.wait { $0 != nil } ?? SIGTERM
    }
}
