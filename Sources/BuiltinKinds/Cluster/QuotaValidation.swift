import PodKinds
import Schema
import Units
import Values

/// What is wrong with quotas and limit ranges.
enum QuotaValidation {
    private static let standard: Set<String> = [
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
        "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers",
    ]
    private static let scopes: Set<String> = [
        "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "VolumeAttributesClass",
        "CrossNamespacePodAffinity",
    ]
    private static let compute: Set<String> = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
    private static let onlyExists: Set<String> = [
        "BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity",
    ]
    private static let existsWords =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
        + "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
        + "ResourceQuotaScopeCrossNamespacePodAffinity"

    /// A quota's spec.
    static func quota(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let hard = spec.members("hard")
        amounts(hard, path.child("hard"), &issues)
        let given = spec.texts("scopes")
        let place = path.child("scopes")
        for scope in given {
            if !scopes.contains(scope) { issues.invalid(place, spec["scopes"], "unsupported scope") }
            for (name, _) in hard where !fits(scope, name) {
                issues.invalid(place, spec["scopes"], "unsupported scope applied to resource")
            }
        }
        conflicts(given, place, spec["scopes"], &issues)
        if let selector = spec["scopeSelector"] { scopeSelector(selector, hard, spec, path.child("scopeSelector"), &issues) }
    }

    /// The status of a quota.
    static func quotaStatus(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        for list in ["hard", "used"] {
            amounts(object["status"]?.members(list) ?? [:], FieldPath("status").child(list), &issues)
        }
    }

    /// What an update of a quota may not change.
    static func quotaUpdate(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        let (new, before) = (object["spec"]?.texts("scopes") ?? [], old["spec"]?.texts("scopes") ?? [])
        if Set(new) != Set(before) { issues.invalid(FieldPath("spec").child("scopes"), object["spec"]?["scopes"], "field is immutable") }
    }

    private static func amounts(_ list: JSONObject, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (name, value) in list {
            let place = path.key(name)
            ResourceValidation.resourceName(name, place, &issues)
            if !name.contains("/"), !standard.contains(name), !ResourceValidation.isQuotaHugePages(name) {
                issues.invalid(place, .string(name), "must be a standard resource for quota")
            }
            if let quantity = Quantity.of(value) { ResourceValidation.amount(name, quantity, place, &issues) }
        }
    }

    private static func fits(_ scope: String, _ name: String) -> Bool {
        guard standard.contains(name) || ResourceValidation.isQuotaHugePages(name) else { return true }
        switch scope {
        case "Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity":
            return name == "pods" || compute.contains(name)
        case "BestEffort": return name == "pods"
        case "VolumeAttributesClass": return ["persistentvolumeclaims", "requests.storage"].contains(name)
        default: return true
        }
    }

    private static func conflicts(_ given: [String], _ path: FieldPath, _ value: JSONValue?, _ issues: inout [FieldIssue]) {
        for pair in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
            if given.contains(pair.0), given.contains(pair.1) { issues.append(.invalid(path, value, as: "[s", "conflicting scopes")) }
        }
    }

    private static func scopeSelector(
        _ selector: JSONValue,
        _ hard: JSONObject,
        _ spec: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        let place = path.child("matchExpressions")
        let expressions = selector.list("matchExpressions")
        for expression in expressions {
            let (scope, op) = (expression.text("scopeName"), expression.text("operator"))
            let values = expression.list("values")
            if !scopes.contains(scope) { issues.invalid(place.child("scopeName"), .string(scope), "unsupported scope") }
            for (name, _) in hard where !fits(scope, name) {
                // The value is all of the selector, wherever it is said.
                issues.append(.invalid(place, selector, as: "core.ScopeSelector", "unsupported scope applied to resource"))
            }
            if onlyExists.contains(scope), op != "Exists" { issues.invalid(place.child("operator"), .string(op), existsWords) }
            switch op {
            case "In", "NotIn":
                if values.isEmpty {
                    issues.required(
                        place.child("values"),
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                    )
                }
            case "Exists", "DoesNotExist":
                if !values.isEmpty {
                    let words = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                    issues.invalid(place.child("values"), expression["values"], words)
                }
            default: issues.invalid(place.child("operator"), .string(op), "not a valid selector operator")
            }
        }
        conflicts(expressions.map { $0.text("scopeName") }, place, spec["scopes"], &issues)
    }
}

