/// What people and monitors see of flow control.
extension FlowControl {
    /// One sample of a metric.
    public struct Sample: Sendable, Hashable {
        /// The metric, in upstream's words.
        public let metric: String
        /// The labels, in order.
        public let labels: [Label]
        /// The value as text.
        public let value: String

        /// A label of a sample.
        public struct Label: Sendable, Hashable {
            /// The label's name.
            public let name: String
            /// The label's value.
            public let value: String
        }
    }

    /// The families of metrics: name, type and what it tells.
    public static let families: [(name: String, type: String, help: String)] = [
        ("apiserver_flowcontrol_dispatched_requests_total", "counter", "Requests that were let through."),
        ("apiserver_flowcontrol_rejected_requests_total", "counter", "Requests that were turned away."),
        ("apiserver_flowcontrol_current_inqueue_requests", "gauge", "Requests that wait."),
        ("apiserver_flowcontrol_current_executing_requests", "gauge", "Requests that run."),
        ("apiserver_flowcontrol_current_executing_seats", "gauge", "Seats taken."),
        ("apiserver_flowcontrol_nominal_limit_seats", "gauge", "Seats of a level by its shares."),
        ("apiserver_flowcontrol_current_limit_seats", "gauge", "Seats of a level, borrowed and lent ones included."),
        ("apiserver_flowcontrol_request_wait_duration_seconds_sum", "counter", "How long requests waited, in seconds."),
        ("apiserver_flowcontrol_request_wait_duration_seconds_count", "counter", "Requests that waited."),
        ("apiserver_flowcontrol_request_execution_seconds_sum", "counter", "How long requests ran, in seconds."),
        ("apiserver_flowcontrol_request_execution_seconds_count", "counter", "Requests that ran."),
    ]

    /// All samples of this moment.
    public var samples: [Sample] {
        var samples: [Sample] = []
        func add(_ metric: String, _ labels: [(String, String)], _ value: some CustomStringConvertible) {
            let labels = labels.map { Sample.Label(name: $0.0, value: $0.1) }
            samples.append(Sample(metric: "apiserver_flowcontrol_\(metric)", labels: labels, value: value.description))
        }
        for level in pictures {
            let own = [("priority_level", level.name)]
            add("nominal_limit_seats", own, level.isExempt ? 0 : level.nominal)
            add("current_limit_seats", own, level.isExempt ? 0 : level.limit)
            for (schema, tally) in level.tallies.sorted(by: { $0.key < $1.key }) {
                let labels = [("flow_schema", schema)] + own
                add("dispatched_requests_total", labels, tally.dispatched)
                for (reason, count) in tally.rejected.sorted(by: { $0.key < $1.key }) {
                    add("rejected_requests_total", labels + [("reason", reason)], count)
                }
                add("current_inqueue_requests", labels, tally.waiting)
                add("current_executing_requests", labels, tally.running)
                add("current_executing_seats", labels, tally.runningSeats)
                add("request_wait_duration_seconds_sum", labels, tally.waited)
                add("request_wait_duration_seconds_count", labels, tally.waits)
                add("request_execution_seconds_sum", labels, tally.runTime)
                add("request_execution_seconds_count", labels, tally.ran)
            }
        }
        return samples
    }

    /// The documents below `/debug/api_priority_and_fairness/`, as text in columns; nil for an unknown name.
    public func report(_ name: String) -> String? {
        switch name {
        case "dump_priority_levels": priorityLevels
        case "dump_queues": queues
        case "dump_requests": requests
        default: nil
        }
    }

    private var priorityLevels: String {
        let head = [
            "PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests", "DispatchedRequests",
            "RejectedRequests", "TimedoutRequests", "CancelledRequests",
        ]
        let rows = pictures.map { level -> [String] in
            func rejected(_ reasons: String...) -> UInt64 {
                level.tallies.values.reduce(0) { sum, tally in sum + reasons.reduce(0) { $0 + (tally.rejected[$1] ?? 0) } }
            }
            let active = level.queues.filter { $0.waiting > 0 || $0.running > 0 }.count
            return [
                level.name, "\(active)", "\(level.running == 0 && level.waiting == 0)", "false", "\(level.waiting)", "\(level.running)",
                "\(level.tallies.values.reduce(0) { $0 + $1.dispatched })", "\(rejected("queue-full", "concurrency-limit"))",
                "\(rejected("time-out"))", "\(rejected("cancelled"))",
            ]
        }
        return Self.columns([head] + rows)
    }

    private var queues: String {
        let head = ["PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse", "NextDispatchR"]
        var rows: [[String]] = [head]
        for level in pictures {
            for queue in level.queues {
                rows.append([
                    level.name, "\(queue.queue)", "\(queue.waiting)", "\(queue.running)", "\(queue.seats)", "\(queue.nextStart)",
                ])
            }
        }
        return Self.columns(rows)
    }

    private var requests: String {
        let head = ["PriorityLevelName", "FlowSchemaName", "WaitingRequests", "ExecutingRequests", "SeatsInUse"]
        var rows: [[String]] = [head]
        for level in pictures {
            for (schema, tally) in level.tallies.sorted(by: { $0.key < $1.key }) where tally.running + tally.waiting > 0 {
                rows.append([level.name, schema, "\(tally.waiting)", "\(tally.running)", "\(tally.runningSeats)"])
            }
        }
        return Self.columns(rows)
    }

    private static func columns(_ rows: [[String]]) -> String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in (rows.map { $0[column].count }.max() ?? 0) + 2 }
        var text = ""
        for row in rows {
            for (index, cell) in row.enumerated() {
                text += cell + ","
                if index + 1 < row.count { text += String(repeating: " ", count: max(widths[index] - cell.count - 1, 1)) }
            }
            text += "\n"
        }
        return text
    }
}
