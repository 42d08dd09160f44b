import PodKinds
import Schema
import Units
import Values

/// What is wrong with claims of devices.
///
/// Source: pkg/apis/resource/validation.
struct DeviceClaimValidation {
    private let devices: JSONValue
    /// The names of the requests, each with those of its alternatives.
    private let names: [String: Set<String>]

    private static let mostRequests = 32
    private static let mostConstraints = 32
    private static let mostConfigurations = 32
    private static let mostAlternatives = 8
    private static let mostConsumers = 256
    private static let mostResults = 32
    private static let mostConditions = 8
    private static let mostAddresses = 16
    private static let longestInterface = 256
    private static let longestHardware = 128
    private static let longestData = 10 * 1024

    /// Prepares to check a claim's spec.
    init(_ spec: JSONValue) {
        devices = spec["devices"] ?? [:]
        var names: [String: Set<String>] = [:]
        for request in devices.list("requests") {
            names[request.text("name")] = Set(request.list("firstAvailable").map { $0.text("name") })
        }
        self.names = names
    }

    /// The spec at `path`.
    func check(at path: FieldPath, _ issues: inout [FieldIssue]) {
        let path = path.child("devices")
        let byName = { (item: JSONValue) in item["name"] ?? "" }
        let requests = devices.list("requests")
        DeviceRules.set(requests, most: Self.mostRequests, key: byName, path.child("requests"), &issues) { request, path, issues in
            issues.label(request.text("name"), path.child("name"))
            self.request(request, path, &issues)
        }
        let constraints = devices.list("constraints")
        DeviceRules.each(constraints, most: Self.mostConstraints, path.child("constraints"), &issues, constraint)
        let configurations = devices.list("config")
        DeviceRules.each(configurations, most: Self.mostConfigurations, path.child("config"), &issues) { item, path, issues in
            references(item, path, &issues)
            DeviceRules.configuration(item, isStored: false, path, &issues)
        }
    }

    private func request(_ request: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let alternatives = request.list("firstAvailable")
        let exactly = request["exactly"]
        let words = "exactly one of `exactly` or `firstAvailable` is required"
        switch (exactly, alternatives.isEmpty) {
        case (nil, true): issues.required(path, words)
        case (.some, false): issues.invalid(path, .null, "\(words), but multiple fields are set")
        case (let exactly?, true): one(exactly, path.child("exactly"), &issues)
        case (nil, false):
            let byName = { (item: JSONValue) in item["name"] ?? "" }
            let place = path.child("firstAvailable")
            DeviceRules.set(alternatives, most: Self.mostAlternatives, key: byName, place, &issues) { item, path, issues in
                issues.label(item.text("name"), path.child("name"))
                one(item, path, &issues)
            }
        }
    }

    private func one(_ request: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let className = request.text("deviceClassName")
        if className.isEmpty {
            issues.required(path.child("deviceClassName"))
        } else {
            issues.subdomain(className, path.child("deviceClassName"))
        }
        DeviceRules.selectors(request.list("selectors"), isStored: false, path.child("selectors"), &issues)
        let (mode, count) = (request.text("allocationMode"), request.number("count"))
        switch mode {
        case "All":
            if count != 0 {
                let words = "must not be specified when allocationMode is 'All'"
                issues.invalid(path.child("count"), .integer(count), words)
            }
        case "ExactCount": issues.positive(count, path.child("count"))
        default: issues.oneOf(mode, ["All", "ExactCount"], path.child("allocationMode"))
        }
        for (index, item) in request.list("tolerations").enumerated() {
            DeviceRules.toleration(item, path.child("tolerations").index(index), &issues)
        }
    }

    private func constraint(_ constraint: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        references(constraint, path, &issues)
        if let name = constraint["matchAttribute"]?.string {
            DeviceRules.fullName(name, path.child("matchAttribute"), &issues)
        } else if let name = constraint["distinctAttribute"]?.string {
            DeviceRules.fullName(name, path.child("distinctAttribute"), &issues)
        } else {
            let words =
                "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set"
            issues.required(path, words)
        }
    }

    /// References of a constraint or configuration to requests.
    private func references(_ item: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let list = item.list("requests")
        DeviceRules.set(list, most: Self.mostRequests, key: { $0 }, path.child("requests"), &issues) { name, path, issues in
            reference(name.string ?? "", path, &issues)
        }
    }

    private func reference(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let words = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
        if parts.count > 2 { return issues.invalid(path, .string(name), words) }
        for part in parts { issues.label(part, path) }
        guard let alternatives = names[parts[0]], parts.count == 1 || alternatives.contains(parts[1]) else {
            return issues.invalid(path, .string(name), words)
        }
    }

    // MARK: Status

