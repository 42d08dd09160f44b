import APIModel
import PodKinds
import Values

/// `autoscaling/v1` autoscalers: the CPU target is a field of its own; everything else that v2 has hides in annotations,
/// written as upstream writes it.
///
/// Source: pkg/apis/autoscaling/v1/conversion.go.
struct AutoscalerV1: VersionConversion {
    /// The stored `apiVersion`, `autoscaling/v2`.
    let stored: String

    private static let prefix = "autoscaling.alpha.kubernetes.io/"
    private static let metrics = "metrics"
    private static let behavior = "behavior"
    private static let statuses = "current-metrics"
    private static let conditions = "conditions"
    /// What a v2 object never keeps: these annotations stand for fields of it.
    private static let keys = [
        metrics, behavior, statuses, conditions, "scale-down-tolerance", "scale-up-tolerance",
    ]
    private static let usualUtilization: JSONValue = 80

    func toStorage(_ object: JSONValue) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(stored)
        var metrics = (annotation(object, Self.metrics)?.array ?? []).map(AutoscalerMetric.targetOfV2)
        if let target = object.value(at: ["spec", "targetCPUUtilizationPercentage"]), target.int != nil {
            metrics.append(Self.cpuTarget(target))
        }
        object.remove(at: ["spec", "targetCPUUtilizationPercentage"])
        if metrics.isEmpty { metrics = [Self.cpuTarget(Self.usualUtilization)] }
        object.set(.array(metrics), at: ["spec", "metrics"])
        if let behavior = annotation(object, Self.behavior).flatMap(AutoscalerMetric.behaviorOfV2) {
            object.set(behavior, at: ["spec", "behavior"])
        }
        if let statuses = annotation(object, Self.statuses)?.array {
            object.set(.array(statuses.map(AutoscalerMetric.statusOfV2)), at: ["status", "currentMetrics"])
        } else if let current = object.value(at: ["status", "currentCPUUtilizationPercentage"]), current.int != nil {
            let resource: JSONValue = ["name": "cpu", "current": ["averageUtilization": current]]
            object.set([["type": "Resource", "resource": resource]], at: ["status", "currentMetrics"])
        }
        object.remove(at: ["status", "currentCPUUtilizationPercentage"])
        if let conditions = annotation(object, Self.conditions)?.array {
            object.set(.array(conditions), at: ["status", "conditions"])
        }
        dropAnnotations(&object)
        if object["status"]?["currentReplicas"] == .integer(0) { object.remove(at: ["status", "currentReplicas"]) }
        return object
    }

    func fromStorage(_ object: JSONValue) -> JSONValue {
        var object = object
        object["apiVersion"] = "autoscaling/v1"
        dropAnnotations(&object)
        let metrics = object.value(at: ["spec", "metrics"])?.array ?? []
        if let target = metrics.compactMap(Self.utilization).first {
            object.set(target, at: ["spec", "targetCPUUtilizationPercentage"])
        }
        let others = metrics.filter { Self.utilization($0) == nil }
        annotate(&object, Self.metrics, others.map(AutoscalerMetric.targetText))
        object.remove(at: ["spec", "metrics"])
        let statuses = object.value(at: ["status", "currentMetrics"])?.array ?? []
        for status in statuses where status["type"] == "Resource" && status["resource"]?["name"] == "cpu" {
            guard let current = status["resource"]?["current"]?["averageUtilization"] else { continue }
            object.set(current, at: ["status", "currentCPUUtilizationPercentage"])
        }
        annotate(&object, Self.statuses, statuses.map(AutoscalerMetric.statusText))
        object.remove(at: ["status", "currentMetrics"])
        if let behavior = object.value(at: ["spec", "behavior"]) {
            object.set(.string(AutoscalerMetric.behaviorText(behavior)), at: Self.path(Self.behavior))
            object.remove(at: ["spec", "behavior"])
        }
        let conditions = object.value(at: ["status", "conditions"])?.array ?? []
        annotate(&object, Self.conditions, conditions.map(AutoscalerMetric.conditionText))
        object.remove(at: ["status", "conditions"])
        // v1 always shows the count, v2 never shows none.
        if object["status"] != nil, object["status"]?["currentReplicas"] == nil { object.set(0, at: ["status", "currentReplicas"]) }
        return object
    }

    private static func cpuTarget(_ utilization: JSONValue) -> JSONValue {
        ["type": "Resource", "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": utilization]]]
    }

    /// The CPU utilization a metric asks for: what v1 has a field for.
    private static func utilization(_ metric: JSONValue) -> JSONValue? {
        guard metric["type"] == "Resource", metric["resource"]?["name"] == "cpu" else { return nil }
        return metric["resource"]?["target"]?["averageUtilization"]
    }

    private static func path(_ key: String) -> [String] { ["metadata", "annotations", prefix + key] }

    private func annotation(_ object: JSONValue, _ key: String) -> JSONValue? {
        guard let text = object.value(at: Self.path(key))?.string else { return nil }
        return try? JSONParser.parse(text)
    }

    private func annotate(_ object: inout JSONValue, _ key: String, _ texts: [String]) {
        if texts.isEmpty { return }
        object.set(.string("[\(texts.joined(separator: ","))]"), at: Self.path(key))
    }

    private func dropAnnotations(_ object: inout JSONValue) {
        guard object["metadata"]?["annotations"] != nil else { return }
        for key in Self.keys { object.remove(at: Self.path(key)) }
    }
}
