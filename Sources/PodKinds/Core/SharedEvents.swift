import APIModel
import Values

/// `events.k8s.io/v1` events are core events with other field names.
package struct SharedEvents: VersionConversion {
    package init() {}

    private static let names = [
        ("regarding", "involvedObject"), ("note", "message"), ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"), ("reportingController", "reportingComponent"),
    ]

    package func toStorage(_ object: JSONValue) -> JSONValue {
        renamed(object, "v1", Self.names)
    }

    package func fromStorage(_ object: JSONValue) -> JSONValue {
        renamed(object, "events.k8s.io/v1", Self.names.map { ($0.1, $0.0) })
    }

    private func renamed(_ object: JSONValue, _ apiVersion: String, _ names: [(String, String)]) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(apiVersion)
        for (from, to) in names {
            guard let value = object[from] else { continue }
            object[from] = nil
            object[to] = value
        }
        return object
    }
}