/// What is wrong with limit ranges.
enum LimitRangeValidation {
    /// A container's defaults come from its bounds.
    static func complete(_ object: inout JSONValue) {
        guard var limits = object["spec"]?["limits"]?.array else { return }
        for index in limits.indices where limits[index].text("type") == "Container" {
            var (own, request) = (limits[index].members("default"), limits[index].members("defaultRequest"))
            for (name, value) in limits[index].members("max") where own[name] == nil { own[name] = value }
            for (name, value) in own where request[name] == nil { request[name] = value }
            for (name, value) in limits[index].members("min") where request[name] == nil { request[name] = value }
            if !own.isEmpty { limits[index]["default"] = .object(own) }
            if !request.isEmpty { limits[index]["defaultRequest"] = .object(request) }
        }
        object.set(.array(limits), at: ["spec", "limits"])
    }

    static func check(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        var types: Set<String> = []
        for (index, limit) in (object["spec"]?.list("limits") ?? []).enumerated() {
            let place = FieldPath("spec").child("limits").index(index)
            let type = limit.text("type")
            if !SelectorValidation.isQualifiedName(type) {
                issues.qualifiedName(type, place.child("type"))
            } else if !type.contains("/"), !["Pod", "Container", "PersistentVolumeClaim"].contains(type) {
                issues.invalid(place.child("type"), .string(type), "must be a standard limit type or fully qualified")
            }
            if !types.insert(type).inserted { issues.append(.duplicate(place.child("type"), .string(type))) }
            entry(limit, type, place, &issues)
        }
    }

    private static func entry(_ limit: JSONValue, _ type: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        for list in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            let amounts = limit.members(list)
            if type == "Pod", list.hasPrefix("default") {
                if !amounts.isEmpty { issues.forbidden(path.child(list), "may not be specified when `type` is 'Pod'") }
                continue
            }
            for (name, _) in amounts {
                let place = path.child(list).key(name)
                if type == "Container" || type == "Pod" {
                    ResourceValidation.containerResourceName(name, place, &issues)
                } else {
                    ResourceValidation.resourceName(name, place, &issues)
                }
                names.insert(name)
            }
        }
        if type == "PersistentVolumeClaim", limit["min"]?["storage"] == nil, limit["max"]?["storage"] == nil {
            issues.required(path.child("limits"), "either minimum or maximum storage value is required, but neither was provided")
        }
        for name in names.sorted() { compare(name, limit, path, &issues) }
    }

    private static func compare(_ name: String, _ limit: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let amount = { (list: String) in limit[list]?.quantity(name) }
        let (low, high) = (amount("min"), amount("max"))
        let (own, request) = (amount("default"), amount("defaultRequest"))
        func refuse(_ list: String, _ value: Quantity, _ words: String) {
            issues.invalid(path.child(list).key(name), .string(value.description), words)
        }
        if let low, let high, low > high { refuse("min", low, "min value \(low) is greater than max value \(high)") }
        if let request, let low, low > request {
            refuse("defaultRequest", request, "min value \(low) is greater than default request value \(request)")
        }
        if let request, let high, request > high {
            refuse("defaultRequest", request, "default request value \(request) is greater than max value \(high)")
        }
        if let request, let own, request > own {
            refuse("defaultRequest", request, "default request value \(request) is greater than default limit value \(own)")
        }
        if let own, let low, low > own { refuse("default", low, "min value \(low) is greater than default value \(own)") }
        if let own, let high, own > high { refuse("default", high, "default value \(own) is greater than max value \(high)") }
        guard let ratio = amount("maxLimitRequestRatio") else { return }
        if ratio < Quantity(value: 1) { refuse("maxLimitRequestRatio", ratio, "ratio \(ratio) is less than 1") }
        guard let low, let high, !low.isZero else { return }
        let bound = high.approximateDouble / low.approximateDouble
        if ratio.approximateDouble > bound {
            let shown = String(Int64((bound * 1e6).rounded()))
            let padded = String(repeating: "0", count: max(0, 7 - shown.count)) + shown
            let text = "\(padded.dropLast(6)).\(padded.suffix(6))"
            refuse("maxLimitRequestRatio", ratio, "ratio \(ratio) is greater than max/min = \(text)")
        }
    }
}
