import PodKinds
import Units
import Values

/// Metrics of autoscalers as v1 knows them in annotations, and as v2 does in fields.
///
/// Texts have their members in the order of upstream's types: who compares annotations sees no difference.
enum AutoscalerMetric {
    // MARK: To v2

    /// What a metric is to be.
    static func targetOfV2(_ metric: JSONValue) -> JSONValue {
        converted(metric) { type, source in
            switch type {
            case "object":
                let average = source["averageValue"]
                let value = source["targetValue"] ?? "0"
                var target: JSONValue = ["type": average == nil ? "Value" : "AverageValue"]
                if average == nil || Quantity.of(value)?.isZero == false { target["value"] = value }
                target["averageValue"] = average
                return ["describedObject": source["target"] ?? [:], "metric": identifier(source, "selector"), "target": target]
            case "pods":
                let target: JSONValue = ["type": "AverageValue", "averageValue": source["targetAverageValue"] ?? "0"]
                return ["metric": identifier(source, "selector"), "target": target]
            case "external":
                var target: JSONValue = ["type": source["targetValue"] == nil ? "AverageValue" : "Value"]
                target["value"] = source["targetValue"]
                target["averageValue"] = source["targetAverageValue"]
                return ["metric": identifier(source, "metricSelector"), "target": target]
            default:
                let utilization = source["targetAverageUtilization"]
                var target: JSONValue = ["type": utilization == nil ? "AverageValue" : "Utilization"]
                target["averageUtilization"] = utilization
                target["averageValue"] = source["targetAverageValue"]
                return resource(source, "target", target)
            }
        }
    }

    /// What a metric is.
    static func statusOfV2(_ metric: JSONValue) -> JSONValue {
        converted(metric) { type, source in
            var current: JSONValue = [:]
            switch type {
            case "object":
                current["value"] = source["currentValue"] ?? "0"
                current["averageValue"] = source["averageValue"]
                return ["describedObject": source["target"] ?? [:], "metric": identifier(source, "selector"), "current": current]
            case "pods":
                current["averageValue"] = source["currentAverageValue"] ?? "0"
                return ["metric": identifier(source, "selector"), "current": current]
            case "external":
                current["value"] = source["currentValue"] ?? "0"
                current["averageValue"] = source["currentAverageValue"]
                return ["metric": identifier(source, "metricSelector"), "current": current]
            default:
                current["averageUtilization"] = source["currentAverageUtilization"]
                current["averageValue"] = source["currentAverageValue"] ?? "0"
                return resource(source, "current", current)
            }
        }
    }

    private static let types = ["object", "pods", "resource", "containerResource", "external"]

    private static func converted(_ metric: JSONValue, _ convert: (String, JSONValue) -> JSONValue) -> JSONValue {
        var result: JSONValue = ["type": metric["type"] ?? ""]
        for type in types { result[type] = metric[type].map { convert(type, $0) } }
        return result
    }

    private static func identifier(_ source: JSONValue, _ selector: String) -> JSONValue {
        var identifier: JSONValue = ["name": source["metricName"] ?? ""]
        identifier["selector"] = source[selector]
        return identifier
    }

    private static func resource(_ source: JSONValue, _ field: String, _ value: JSONValue) -> JSONValue {
        var result: JSONValue = ["name": source["name"] ?? ""]
        result["container"] = source["container"]
        result[field] = value
        return result
    }

    /// The behaviour, which upstream writes with the names of its internal fields.
    static func behaviorOfV2(_ behavior: JSONValue) -> JSONValue? {
        guard case .object(let members)? = lowered(behavior), !members.isEmpty else { return nil }
        return .object(members)
    }

