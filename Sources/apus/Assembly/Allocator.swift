import CAllocator

/// How memory is handed out, set before anything else is done: the process may begin again.
enum Allocator {
    /// Turns the C library's fast bins off and has each thread keep more of what it freed; why stands in `docs/decisions/0007`.
    static func tune() {
        apus_tune_allocator(CommandLine.unsafeArgv)
    }
}
