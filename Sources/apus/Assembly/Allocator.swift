import CSyscalls

/// How the C library hands out memory, set before the threads are started.
enum Allocator {
    /// Turns its fast bins off. With them every larger request merges all small blocks freed since the last, and a server
    /// makes larger requests all the time: a watch delivery took a sixth more CPU.
    static func tune() {
        apus_disable_fast_bins()
    }
}
