import Glibc
import Synchronization

/// What a person at a terminal sees: results on standard output, progress and errors on standard error.
enum Terminal {
    /// Prints a line of result.
    static func out(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    /// Prints a line of error or progress.
    static func error(_ text: String) {
        write(text + "\n", to: STDERR_FILENO)
    }

    /// Prints to standard output without ending the line.
    static func put(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// The steps of a long command: one line that changes on a terminal, plain lines otherwise.
final class Progress: Sendable {
    private let isTerminal: Bool
    private let start = ContinuousClock.now
    private let current = Mutex<String?>(nil)

    init() {
        isTerminal = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
    }

    /// Begins a step; the one before is done.
    func begin(_ step: String) {
        finishStep()
        current.withLock { $0 = step }
        if isTerminal {
            Terminal.put("  … \(step)")
        }
    }

    /// The last step is done.
    func finish() {
        finishStep()
    }

    /// The current step failed; the error follows by other means.
    func fail() {
        guard let step = take() else { return }
        if isTerminal { Terminal.put("\r\u{1b}[K") }
        Terminal.out("  ✗ \(step)")
    }

    private func finishStep() {
        guard let step = take() else { return }
        if isTerminal { Terminal.put("\r\u{1b}[K") }
        Terminal.out("  ✓ \(step) (\(elapsed))")
    }

    private func take() -> String? {
        current.withLock { current in
            defer { current = nil }
            return current
        }
    }

    private var elapsed: String {
        let tenths = (ContinuousClock.now - start) / .milliseconds(100)
        return "\(Int(tenths) / 10).\(Int(tenths) % 10) s"
    }
}
