import Glibc

/// A table of figures, each beside its budget.
struct Report {
    /// Prints the table's head.
    func heading() {
        line("what", "measured", "budget", "")
        line(String(repeating: "-", count: 58), String(repeating: "-", count: 16), String(repeating: "-", count: 16), "")
    }

    /// A figure that must not pass its budget.
    func atMost(_ what: String, _ value: Double, _ unit: String, budget: Double) {
        line(what, "\(format(value)) \(unit)", "≤ \(format(budget)) \(unit)", value <= budget ? "ok" : "MISSED")
    }

    /// A figure that must reach its budget.
    func atLeast(_ what: String, _ value: Double, _ unit: String, budget: Double) {
        line(what, "\(format(value)) \(unit)", "≥ \(format(budget)) \(unit)", value >= budget ? "ok" : "MISSED")
    }

    /// A figure without a budget.
    func note(_ what: String, _ value: Double, _ unit: String) {
        line(what, "\(format(value)) \(unit)", "", "")
    }

    /// A figure that could not be taken, and why.
    func missing(_ what: String, _ why: String) {
        line(what, "not measured", "", why)
    }

    /// Takes figures that must not keep others from being taken when they fail.
    func section(_ name: String, _ body: () async throws -> Void) async {
        do { try await body() } catch { missing(name, "\(error)") }
    }

    private func line(_ what: String, _ value: String, _ budget: String, _ verdict: String) {
        puts(padded(what, 58) + " " + padded(value, 16) + " " + padded(budget, 16) + " " + verdict)
        fflush(nil)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func format(_ value: Double) -> String {
        if value >= 100 || value == value.rounded() { return String(Int(value.rounded())) }
        let digits = value >= 10 ? 10.0 : (value >= 1 ? 100.0 : 1000.0)
        return String((value * digits).rounded() / digits)
    }
}

/// Latencies of one phase.
struct Latencies: Sendable {
    private var sorted: [Duration]

    init(_ all: [Duration]) {
        sorted = all.sorted()
    }

    /// The latency that a share of all does not pass, in milliseconds.
    func milliseconds(at share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
        return sorted[index] / .microseconds(1) / 1000
    }
}
