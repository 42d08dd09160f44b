import PodKinds
import Schema
import Units
import Values

/// What is wrong with what drivers publish about their devices.
///
/// Source: pkg/apis/resource/validation.
struct DeviceSliceValidation {
    private let spec: JSONValue
    private let old: JSONValue?
    private let path = FieldPath("spec")

    private static let mostDevices = 128
    private static let mostDevicesWithMore = 64
    private static let mostCounterSets = 8
    private static let mostCounters = 32
    private static let mostConsumptions = 2
    private static let mostAttributes = 32
    private static let mostAttributeValues = 48
    private static let mostTaints = 16
    private static let longestKey = DeviceRules.longestDomain + 1 + DeviceRules.longestIdentifier
    private static let longestLabel = 63
    private static let listTypes = ["bools", "ints", "strings", "versions"]

    /// Prepares to check a slice that replaces `old`, or a new one.
    init(_ object: JSONValue, old: JSONValue? = nil) {
        spec = object["spec"] ?? [:]
        self.old = old?["spec"]
    }

    /// Checks the whole slice.
    func check(_ issues: inout [FieldIssue]) {
        DeviceRules.driver(spec.text("driver"), path.child("driver"), &issues)
        pool(&issues)
        if let old {
            let place = path.child("pool", "name")
            issues.immutable(spec["pool"]?["name"], old["pool"]?["name"], place)
            issues.immutable(spec["driver"], old["driver"], path.child("driver"))
            issues.immutable(spec["nodeName"], old["nodeName"], path.child("nodeName"))
        }
        nodes(&issues)
        let devices = spec.list("devices")
        if spec["sharedCounters"] != nil, spec["devices"] != nil {
            issues.invalid(path, "", "only one of `sharedCounters` or `devices` is allowed")
        }
        let byName = { (item: JSONValue) in item["name"] ?? "" }
        let most = devices.contains(where: Self.hasMore) ? Self.mostDevicesWithMore : Self.mostDevices
        DeviceRules.set(devices, most: most, key: byName, path.child("devices"), &issues, device)
        let sets = spec.list("sharedCounters")
        let place = path.child("sharedCounters")
        DeviceRules.set(sets, most: Self.mostCounterSets, key: byName, place, &issues) { set, path, issues in
            counters(set, named: "name", path, &issues)
        }
    }

    private static func hasMore(_ device: JSONValue) -> Bool {
        if !device.list("taints").isEmpty || !device.list("consumesCounters").isEmpty { return true }
        return device.members("attributes").contains { attribute in listTypes.contains { attribute.value[$0] != nil } }
    }

    private func pool(_ issues: inout [FieldIssue]) {
        let (pool, place) = (spec["pool"] ?? [:], path.child("pool"))
        DeviceRules.pool(pool.text("name"), place.child("name"), &issues)
        issues.positive(pool.number("resourceSliceCount"), place.child("resourceSliceCount"))
        let generation = pool.number("generation")
        if generation < 0 {
            issues.invalid(place.child("generation"), .integer(generation), "must be greater than or equal to zero")
        }
    }

    private func nodes(_ issues: inout [FieldIssue]) {
        var given: [String] = []
        if let name = spec["nodeName"]?.string {
            if name.isEmpty {
                issues.invalid(path.child("nodeName"), "", "must be either unset or set to a non-empty string")
            } else {
                given.append("`nodeName`")
                issues.subdomain(name, path.child("nodeName"))
            }
        }
        if let selector = spec["nodeSelector"] {
            given.append("`nodeSelector`")
            let place = path.child("nodeSelector")
            SelectorValidation.nodeSelector(selector, place, &issues)
            if selector.list("nodeSelectorTerms").count != 1 {
                let terms = selector["nodeSelectorTerms"]
                issues.invalid(place.child("nodeSelectorTerms"), terms, "must have exactly one node selector term")
            }
        }
        for field in ["allNodes", "perDeviceNodeSelection"] {
            guard let flag = spec[field]?.bool else { continue }
            if flag { given.append("`\(field)`") } else { issues.invalid(path.child(field), false, "must be either unset or set to true") }
        }
        let words = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
        if given.isEmpty {
            issues.required(path, words)
        } else if given.count > 1 {
            issues.invalid(path, .string("{\(given.joined(separator: ", "))}"), "\(words), but multiple fields are set")
        }
    }

