/// What a plugin answers.
package enum StatusCode: Sendable, Hashable {
    /// The pod may go on.
    case success
    /// Something went wrong that is nobody's requirement; the pod is tried again.
    case error
    /// Not now; removing other pods could help.
    case unschedulable
    /// Not as things are; removing other pods does not help.
    case unschedulableAndUnresolvable
    /// The permit plugin lets the pod wait.
    case wait
    /// The plugin has nothing to do with the pod.
    case skip
    /// The pod waits for something outside the cluster's objects.
    case pending
}

/// An answer with its reasons and who gave it.
package struct Status: Sendable, Hashable {
    package var code: StatusCode
    package var reasons: [String]
    package var plugin: String

    /// An answer.
    package init(_ code: StatusCode, _ reasons: [String] = [], plugin: String = "") {
        self.code = code
        self.reasons = reasons
        self.plugin = plugin
    }

    /// The pod may go on.
    package static let success = Status(.success)

    /// One reason why not.
    package static func unschedulable(_ reason: String, _ plugin: String) -> Status {
        Status(.unschedulable, [reason], plugin: plugin)
    }

    /// One reason why not, which no other pod's removal changes.
    package static func unresolvable(_ reason: String, _ plugin: String) -> Status {
        Status(.unschedulableAndUnresolvable, [reason], plugin: plugin)
    }

    package var isSuccess: Bool { code == .success }
    /// A verdict on the pod, as opposed to a failure.
    package var isRejected: Bool { code == .unschedulable || code == .unschedulableAndUnresolvable || code == .pending }
    /// The reasons in one line.
    package var message: String { reasons.joined(separator: ", ") }
}

/// Why a pod fits on no node, with the words kubectl users know.
package struct FitError: Sendable, Hashable {
    package var nodeCount: Int
    /// The answers of nodes that were asked, by name.
    package var statuses: [String: Status] = [:]
    /// The answer that stands for all nodes not in `statuses`.
    package var absentStatus = Status(.unschedulableAndUnresolvable)
    package var preFilterMessage = ""
    package var postFilterMessage = ""
    /// Who said no; changes they care about bring the pod back.
    package var rejectors: Set<String> = []

    init(nodeCount: Int) {
        self.nodeCount = nodeCount
    }

    /// The status of a node.
    func status(of node: String) -> Status { statuses[node] ?? absentStatus }

    /// `0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: …`
    package var message: String {
        var text = "0/\(nodeCount) nodes are available:"
        if !preFilterMessage.isEmpty {
            text += " \(preFilterMessage)."
        } else {
            let reasons = histogram().map { "\($0.value) \($0.key)" }.sorted()
            if !reasons.isEmpty { text += " \(reasons.joined(separator: ", "))." }
        }
        if !postFilterMessage.isEmpty { text += " \(postFilterMessage)" }
        return text
    }

    private func histogram() -> [String: Int] {
        var counts: [String: Int] = [:]
        for status in statuses.values {
            for reason in status.reasons { counts[reason, default: 0] += 1 }
        }
        if statuses.count < nodeCount {
            for reason in absentStatus.reasons { counts[reason, default: 0] += nodeCount - statuses.count }
        }
        return counts
    }
}
