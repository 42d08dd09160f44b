import APIModel
import Synchronization

/// What the server counts, in upstream's metric names. Guarded by its mutex; written once per request.
final class ServerMetrics: Sendable {
    /// The labels of a request.
    struct RequestKey: Hashable, Sendable {
        var verb: String
        var group: String
        var version: String
        var resource: String
        var subresource: String
        var scope: String
    }

    private struct Timing {
        var buckets = [UInt64](repeating: 0, count: ServerMetrics.bounds.count)
        var count: UInt64 = 0
        var sum = 0.0
        var codes: [Int: UInt64] = [:]

        mutating func add(_ code: Int, _ seconds: Double) {
            count += 1
            sum += seconds
            codes[code, default: 0] += 1
            if let bucket = ServerMetrics.bounds.firstIndex(where: { seconds <= $0 }) { buckets[bucket] += 1 }
        }
    }

    private struct State {
        var requests: [RequestKey: Timing] = [:]
        var inFlight = [0, 0]
        var rejected: [Int: UInt64] = [:]
        var longRunning: [RequestKey: Int] = [:]
        var watchEvents: [GroupVersionKind: WatchCounter] = [:]
    }

    /// The buckets of `apiserver_request_duration_seconds`.
    private static let bounds: [Double] = [
        0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
    ]

    private let state = Mutex(State())
    private let others = Mutex<[@Sendable () -> String]>([])

    /// Adds what another component of this process counts, as Prometheus text.
    func add(_ source: @escaping @Sendable () -> String) {
        others.withLock { $0.append(source) }
    }

    /// What other components count.
    func othersText() -> String {
        others.withLock { $0 }.map { $0() }.joined()
    }

    /// Enters a request.
    func enter(isMutating: Bool) {
        state.withLock { $0.inFlight[isMutating ? 1 : 0] += 1 }
    }

    /// A request was turned away because too many were being served.
    func refused(isMutating: Bool) {
        state.withLock { $0.rejected[isMutating ? 1 : 0, default: 0] += 1 }
    }

    /// Leaves a request that was entered.
    func leave(isMutating: Bool) {
        state.withLock { $0.inFlight[isMutating ? 1 : 0] -= 1 }
    }

    /// Notes an answered request.
    func answered(_ key: RequestKey, code: Int, seconds: Double) {
        state.withLock { state in
            state.requests[key, default: Timing()].add(code, seconds)
        }
    }

    /// A watch or stream began; the token ends it.
    func longRunningBegan(_ info: RequestInfo) -> RequestKey {
        let key = RequestKey(info, verb: info.verb.uppercased())
        state.withLock { $0.longRunning[key, default: 0] += 1 }
        return key
    }

    /// Counts a stream from the call to the call of what it returns.
    func lasting(_ info: RequestInfo) -> @Sendable () -> @Sendable () -> Void {
        {
            let key = self.longRunningBegan(info)
            return { self.longRunningEnded(key) }
        }
    }

    /// The end of what `longRunningBegan` counted.
    func longRunningEnded(_ key: RequestKey) {
        state.withLock { $0.longRunning[key, default: 1] -= 1 }
    }

    /// Counts the events of a kind; a watch asks once and then adds without a lock.
    func watchCounter(_ kind: GroupVersionKind) -> WatchCounter {
        state.withLock { state in
            if let known = state.watchEvents[kind] { return known }
            let made = WatchCounter()
            state.watchEvents[kind] = made
            return made
        }
    }

    /// The metrics as Prometheus text.
    func text() -> String {
        let (requests, inFlight, rejected, longRunning, events) = state.withLock {
            ($0.requests, $0.inFlight, $0.rejected, $0.longRunning, $0.watchEvents)
        }
        var out = PrometheusText()
        out.family("apiserver_request_total", "counter", "Requests by verb, resource and status code.")
        for (key, timing) in requests {
            for (code, count) in timing.codes {
                out.sample("apiserver_request_total", key.labels + [("code", "\(code)"), ("dry_run", "")], "\(count)")
            }
        }
        out.family("apiserver_request_duration_seconds", "histogram", "How long requests took.")
        for (key, timing) in requests { Self.histogram(key, timing, &out) }
        out.family("apiserver_current_inflight_requests", "gauge", "Requests being served.")
        for (slot, kind) in ["readOnly", "mutating"].enumerated() {
            out.sample("apiserver_current_inflight_requests", [("request_kind", kind)], "\(inFlight[slot])")
        }
        out.family("apiserver_dropped_requests_total", "counter", "Requests refused because too many were being served.")
        for (slot, kind) in ["readOnly", "mutating"].enumerated() {
            out.sample("apiserver_dropped_requests_total", [("request_kind", kind)], "\(rejected[slot] ?? 0)")
        }
        out.family("apiserver_longrunning_requests", "gauge", "Watches and streams being served.")
        for (key, count) in longRunning where count > 0 {
            out.sample("apiserver_longrunning_requests", key.labels, "\(count)")
        }
        out.family("apiserver_watch_events_total", "counter", "Events sent to watchers.")
        for (kind, sent) in events { out.sample("apiserver_watch_events_total", kind.labels, "\(sent.count.load(ordering: .relaxed))") }
        out.family("apiserver_watch_events_sizes_sum", "counter", "Bytes of the events sent to watchers.")
        for (kind, sent) in events { out.sample("apiserver_watch_events_sizes_sum", kind.labels, "\(sent.bytes.load(ordering: .relaxed))") }
        return out.text
    }

    private static func histogram(_ key: RequestKey, _ timing: Timing, _ out: inout PrometheusText) {
        let name = "apiserver_request_duration_seconds"
        var sum: UInt64 = 0
        for (bound, count) in zip(bounds, timing.buckets) {
            sum += count
            out.sample(name + "_bucket", key.labels + [("le", PrometheusText.number(bound))], "\(sum)")
        }
        out.sample(name + "_bucket", key.labels + [("le", "+Inf")], "\(timing.count)")
        out.sample(name + "_sum", key.labels, "\(timing.sum)")
        out.sample(name + "_count", key.labels, "\(timing.count)")
    }
}

/// What watchers of one kind were sent.
final class WatchCounter: Sendable {
    let count = Atomic<UInt64>(0)
    let bytes = Atomic<UInt64>(0)

    func add(bytes size: Int) {
        count.add(1, ordering: .relaxed)
        bytes.add(UInt64(size), ordering: .relaxed)
    }
}

extension ServerMetrics.RequestKey {
    /// The route template of a request: no names, no namespaces.
    init(_ info: RequestInfo, verb: String) {
        self.verb = verb
        group = info.group
        version = info.version
        resource = info.isResource ? info.resource : ""
        subresource = info.subresource
        scope = info.isResource ? (!info.name.isEmpty ? "resource" : info.namespace.isEmpty ? "cluster" : "namespace") : ""
    }

    var labels: [(String, String)] {
        [
            ("component", "apiserver"), ("group", group), ("resource", resource), ("scope", scope),
            ("subresource", subresource), ("verb", verb), ("version", version),
        ]
    }
}

extension GroupVersionKind {
    fileprivate var labels: [(String, String)] { [("group", group), ("kind", kind), ("version", version)] }
}

/// Builds Prometheus text.
struct PrometheusText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    static func number(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        guard text.contains(where: { $0 == "\\" || $0 == "\"" || $0 == "\n" }) else { return text }
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
        return out
    }
}