    private func counters(_ set: JSONValue, named field: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let name = set.text(field)
        if name.isEmpty { issues.required(path.child(field)) } else { issues.label(name, path.child(field)) }
        let counters = set.members("counters")
        let place = path.child("counters")
        if counters.isEmpty { return issues.required(place) }
        if counters.count > Self.mostCounters {
            return issues.append(.tooMany(place, actual: counters.count, maximum: Self.mostCounters))
        }
        for (key, _) in counters { issues.label(key, place) }
    }

    // MARK: Devices

    private func device(_ device: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.label(device.text("name"), path.child("name"))
        let (attributes, capacity) = (device.members("attributes"), device.members("capacity"))
        let count = attributes.count + capacity.count
        if count > Self.mostAttributes {
            let words = "the total number of attributes and capacities must not exceed \(Self.mostAttributes)"
            issues.invalid(path, .integer(Int64(count)), words)
        }
        valueCount(attributes, path, &issues)
        for (name, attribute) in attributes {
            let place = path.child("attributes")
            DeviceRules.qualifiedName(name, place, &issues)
            self.attribute(attribute, place.key(DeviceRules.shown(name, limit: Self.longestKey)), &issues)
        }
        for (name, amount) in capacity {
            let place = path.child("capacity")
            DeviceRules.qualifiedName(name, place, &issues)
            let own = place.key(DeviceRules.shown(name, limit: Self.longestKey)).child("requestPolicy")
            guard let policy = amount["requestPolicy"] else { continue }
            if device.flag("allowMultipleAllocations") {
                RequestPolicyValidation(policy, capacity: amount.quantity("value") ?? .zero).check(own, &issues)
            } else {
                issues.forbidden(own, "allowMultipleAllocations must be true")
            }
        }
        let before = old?.list("devices").first { $0["name"] == device["name"] }
        if before == nil || before?.list("taints") != device.list("taints") {
            let place = path.child("taints")
            DeviceRules.each(device.list("taints"), most: Self.mostTaints, place, &issues) { DeviceRules.taint($0, $1, &$2) }
        }
        let bySet = { (item: JSONValue) in item["counterSet"] ?? "" }
        let consumptions = device.list("consumesCounters")
        let place = path.child("consumesCounters")
        DeviceRules.set(consumptions, most: Self.mostConsumptions, key: bySet, place, &issues) { item, path, issues in
            counters(item, named: "counterSet", path, &issues)
        }
        nodes(of: device, path, &issues)
        DeviceRules.bindingConditions(device, path, &issues)
    }

    private func valueCount(_ attributes: JSONObject, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var count = 0
        for (_, attribute) in attributes {
            let listed = Self.listTypes.reduce(0) { $0 + attribute.list($1).count }
            count += max(1, listed)
        }
        if count > Self.mostAttributeValues {
            let words = "the total number of attribute values must not exceed \(Self.mostAttributeValues)"
            issues.invalid(path, .integer(Int64(count)), words)
        }
    }

    private func attribute(_ attribute: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let text = attribute["string"]?.string { Self.text(text, path.child("string"), &issues) }
        if let text = attribute["version"]?.string { Self.version(text, path.child("version"), &issues) }
        for type in Self.listTypes {
            guard let list = attribute[type]?.array else { continue }
            if list.isEmpty { issues.invalid(path.child(type), [], "must not be empty if specified") }
            for (index, item) in list.enumerated() {
                let place = path.child(type).index(index)
                if type == "strings" { Self.text(item.string ?? "", place, &issues) }
                if type == "versions" { Self.version(item.string ?? "", place, &issues) }
            }
        }
        let given = (["bool", "int", "string", "version"] + Self.listTypes).count { attribute[$0] != nil }
        if given != 1 { issues.invalid(path, given == 0 ? "" : attribute, "exactly one value must be specified") }
    }

    private static func text(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if text.utf8.count > 64 { issues.append(.tooLong(path, maximum: 64)) }
    }

    private static func version(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if SemanticVersion(text) == nil {
            issues.invalid(path, .string(text), "must be a string compatible with semver.org spec 2.0.0")
        }
        self.text(text, path, &issues)
    }

