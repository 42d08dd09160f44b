import CSyscalls
import Channels
import Glibc

/// SIGTERM, SIGINT or SIGHUP, taken from a pipe that the signal handler writes to.
struct TerminationSignal: Sendable {
    private let descriptor: Int32

    /// Installs the handlers; once in a process.
    init() throws {
        descriptor = apus_signal_pipe()
        guard descriptor >= 0 else { throw FileError(path: "pipe", message: FileBytes.lastError()) }
    }

    /// Waits for a signal.
    /// - Returns: its number.
    func wait() async throws -> Int32 {
        let descriptor = descriptor
        return try await onDedicatedThread {
            var byte: UInt8 = 0
            while read(descriptor, &byte, 1) < 0, errno == EINTR {}
            return Int32(byte)
        }
    }
}