    private static func lowered(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .null: return nil
        case .array(let list): return .array(list.compactMap(lowered))
        case .object(let object):
            var result = JSONObject()
            for (key, item) in object { result[key.prefix(1).lowercased() + key.dropFirst()] = lowered(item) }
            return .object(result)
        default: return value
        }
    }

    // MARK: To v1

    /// A metric as a v1 annotation has it.
    static func targetText(_ metric: JSONValue) -> String {
        text(metric) { type, source in
            let target = source["target"]
            switch type {
            case "object":
                return [
                    ("target", reference(source["describedObject"])), ("metricName", name(source)),
                    ("targetValue", plain(target?["value"] ?? "0")), ("selector", selector(source)),
                    ("averageValue", plain(target?["averageValue"])),
                ]
            case "pods":
                return [
                    ("metricName", name(source)), ("targetAverageValue", plain(target?["averageValue"] ?? "0")),
                    ("selector", selector(source)),
                ]
            case "external":
                return [
                    ("metricName", name(source)), ("metricSelector", selector(source)), ("targetValue", plain(target?["value"])),
                    ("targetAverageValue", plain(target?["averageValue"])),
                ]
            default:
                return [
                    ("name", plain(source["name"] ?? "")), ("targetAverageUtilization", plain(target?["averageUtilization"])),
                    ("targetAverageValue", plain(target?["averageValue"])), ("container", plain(source["container"])),
                ]
            }
        }
    }

    /// A metric's state as a v1 annotation has it.
    static func statusText(_ metric: JSONValue) -> String {
        text(metric) { type, source in
            let current = source["current"]
            switch type {
            case "object":
                return [
                    ("target", reference(source["describedObject"])), ("metricName", name(source)),
                    ("currentValue", plain(current?["value"] ?? "0")), ("selector", selector(source)),
                    ("averageValue", plain(current?["averageValue"])),
                ]
            case "pods":
                return [
                    ("metricName", name(source)), ("currentAverageValue", plain(current?["averageValue"] ?? "0")),
                    ("selector", selector(source)),
                ]
            case "external":
                return [
                    ("metricName", name(source)), ("metricSelector", selector(source)),
                    ("currentValue", plain(current?["value"] ?? "0")), ("currentAverageValue", plain(current?["averageValue"])),
                ]
            default:
                return [
                    ("name", plain(source["name"] ?? "")), ("currentAverageUtilization", plain(current?["averageUtilization"])),
                    ("currentAverageValue", plain(current?["averageValue"] ?? "0")), ("container", plain(source["container"])),
                ]
            }
        }
    }

    /// A condition as a v1 annotation has it.
    static func conditionText(_ condition: JSONValue) -> String {
        let optional = { (field: String) in condition.text(field).isEmpty ? nil : plain(condition[field]) }
        return object([
            ("type", plain(condition["type"] ?? "")), ("status", plain(condition["status"] ?? "")),
            ("lastTransitionTime", plain(condition["lastTransitionTime"] ?? .null)), ("reason", optional("reason")),
            ("message", optional("message")),
        ])
    }

    /// The behaviour as a v1 annotation has it: with nulls, and internal names.
    static func behaviorText(_ behavior: JSONValue) -> String {
        object([("ScaleUp", rules(behavior["scaleUp"])), ("ScaleDown", rules(behavior["scaleDown"]))])
    }

    private static func rules(_ rules: JSONValue?) -> String {
        guard let rules else { return "null" }
        let policies = rules["policies"]?.array?.map { policy in
            object([
                ("Type", plain(policy["type"] ?? "")), ("Value", plain(policy["value"] ?? 0)),
                ("PeriodSeconds", plain(policy["periodSeconds"] ?? 0)),
            ])
        }
        return object([
            ("StabilizationWindowSeconds", plain(rules["stabilizationWindowSeconds"] ?? .null)),
            ("SelectPolicy", plain(rules["selectPolicy"] ?? .null)),
            ("Policies", policies.map { "[\($0.joined(separator: ","))]" } ?? "null"),
            ("Tolerance", plain(rules["tolerance"] ?? .null)),
        ])
    }

    private static func text(_ metric: JSONValue, _ members: (String, JSONValue) -> [(String, String?)]) -> String {
        var parts: [(String, String?)] = [("type", plain(metric["type"] ?? ""))]
        for type in types { parts.append((type, metric[type].map { object(members(type, $0)) })) }
        return object(parts)
    }

    private static func reference(_ value: JSONValue?) -> String {
        object([
            ("kind", plain(value?["kind"] ?? "")), ("name", plain(value?["name"] ?? "")), ("apiVersion", plain(value?["apiVersion"])),
        ])
    }

    private static func name(_ source: JSONValue) -> String? { plain(source["metric"]?["name"] ?? "") }

    private static func selector(_ source: JSONValue) -> String? {
        guard let selector = source["metric"]?["selector"] else { return nil }
        let expressions = selector["matchExpressions"]?.array?.map { expression in
            object([
                ("key", plain(expression["key"] ?? "")), ("operator", plain(expression["operator"] ?? "")),
                ("values", plain(expression["values"])),
            ])
        }
        return object([
            ("matchLabels", plain(selector["matchLabels"])),
            ("matchExpressions", expressions.map { "[\($0.joined(separator: ","))]" }),
        ])
    }

    private static func plain(_ value: JSONValue?) -> String? { value?.description }

    private static func object(_ members: [(String, String?)]) -> String {
        "{\(members.compactMap { key, value in value.map { "\"\(key)\":\($0)" } }.joined(separator: ","))}"
    }
}