    private func nodes(of device: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let fields = ["nodeName", "nodeSelector", "allNodes"]
        guard spec.flag("perDeviceNodeSelection") else {
            if fields.contains(where: { device[$0] != nil }) {
                let words =
                    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
                issues.invalid(path, .null, words)
            }
            return
        }
        var given: [String] = []
        if let name = device["nodeName"]?.string {
            if name.isEmpty {
                issues.invalid(path.child("nodeName"), "", "must not be empty")
            } else {
                given.append("`nodeName`")
                issues.subdomain(name, path.child("nodeName"))
            }
        }
        if let selector = device["nodeSelector"] {
            given.append("`nodeSelector`")
            SelectorValidation.nodeSelector(selector, path.child("nodeSelector"), &issues)
        }
        if let flag = device["allNodes"]?.bool {
            if flag {
                given.append("`allNodes`")
            } else {
                issues.invalid(path.child("allNodes"), false, "must be either unset or set to true")
            }
        }
        let words =
            "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
        if given.isEmpty {
            issues.required(path, words)
        } else if given.count > 1 {
            issues.invalid(path, .string("{\(given.joined(separator: ", "))}"), words)
        }
    }
}

/// What is wrong with the amounts of a capacity that may be asked for.
struct RequestPolicyValidation {
    private let policy: JSONValue
    private let capacity: Quantity
    private let own: Quantity?

    private static let mostValues = 10

    init(_ policy: JSONValue, capacity: Quantity) {
        self.policy = policy
        self.capacity = capacity
        own = policy.quantity("default")
    }

    func check(_ path: FieldPath, _ issues: inout [FieldIssue]) {
        let values = policy.list("validValues")
        let range = policy["validRange"]
        if !values.isEmpty, range != nil {
            let words = "exactly one policy can be specified, cannot specify \"validValues\" and \"validRange\" at the same time"
            return issues.forbidden(path, words)
        }
        if values.isEmpty, range == nil { return }
        guard let own else {
            let field = values.isEmpty ? "validRange" : "validValues"
            return issues.required(path.child("default"), "required when \(field) is defined")
        }
        if let range {
            self.range(range, own, path.child("validRange"), &issues)
        } else {
            self.values(values.compactMap(Quantity.of), own, path.child("validValues"), &issues)
        }
    }

    private func values(_ values: [Quantity], _ own: Quantity, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for index in values.indices.dropFirst() where values[index - 1] > values[index] {
            issues.invalid(path.index(index), .string(values[index].description), "values must be sorted in ascending order")
        }
        var isKnown = false
        let most = Self.mostValues
        if values.count > most {
            issues.append(.tooMany(path, actual: values.count, maximum: most))
        } else {
            var seen: Set<Int64> = []
            for (index, value) in values.enumerated() where value > capacity {
                let words = "option is larger than capacity value: \(capacity)"
                issues.invalid(path.index(index), .string(value.description), words)
            }
            isKnown = values.contains { !($0 < own) && !(own < $0) }
            for (index, value) in values.enumerated() where !seen.insert(value.value).inserted {
                issues.append(.duplicate(path.index(index), .string("\(value.value)")))
            }
        }
        if !isKnown {
            issues.invalid(path, .string(own.description), "default value is not valid according to the requestPolicy")
        }
    }

    private func range(_ range: JSONValue, _ own: Quantity, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let low = range.quantity("min") else { return issues.required(path.child("min"), "required when validRange is defined") }
        func refuse(_ field: String, _ value: Quantity, _ words: String) {
            issues.invalid(path.child(field), .string(value.description), words)
        }
        if low > capacity { refuse("min", low, "min is larger than capacity value: \(capacity)") }
        if own < low { refuse("min", own, "default is less than min: \(low)") }
        let high = range.quantity("max")
        if let high {
            if low > high { refuse("max", low, "min is larger than max: \(high)") }
            if high > capacity { refuse("max", high, "max is larger than capacity value: \(capacity)") }
            if own > high { refuse("max", own, "default is more than max: \(high)") }
        }
        guard let step = range.quantity("step") else { return }
        let (sum, isTooLarge) = low.value.addingReportingOverflow(step.value)
        if isTooLarge || Quantity(value: sum) > capacity {
            refuse("step", step, "one step \(isTooLarge ? low : Quantity(value: sum)) is larger than capacity value: \(capacity)")
        }
        for value in [own] + (high.map { [$0] } ?? []) {
            // A step of nothing divides nothing.
            let (distance, isFar) = value.value.subtractingReportingOverflow(low.value)
            if step.value != 0, !isFar, distance % step.value == 0 { continue }
            refuse("step", value, "value is not a multiple of a given step (\(step)) from (\(low))")
        }
    }
}
