import APIModel
import Schema
import Units
import Values

/// The behaviour of pods.
struct PodHooks: KindHooks {
    func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec"], isPod: true)
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        var status: JSONValue = ["phase": "Pending", "qosClass": .string(QualityOfService.of(object["spec"]))]
        if let gates = object.value(at: ["spec", "schedulingGates"])?.array, !gates.isEmpty {
            status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        }
        object["status"] = status
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        Generation.advance(&object, old: old)
    }

    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        // What the pod was admitted with, its deletion included, is not the status writer's to change.
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences"] {
            if let value = old.value(at: ["metadata", field]) {
                object.set(value, at: ["metadata", field])
            } else {
                object.remove(at: ["metadata", field])
            }
        }
        if object.value(at: ["status", "qosClass"]) == nil, let known = old.value(at: ["status", "qosClass"]) {
            object.set(known, at: ["status", "qosClass"])
        }
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        PodSpecValidation.issues(object["spec"] ?? [:], at: FieldPath("spec"))
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        PodUpdateValidation.issues(object, old: old)
    }

    /// A pod that is on no node, or has ended, goes at once; others get their grace period.
    func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64? {
        var period = requested ?? object.value(at: ["spec", "terminationGracePeriodSeconds"])?.int ?? 30
        if object.value(at: ["spec", "nodeName"])?.string?.isEmpty ?? true { period = 0 }
        if ["Failed", "Succeeded"].contains(object.value(at: ["status", "phase"])?.string) { period = 0 }
        return max(0, period)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        PodCells(object, now: now).row
    }
}

/// The quality-of-service class, which decides who goes first when a node runs short.
enum QualityOfService {
    /// The class of a pod spec.
    static func of(_ spec: JSONValue?) -> String {
        let containers = (spec?["containers"]?.array ?? []) + (spec?["initContainers"]?.array ?? [])
        var isBestEffort = true
        var isGuaranteed = true
        for container in containers {
            for resource in ["cpu", "memory"] {
                let request = amount(container, "requests", resource)
                let limit = amount(container, "limits", resource)
                if request != nil || limit != nil { isBestEffort = false }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        if isBestEffort { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    private static func amount(_ container: JSONValue, _ list: String, _ resource: String) -> Quantity? {
        guard let text = container.value(at: ["resources", list, resource])?.string, let quantity = Quantity(text),
            quantity > .zero
        else { return nil }
        return quantity
    }
}
