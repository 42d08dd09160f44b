import Schema
import Values

/// `autoscaling/v2beta1`: a metric's name, selector and target stood side by side; today they are two objects.
extension LegacyShape {
    private static let behaviorKey = "autoscaling.alpha.kubernetes.io/behavior"

    static let autoscalerV2Beta1 = LegacyShape(
        edit: SchemaEdit(below: [
            "spec": SchemaEdit(removed: ["behavior"], below: ["metrics": metricSchema(target: true)]),
            "status": SchemaEdit(below: ["currentMetrics": metricSchema(target: false)]),
        ]),
        up: { object in
            if let text = object.takeAnnotation(behaviorKey), let behavior = try? JSONParser.parse(text) {
                object.set(behavior, at: ["spec", "behavior"])
            }
            object.forEach(at: ["spec", "metrics"]) { OldMetric.toToday(&$0, isTarget: true) }
            object.forEach(at: ["status", "currentMetrics"]) { OldMetric.toToday(&$0, isTarget: false) }
        },
        down: { object in
            if let behavior = object.value(at: ["spec", "behavior"]) {
                object.remove(at: ["spec", "behavior"])
                if !behavior.isNull { object.annotate(behaviorKey, behavior.description) }
            }
            object.forEach(at: ["spec", "metrics"]) { OldMetric.toPast(&$0, isTarget: true) }
            object.forEach(at: ["status", "currentMetrics"]) { OldMetric.toPast(&$0, isTarget: false) }
        }
    )

    private static func metricSchema(target: Bool) -> SchemaEdit {
        let value = target ? "target" : "current"
        var below: [String: SchemaEdit] = [:]
        for (source, fields) in OldMetric.fields(isTarget: target) {
            below[source] = SchemaEdit(
                removed: ["metric", "describedObject", value],
                added: { today in fields.map { OldMetric.field($0, today) } }
            )
        }
        return SchemaEdit(below: below)
    }
}

/// One metric of `autoscaling/v2beta1`.
enum OldMetric {
    /// An old field and where today's version has it.
    struct Field: Sendable {
        let name: String
        let path: [String]
    }

    /// By source, every field that moved.
    static func fields(isTarget: Bool) -> [(source: String, fields: [Field])] {
        let value = isTarget ? "target" : "current"
        let plain = isTarget ? "targetValue" : "currentValue"
        let average = isTarget ? "targetAverageValue" : "currentAverageValue"
        let utilization = isTarget ? "targetAverageUtilization" : "currentAverageUtilization"
        let named = Field(name: "metricName", path: ["metric", "name"])
        let resource = [
            Field(name: utilization, path: [value, "averageUtilization"]), Field(name: average, path: [value, "averageValue"]),
        ]
        let chosen = Field(name: "selector", path: ["metric", "selector"])
        return [
            (
                "object",
                [
                    Field(name: "target", path: ["describedObject"]), named, Field(name: plain, path: [value, "value"]), chosen,
                    Field(name: "averageValue", path: [value, "averageValue"]),
                ]
            ),
            ("pods", [named, Field(name: average, path: [value, "averageValue"]), chosen]),
            ("resource", resource),
            ("containerResource", resource),
            (
                "external",
                [
                    named, Field(name: "metricSelector", path: ["metric", "selector"]), Field(name: plain, path: [value, "value"]),
                    Field(name: average, path: [value, "averageValue"]),
                ]
            ),
        ]
    }

    static func toToday(_ metric: inout JSONValue, isTarget: Bool) {
        for (source, fields) in fields(isTarget: isTarget) {
            guard var old = metric[source], old.object != nil else { continue }
            let taken = fields.compactMap { field in old.take(field.name).map { (field, $0) } }
            for (field, value) in taken { old.set(value, at: field.path) }
            if isTarget { name(&old, plain: taken) }
            metric[source] = old
        }
    }

    /// Today's target says of which type it is.
    private static func name(_ source: inout JSONValue, plain taken: [(Field, JSONValue)]) {
        guard source["target"] != nil || !taken.isEmpty else { return }
        let target = source["target"] ?? [:]
        // An average beside a plain value takes precedence for objects; zero is how the past left the plain one out.
        let type =
            target["averageUtilization"] != nil
            ? "Utilization" : target["averageValue"] != nil ? "AverageValue" : "Value"
        source.set(.string(type), at: ["target", "type"])
        if type != "Value", target["value"] == "0" || target["value"] == 0 { source.remove(at: ["target", "value"]) }
    }

    static func toPast(_ metric: inout JSONValue, isTarget: Bool) {
        for (source, fields) in fields(isTarget: isTarget) {
            guard var today = metric[source], today.object != nil else { continue }
            var old: [(String, JSONValue)] = []
            for field in fields {
                if let value = today.value(at: field.path), !value.isNull { old.append((field.name, value)) }
            }
            for field in fields {
                if let top = field.path.first { today[top] = nil }
            }
            for (name, value) in old { today[name] = value }
            // The plain value was no pointer: without one there was a zero.
            let plain = isTarget ? "targetValue" : "currentValue"
            if source == "object", today[plain] == nil { today[plain] = "0" }
            metric[source] = today
        }
    }

    /// The schema of an old field: the type of what it became.
    static func field(_ field: Field, _ today: SchemaNode) -> SchemaField {
        var node: SchemaNode? = today
        for name in field.path { node = node?.field(name)?.node }
        return .old(field.name, node ?? .anything, "Stands in `\(field.path.joined(separator: "."))` today.")
    }
}