    /// A changed status.
    func status(_ object: JSONValue, old: JSONValue, _ issues: inout [FieldIssue]) {
        let (status, before, path) = (object["status"] ?? [:], old["status"] ?? [:], FieldPath("status"))
        let reserved = status.list("reservedFor")
        let place = path.child("reservedFor")
        let byIdentifier = { (item: JSONValue) in item["uid"] ?? "" }
        DeviceRules.set(reserved, most: Self.mostConsumers, key: byIdentifier, place, &issues) { consumer, path, issues in
            for field in ["resource", "name", "uid"] { issues.need(consumer.text(field), path.child(field)) }
        }
        let allocated = Set((status["allocation"]?["devices"]?.list("results") ?? []).map(Self.identity))
        DeviceRules.set(
            status.list("devices"),
            most: nil,
            key: { .string(Self.shownIdentity($0)) },
            path.child("devices"),
            showsKey: true,
            &issues
        ) { device, path, issues in
            self.device(device, allocated, path, &issues)
        }
        if !reserved.isEmpty {
            if status["allocation"] == nil {
                issues.forbidden(place, "may not be specified when `allocated` is not set")
            } else if object["metadata"]?["deletionTimestamp"] != nil, !Set(reserved).isSubset(of: before.list("reservedFor")) {
                let words = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
                issues.forbidden(place, words)
            }
        }
        if let allocation = status["allocation"] {
            if let known = before["allocation"] {
                issues.immutable(allocation, known, path.child("allocation"))
            } else {
                self.allocation(allocation, path.child("allocation"), &issues)
            }
        }
    }

    /// The devices of the status go with their allocation.
    static func dropDeallocated(_ object: inout JSONValue, _ old: JSONValue?) {
        guard let devices = object["status"]?["devices"]?.array else { return }
        let results = { (claim: JSONValue?) in
            Set((claim?["status"]?["allocation"]?["devices"]?.list("results") ?? []).map(identity))
        }
        let gone = results(old).subtracting(results(object))
        let kept = devices.filter { !gone.contains(identity($0)) }
        if kept.isEmpty { object.remove(at: ["status", "devices"]) } else { object.set(.array(kept), at: ["status", "devices"]) }
    }

    private static func identity(_ item: JSONValue) -> String {
        let name = "\(item.text("driver"))/\(item.text("pool"))/\(item.text("device"))"
        let share = item.text("shareID")
        return share.isEmpty ? name : "\(name)/\(share)"
    }

    /// The device's identity as messages show it, not the status of the device that stands there.
    private static func shownIdentity(_ device: JSONValue) -> String {
        let parts = [("Driver", "driver"), ("Pool", "pool"), ("Device", "device"), ("ShareID", "shareID")].map { name, field in
            "\"\(name)\":" + String(decoding: JSONValue.string(device.text(field)).encoded(), as: UTF8.self)
        }
        return "{\(parts.joined(separator: ","))}"
    }

    private func allocation(_ allocation: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let devices = allocation["devices"] ?? [:]
        let place = path.child("devices")
        DeviceRules.each(devices.list("results"), most: Self.mostResults, place.child("results"), &issues) { item, path, issues in
            reference(item.text("request"), path.child("request"), &issues)
            DeviceRules.driver(item.text("driver"), path.child("driver"), &issues)
            DeviceRules.pool(item.text("pool"), path.child("pool"), &issues)
            issues.label(item.text("device"), path.child("device"))
            DeviceRules.bindingConditions(item, path, &issues)
            if let share = item["shareID"]?.string { DeviceRules.identifier(share, path.child("shareID"), &issues) }
        }
        let most = 2 * Self.mostConfigurations
        DeviceRules.each(devices.list("config"), most: most, place.child("config"), &issues) { item, path, issues in
            issues.choice(item.text("source"), ["FromClaim", "FromClass"], path.child("source"))
            references(item, path, &issues)
            DeviceRules.configuration(item, isStored: false, path, &issues)
        }
        if let selector = allocation["nodeSelector"] {
            SelectorValidation.nodeSelector(selector, path.child("nodeSelector"), &issues)
        }
    }

    private func device(_ device: JSONValue, _ allocated: Set<String>, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        DeviceRules.driver(device.text("driver"), path.child("driver"), &issues)
        DeviceRules.pool(device.text("pool"), path.child("pool"), &issues)
        issues.label(device.text("device"), path.child("device"))
        if let share = device["shareID"]?.string { DeviceRules.identifier(share, path.child("shareID"), &issues) }
        let identity = Self.identity(device)
        if !allocated.contains(identity) {
            let shown = Self.shownIdentity(device)
            issues.append(.init(kind: .invalid, path: path, shownValue: shown, detail: "must be an allocated device in the claim"))
        }
        let conditions = device.list("conditions")
        let place = path.child("conditions")
        if conditions.count > Self.mostConditions {
            issues.append(.tooMany(place, actual: conditions.count, maximum: Self.mostConditions))
        }
        ConditionValidation.check(conditions, place, &issues)
        if let data = device["data"] { DeviceRules.raw(data, limit: Self.longestData, path.child("data"), &issues) }
        if let network = device["networkData"] { self.network(network, path.child("networkData"), &issues) }
    }

    private func network(_ data: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (field, limit) in [("interfaceName", Self.longestInterface), ("hardwareAddress", Self.longestHardware)]
        where data.text(field).utf8.count > limit {
            issues.append(.tooLong(path.child(field), maximum: limit))
        }
        DeviceRules.set(data.list("ips"), most: Self.mostAddresses, key: { $0 }, path.child("ips"), &issues) { address, path, issues in
            let text = address.string ?? ""
            let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2, let own = IPAddress(parts[0]), let network = CIDR(text) else {
                let words = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
                return issues.invalid(path, address, words)
            }
            let canonical = "\(own)/\(network.prefixLength)"
            if text != canonical { issues.invalid(path, address, "must be in canonical form (\(GoQuote.quote(canonical)))") }
        }
    }
}
