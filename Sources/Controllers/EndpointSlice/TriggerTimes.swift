import APIModel
import APITypes
import Units

/// Remembers per service when its pods and itself last changed, to tell how long a change took to take effect.
public struct TriggerTimes: Sendable {
    private struct Entry: Sendable {
        var service: Timestamp?
        var pods: [String: Timestamp] = [:]
    }

    private var entries: [String: Entry] = [:]

    /// Nothing known.
    public init() {}

    /// The earliest change since the last call for this service; nil when nothing that is timed changed.
    public mutating func lastChange(service: Service, pods: [Pod]) -> Timestamp? {
        let key = service.key
        let known = entries[key]
        var entry = Entry()
        var earliest: Timestamp?
        func note(_ time: Timestamp) { earliest = min(earliest ?? time, time) }
        for pod in pods {
            guard let time = pod.readyCondition?.lastTransitionTime else { continue }
            entry.pods[pod.name] = time
            let before = known?.pods[pod.name]
            if known == nil || before.map({ time > $0 }) ?? true { note(time) }
        }
        entry.service = service.metadata.creationTimestamp
        if let created = entry.service, known?.service.map({ created > $0 }) ?? true { note(created) }
        entries[key] = entry
        return earliest
    }

    /// Forgets a deleted service.
    public mutating func forget(_ key: String) { entries[key] = nil }
}
