import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds about devices.
enum DeviceKinds {
    private static let spec = FieldPath("spec")
    private static let mostConditions = 8
    private static let mostConfigurations = 32

    static let deviceClass = KindRules(
        generation: ["spec"],
        update: { classParts($0["spec"] ?? [:], $1["spec"], &$2) },
        create: { classParts($0["spec"] ?? [:], nil, &$1) },
        row: PlainRows.nameAndAge
    )

    private static func classParts(_ new: JSONValue, _ old: JSONValue?, _ issues: inout [FieldIssue]) {
        let (selectors, configurations) = (new.list("selectors"), new.list("config"))
        let keepsSelectors = old.map { $0.list("selectors") == selectors } ?? false
        DeviceRules.selectors(selectors, isStored: keepsSelectors, spec.child("selectors"), &issues)
        let keepsConfigurations = old.map { $0.list("config") == configurations } ?? false
        DeviceRules.each(configurations, most: mostConfigurations, spec.child("config"), &issues) { item, path, issues in
            DeviceRules.configuration(item, isStored: keepsConfigurations, path, &issues)
        }
        guard let name = new["extendedResourceName"]?.string, !ResourceValidation.isExtended(name) else { return }
        issues.invalid(spec.child("extendedResourceName"), .string(name), "must be a valid extended resource name")
    }

    static let claim = KindRules(
        status: [:],
        update: { object, old, issues in issues.immutable(object["spec"], old["spec"], spec) },
        create: { DeviceClaimValidation($0["spec"] ?? [:]).check(at: spec, &$1) },
        statusUpdate: { DeviceClaimValidation($0["spec"] ?? [:]).status($0, old: $1, &$2) },
        prepareStatus: { object, old, _ in DeviceClaimValidation.dropDeallocated(&object, old) },
        row: PlainRows.resourceClaim
    )

    static let claimTemplate = KindRules(
        check: { object, issues in
            let template = object["spec"] ?? [:]
            TemplateMetadataValidation.check(template["metadata"], spec.child("metadata"), &issues)
            DeviceClaimValidation(template["spec"] ?? [:]).check(at: spec.child("spec"), &issues)
        },
        update: { object, old, issues in issues.immutable(object["spec"], old["spec"], spec) },
        row: PlainRows.nameAndAge
    )

    static let slice = KindRules(
        generation: ["spec"],
        update: { DeviceSliceValidation($0, old: $1).check(&$2) },
        create: { DeviceSliceValidation($0).check(&$1) },
        prepare: { object, old, context in
            dropGated(&object, old)
            stampTaints(&object, context.now)
        },
        row: PlainRows.resourceSlice
    )

    /// Lists as attributes, and mappings to resources of nodes, are behind feature gates that are off.
    private static func dropGated(_ object: inout JSONValue, _ old: JSONValue?) {
        guard var devices = object["spec"]?["devices"]?.array else { return }
        let lists = ["bools", "ints", "strings", "versions"]
        let before = old?["spec"]?.list("devices") ?? []
        let hadLists = before.contains { device in
            device.members("attributes").contains { attribute in lists.contains { attribute.value[$0] != nil } }
        }
        let hadMappings = before.contains { !$0.members("nodeAllocatableResourceMappings").isEmpty }
        for index in devices.indices {
            if !hadMappings { devices[index]["nodeAllocatableResourceMappings"] = nil }
            if hadLists { continue }
            for (name, attribute) in devices[index].members("attributes") {
                for type in lists where attribute[type] != nil { devices[index].remove(at: ["attributes", name, type]) }
            }
        }
        object.set(.array(devices), at: ["spec", "devices"])
    }

    /// A taint without a time is new.
    private static func stampTaints(_ object: inout JSONValue, _ now: Timestamp) {
        guard var devices = object["spec"]?["devices"]?.array, devices.contains(where: { !$0.list("taints").isEmpty }) else { return }
        for index in devices.indices {
            guard var taints = devices[index]["taints"]?.array else { continue }
            for place in taints.indices where taints[place]["timeAdded"]?.string == nil {
                taints[place]["timeAdded"] = .string(now.rfc3339)
            }
            devices[index]["taints"] = .array(taints)
        }
        object.set(.array(devices), at: ["spec", "devices"])
    }

    static let taintRule = KindRules(
        generation: ["spec"],
        status: [:],
        update: { taintRule($0["spec"] ?? [:], $1["spec"], &$2) },
        create: { taintRule($0["spec"] ?? [:], nil, &$1) },
        statusUpdate: { object, _, issues in
            let conditions = object["status"]?.list("conditions") ?? []
            let place = FieldPath("status.conditions")
            ConditionValidation.check(conditions, place, &issues)
            if conditions.count > mostConditions {
                issues.append(.tooMany(place, actual: conditions.count, maximum: mostConditions))
            }
        },
        prepare: { object, old, context in
            if object["spec"]?["taint"] != nil, object["spec"]?["taint"]?["timeAdded"]?.string == nil {
                object.set(.string(context.now.rfc3339), at: ["spec", "taint", "timeAdded"])
            }
            // The time tells since when the effect holds.
            let (taint, before) = (object["spec"]?["taint"] ?? [:], old?["spec"]?["taint"] ?? [:])
            guard old != nil, taint["effect"] != before["effect"], taint["timeAdded"] == before["timeAdded"] else { return }
            object.set(.string(context.now.rfc3339), at: ["spec", "taint", "timeAdded"])
        },
        row: PlainRows.deviceTaint
    )

    private static func taintRule(_ new: JSONValue, _ old: JSONValue?, _ issues: inout [FieldIssue]) {
        let place = spec.child("deviceSelector")
        if let selector = new["deviceSelector"] {
            if let driver = selector["driver"]?.string { DeviceRules.driver(driver, place.child("driver"), &issues) }
            if let pool = selector["pool"]?.string { DeviceRules.pool(pool, place.child("pool"), &issues) }
            if let device = selector["device"]?.string { issues.label(device, place.child("device")) }
        }
        DeviceRules.taint(new["taint"] ?? [:], old: old?["taint"], spec.child("taint"), &issues)
    }

    static let poolStatus = KindRules(
        update: { object, old, issues in
            if object["spec"] != old["spec"] { issues.invalid(spec, .null, "field is immutable") }
        },
        create: { object, issues in
            let own = object["spec"] ?? [:]
            let driver = own.text("driver")
            if driver.isEmpty { issues.required(spec.child("driver")) } else { issues.subdomain(driver.lowercased(), spec.child("driver")) }
            if let pool = own["poolName"]?.string { DeviceRules.pool(pool, spec.child("poolName"), &issues) }
            if let limit = own["limit"]?.int {
                if limit < 1 { issues.invalid(spec.child("limit"), .integer(limit), "must be greater than or equal to 1") }
                if limit > 1000 { issues.invalid(spec.child("limit"), .integer(limit), "must be less than or equal to 1000") }
            }
        },
        statusUpdate: { object, old, issues in
            if let before = old["status"] { return issues.immutable(object["status"], before, FieldPath("status")) }
            guard let status = object["status"] else { return }
            if status["poolCount"]?.int == nil { issues.required(FieldPath("status.poolCount")) }
            ConditionValidation.check(status.list("conditions"), FieldPath("status.conditions"), &issues)
        },
        row: PlainRows.poolStatus
    )
}
