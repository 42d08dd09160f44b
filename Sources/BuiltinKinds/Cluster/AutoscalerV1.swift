import APIModel
import Values

/// `autoscaling/v1` autoscalers: the CPU target is a field of its own, everything else hides in annotations.
struct AutoscalerV1: VersionConversion {
    /// The stored `apiVersion`, `autoscaling/v2`.
    let stored: String
    private static let metricsKey = "autoscaling.alpha.kubernetes.io/metrics"
    private static let behaviorKey = "autoscaling.alpha.kubernetes.io/behavior"

    func toStorage(_ object: JSONValue) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(stored)
        var metrics = annotation(&object, Self.metricsKey)?.array ?? []
        if let behavior = annotation(&object, Self.behaviorKey) { object.set(behavior, at: ["spec", "behavior"]) }
        if let target = object.value(at: ["spec", "targetCPUUtilizationPercentage"])?.int {
            let resource: JSONValue = ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": .integer(target)]]
            metrics.insert(["type": "Resource", "resource": resource], at: 0)
        }
        object.remove(at: ["spec", "targetCPUUtilizationPercentage"])
        if !metrics.isEmpty { object.set(.array(metrics), at: ["spec", "metrics"]) }
        if let current = object.value(at: ["status", "currentCPUUtilizationPercentage"])?.int {
            let resource: JSONValue = ["name": "cpu", "current": ["averageUtilization": .integer(current)]]
            object.set([["type": "Resource", "resource": resource]], at: ["status", "currentMetrics"])
            object.remove(at: ["status", "currentCPUUtilizationPercentage"])
        }
        return object
    }

    func fromStorage(_ object: JSONValue) -> JSONValue {
        var object = object
        object["apiVersion"] = "autoscaling/v1"
        var rest: [JSONValue] = []
        for metric in object.value(at: ["spec", "metrics"])?.array ?? [] {
            if let target = Self.cpu(metric)?.value(at: ["target", "averageUtilization"]),
                object.value(at: ["spec", "targetCPUUtilizationPercentage"]) == nil
            {
                object.set(target, at: ["spec", "targetCPUUtilizationPercentage"])
            } else {
                rest.append(metric)
            }
        }
        object.remove(at: ["spec", "metrics"])
        if !rest.isEmpty { annotate(&object, Self.metricsKey, .array(rest)) }
        if let behavior = object.value(at: ["spec", "behavior"]) {
            annotate(&object, Self.behaviorKey, behavior)
            object.remove(at: ["spec", "behavior"])
        }
        for metric in object.value(at: ["status", "currentMetrics"])?.array ?? [] {
            guard let current = Self.cpu(metric)?.value(at: ["current", "averageUtilization"]) else { continue }
            object.set(current, at: ["status", "currentCPUUtilizationPercentage"])
        }
        object.remove(at: ["status", "currentMetrics"])
        object.remove(at: ["status", "conditions"])
        return object
    }

    private static func cpu(_ metric: JSONValue) -> JSONValue? {
        guard metric["type"]?.string == "Resource", metric["resource"]?["name"]?.string == "cpu" else { return nil }
        return metric["resource"]
    }

    private func annotation(_ object: inout JSONValue, _ key: String) -> JSONValue? {
        guard let text = object.value(at: ["metadata", "annotations", key])?.string else { return nil }
        object.remove(at: ["metadata", "annotations", key])
        return try? JSONParser.parse(text)
    }

    private func annotate(_ object: inout JSONValue, _ key: String, _ value: JSONValue) {
        object.set(.string(value.description), at: ["metadata", "annotations", key])
    }
}
