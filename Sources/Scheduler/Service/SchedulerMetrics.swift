/// Counts and durations under upstream's names.
struct SchedulerMetrics: Sendable {
    /// A histogram as Prometheus has it: cumulative buckets, a sum and a count.
    struct Histogram: Sendable {
        let bounds: [Double]
        private(set) var buckets: [Int]
        private(set) var sum = 0.0
        private(set) var count = 0

        init(_ bounds: [Double]) {
            self.bounds = bounds
            buckets = [Int](repeating: 0, count: bounds.count)
        }

        mutating func observe(_ value: Double) {
            sum += value
            count += 1
            if let index = bounds.firstIndex(where: { value <= $0 }) { buckets[index] += 1 }
        }
    }

    enum Result: String, Sendable {
        case scheduled, unschedulable, error
    }

    private static let durations = (0..<15).map { 0.001 * Double(1 << $0) }
    private var attempts: [Result: Histogram] = [:]
    private var algorithm = Histogram(SchedulerMetrics.durations)
    private var podAttempts = Histogram([1, 2, 4, 8, 16])
    private var latency = Histogram((0..<20).map { 0.01 * Double(1 << $0) })
    private var victims = Histogram([1, 2, 4, 8, 16, 32, 64])
    private var preemptions = 0

    mutating func decided(_ duration: Duration) {
        algorithm.observe(Self.seconds(duration))
    }

    mutating func attempted(_ result: Result, _ duration: Duration) {
        attempts[result, default: Histogram(Self.durations)].observe(Self.seconds(duration))
    }

    mutating func scheduled(attempts: Int, since firstSeen: Duration) {
        podAttempts.observe(Double(attempts))
        latency.observe(Self.seconds(firstSeen))
    }

    mutating func preempted(victims count: Int) {
        preemptions += 1
        if count > 0 { victims.observe(Double(count)) }
    }

    /// The exposition text.
    func text(profile: String, queue: SchedulingQueue) -> String {
        var lines: [String] = []
        func head(_ name: String, _ type: String) { lines.append("# TYPE \(name) \(type)") }
        head("scheduler_schedule_attempts_total", "counter")
        for (result, histogram) in attempts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let labels = "profile=\"\(profile)\",result=\"\(result.rawValue)\""
            lines.append("scheduler_schedule_attempts_total{\(labels)} \(histogram.count)")
        }
        head("scheduler_scheduling_attempt_duration_seconds", "histogram")
        for (result, histogram) in attempts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let labels = "profile=\"\(profile)\",result=\"\(result.rawValue)\""
            lines += Self.lines("scheduler_scheduling_attempt_duration_seconds", labels, histogram)
        }
        for (name, histogram) in [
            ("scheduler_scheduling_algorithm_duration_seconds", algorithm),
            ("scheduler_pod_scheduling_attempts", podAttempts),
            ("scheduler_pod_scheduling_sli_duration_seconds", latency),
            ("scheduler_preemption_victims", victims),
        ] {
            head(name, "histogram")
            lines += Self.lines(name, "", histogram)
        }
        head("scheduler_preemption_attempts_total", "counter")
        lines.append("scheduler_preemption_attempts_total \(preemptions)")
        head("scheduler_pending_pods", "gauge")
        let counts = queue.counts
        for (name, count) in [
            ("active", counts.active), ("backoff", counts.backoff), ("gated", counts.gated),
            ("unschedulable", counts.unschedulable),
        ] {
            lines.append("scheduler_pending_pods{queue=\"\(name)\"} \(count)")
        }
        head("scheduler_queue_incoming_pods_total", "counter")
        for (labels, count) in queue.incoming.sorted(by: { $0.key < $1.key }) {
            let parts = labels.split(separator: ",")
            guard parts.count == 2 else { continue }
            lines.append("scheduler_queue_incoming_pods_total{event=\"\(parts[0])\",queue=\"\(parts[1])\"} \(count)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ name: String, _ labels: String, _ histogram: Histogram) -> [String] {
        var lines: [String] = []
        var total = 0
        let prefix = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(histogram.bounds, histogram.buckets) {
            total += count
            lines.append("\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)")
        }
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        lines.append("\(name)_bucket{\(prefix)le=\"+Inf\"} \(histogram.count)")
        lines.append("\(name)_sum\(suffix) \(histogram.sum)")
        lines.append("\(name)_count\(suffix) \(histogram.count)")
        return lines
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
