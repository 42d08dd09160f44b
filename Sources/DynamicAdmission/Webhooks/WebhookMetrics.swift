import Access
import Synchronization

/// What is counted of webhooks, in upstream's metric names. Guarded by its mutex.
///
/// Source: apiserver admission/metrics/metrics.go.
public final class WebhookMetrics: Sendable {
    fileprivate struct Call: Hashable {
        let name: String
        let operation: String
        let isRejected: Bool
        let type: String
    }

    fileprivate struct Timing {
        var buckets = [UInt64](repeating: 0, count: WebhookMetrics.bounds.count)
        var count: UInt64 = 0
        var seconds = 0.0
    }

    fileprivate struct Counter: Hashable {
        let family: Family
        let labels: String
    }

    /// The counters.
    fileprivate enum Family: String, CaseIterable {
        case requests = "apiserver_admission_webhook_request_total"
        case rejections = "apiserver_admission_webhook_rejection_count"
        case failOpen = "apiserver_admission_webhook_fail_open_count"
        case conditionErrors = "apiserver_admission_match_condition_evaluation_errors_total"
        case exclusions = "apiserver_admission_match_condition_exclusions_total"

        var help: String {
            switch self {
            case .requests: "Calls of admission webhooks by code."
            case .rejections: "Requests refused because of an admission webhook."
            case .failOpen: "Calls of admission webhooks that failed and were ignored."
            case .conditionErrors: "Match conditions that could not be evaluated."
            case .exclusions: "Calls that match conditions spared."
            }
        }
    }

    fileprivate struct State {
        var calls: [Call: Timing] = [:]
        var counters: [Counter: UInt64] = [:]
    }

    /// The buckets of the duration, in seconds.
    fileprivate static let bounds: [Double] = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25]
    /// Names come from users: beyond this many label sets nothing new is counted.
    fileprivate static let maxSeries = 4_096
    private let state = Mutex(State())

    /// Nothing has been counted.
    public init() {}

    /// `admit` or `validating`, as upstream names the phases here.
    enum Phase: String {
        case mutating = "admit"
        case validating
    }

    /// A webhook was called.
    func called(_ name: String, _ phase: Phase, _ operation: AdmissionRequest.Operation, code: Int, isRejected: Bool, took: Duration) {
        let call = Call(name: name, operation: operation.rawValue, isRejected: isRejected, type: phase.rawValue)
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        let labels = [
            ("code", "\(Self.clean(code))"), ("name", name), ("operation", operation.rawValue), ("rejected", "\(isRejected)"),
            ("type", phase.rawValue),
        ]
        state.withLock { state in
            if state.calls[call] != nil || state.calls.count < Self.maxSeries {
                state.calls[call, default: Timing()].add(seconds)
            }
            state.add(.requests, labels)
        }
    }

    /// A request was refused because of a webhook. `kind` is `calling_webhook_error`, `apiserver_internal_error` or `no_error`.
    func refused(_ name: String, _ phase: Phase, _ operation: AdmissionRequest.Operation, kind: String, code: Int) {
        add(
            .rejections,
            [
                ("error_type", kind), ("name", name), ("operation", operation.rawValue), ("rejection_code", "\(Self.clean(code))"),
                ("type", phase.rawValue),
            ]
        )
    }

    /// A webhook could not be called and the request went on.
    func failedOpen(_ name: String, _ phase: Phase) {
        add(.failOpen, [("name", name), ("type", phase.rawValue)])
    }

    /// A match condition could not be evaluated.
    func conditionFailed(_ name: String, _ phase: Phase, _ operation: AdmissionRequest.Operation) {
        add(.conditionErrors, conditionLabels(name, operation, phase.rawValue))
    }

    /// Match conditions spared a webhook the call.
    func conditionExcluded(_ name: String, _ phase: Phase, _ operation: AdmissionRequest.Operation) {
        add(.exclusions, conditionLabels(name, operation, phase == .mutating ? "admit" : "validate"))
    }

    private func conditionLabels(_ name: String, _ operation: AdmissionRequest.Operation, _ type: String) -> [(String, String)] {
        [("kind", "webhook"), ("name", name), ("operation", operation.rawValue), ("type", type)]
    }

    private func add(_ family: Family, _ labels: [(String, String)]) { state.withLock { $0.add(family, labels) } }

    /// Upstream counts all codes from 600 on as one.
    private static func clean(_ code: Int) -> Int { min(code, 600) }

    /// The counts as Prometheus text.
    public func text() -> String {
        let (calls, counters) = state.withLock { ($0.calls, $0.counters) }
        guard !calls.isEmpty || !counters.isEmpty else { return "" }
        let name = "apiserver_admission_webhook_admission_duration_seconds"
        var text = "# HELP \(name) How long calls of admission webhooks took.\n# TYPE \(name) histogram\n"
        for (call, timing) in calls {
            let pairs = [("name", call.name), ("operation", call.operation), ("rejected", "\(call.isRejected)"), ("type", call.type)]
            let labels = Self.labels(pairs)
            var sum: UInt64 = 0
            for (bound, count) in zip(Self.bounds, timing.buckets) {
                sum += count
                let edge = bound == bound.rounded() ? "\(Int(bound))" : "\(bound)"
                text += "\(name)_bucket{\(labels),le=\"\(edge)\"} \(sum)\n"
            }
            text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(timing.count)\n"
            text += "\(name)_sum{\(labels)} \(timing.seconds)\n\(name)_count{\(labels)} \(timing.count)\n"
        }
        for family in Family.allCases {
            let own = counters.filter { $0.key.family == family }
            guard !own.isEmpty else { continue }
            text += "# HELP \(family.rawValue) \(family.help)\n# TYPE \(family.rawValue) counter\n"
            for (counter, count) in own { text += "\(family.rawValue){\(counter.labels)} \(count)\n" }
        }
        return text
    }

    fileprivate static func labels(_ pairs: [(String, String)]) -> String {
        pairs.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x22 || $0 == 0x0a }) else { return text }
        return text.reduce(into: "") { out, character in
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
    }
}

extension WebhookMetrics.State {
    fileprivate mutating func add(_ family: WebhookMetrics.Family, _ labels: [(String, String)]) {
        let counter = WebhookMetrics.Counter(family: family, labels: WebhookMetrics.labels(labels))
        guard counters[counter] != nil || counters.count < WebhookMetrics.maxSeries else { return }
        counters[counter, default: 0] += 1
    }
}

extension WebhookMetrics.Timing {
    fileprivate mutating func add(_ value: Double) {
        count += 1
        seconds += value
        if let bucket = WebhookMetrics.bounds.firstIndex(where: { value <= $0 }) { buckets[bucket] += 1 }
    }
}
