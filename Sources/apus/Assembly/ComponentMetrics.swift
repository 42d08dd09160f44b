import Channels

/// What the components of this process count, as Prometheus text under upstream's names.
enum ComponentMetrics {
    /// The work queues of the controllers.
    static func text(queues: [(name: String, metrics: WorkQueueMetrics)]) -> String {
        family("workqueue_adds_total", "counter", "Total number of adds handled by workqueue", queues) { "\($0.adds)" }
            + family("workqueue_depth", "gauge", "Current depth of workqueue", queues) { "\($0.depth)" }
            + family("workqueue_retries_total", "counter", "Total number of retries handled by workqueue", queues) { "\($0.retries)" }
    }

    private static func family(
        _ name: String,
        _ type: String,
        _ help: String,
        _ queues: [(name: String, metrics: WorkQueueMetrics)],
        _ value: (WorkQueueMetrics) -> String
    ) -> String {
        let samples = queues.sorted { $0.name < $1.name }.map { "\(name){name=\"\($0.name)\"} \(value($0.metrics))\n" }
        return "# HELP \(name) [ALPHA] \(help)\n# TYPE \(name) \(type)\n" + samples.joined()
    }
}
