import APIModel
import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds by which API servers keep themselves.
enum ServerKinds {
    static let apiService = KindRules(
        name: .pathSegment,
        complete: { object in
            guard object["spec"]?["service"] != nil, object["spec"]?["service"]?["port"] == nil else { return }
            object.set(443, at: ["spec", "service", "port"])
        },
        status: [:],
        check: { apiService($0, &$1) },
        statusUpdate: { object, _, issues in
            for (index, condition) in (object["status"]?.list("conditions") ?? []).enumerated() {
                let place = FieldPath("status.conditions").index(index).child("status")
                issues.oneOf(condition.text("status"), ["True", "False", "Unknown"], place)
            }
        },
        prepare: { object, old, _ in
            // A local service is always there; whether another one is shows later.
            guard old == nil, object["spec"]?["service"] == nil else { return }
            object["status"] = [
                "conditions": [
                    [
                        "type": "Available", "status": "True", "reason": "Local", "message": "Local APIServices are always available",
                        "lastTransitionTime": object["metadata"]?["creationTimestamp"] ?? .null,
                    ]
                ]
            ]
        },
        row: PlainRows.apiService
    )

    /// The aggregator prints its own kind: the table of upstream's columns does not have it.
    static let apiServiceColumns = [
        ColumnDefinition(name: "Name", type: "string", format: "name"),
        ColumnDefinition(name: "Service", type: "string", description: "The service that serves this version, or Local."),
        ColumnDefinition(name: "Available", type: "string", description: "Whether the version is served now."),
        ColumnDefinition(name: "Age", type: "string"),
    ]

    private static func apiService(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        let (group, version, name) = (spec.text("group"), spec.text("version"), object["metadata"]?.text("name") ?? "")
        let wanted = "\(version).\(group)"
        if !name.isEmpty, Names.pathSegmentIssues(name).isEmpty, name != wanted {
            let words = "must be `spec.version+\".\"+spec.group`: \(GoQuote.quote(wanted))"
            issues.invalid(FieldPath("metadata.name"), .string(name), words)
        }
        if group.isEmpty, version != "v1" {
            issues.required(path.child("group"), "only v1 may have an empty group and it better be legacy kube")
        }
        if !group.isEmpty { issues.subdomain(group, path.child("group")) }
        issues.add(Names.dns1035LabelIssues(version), path.child("version"), version)
        for (field, most) in [("groupPriorityMinimum", Int64(20000)), ("versionPriority", 1000)] {
            let value = spec.number(field)
            if value <= 0 || value > most {
                issues.invalid(path.child(field), .integer(value), "must be positive and less than \(most)")
            }
        }
        let (bundle, isInsecure) = (spec.text("caBundle"), spec.flag("insecureSkipTLSVerify"))
        guard let service = spec["service"] else {
            if !bundle.isEmpty {
                let size = Base64.decode(bundle)?.count ?? bundle.utf8.count
                issues.invalid(path.child("caBundle"), .string("\(size) bytes"), "local APIServices may not have a caBundle")
            }
            if isInsecure {
                issues.invalid(path.child("insecureSkipTLSVerify"), true, "local APIServices may not have insecureSkipTLSVerify")
            }
            return
        }
        let place = path.child("service")
        issues.need(service.text("namespace"), place.child("namespace"))
        issues.need(service.text("name"), place.child("name"))
        let port = service["port"]?.int ?? 443
        let problems = Names.portNumberIssues(port)
        if !problems.isEmpty {
            issues.invalid(place.child("port"), .integer(port), "port is not valid: \(problems.joined(separator: ", "))")
        }
        if isInsecure, !bundle.isEmpty {
            issues.invalid(path.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present")
        }
    }

    // MARK: Leases

    static let leaseCandidate = KindRules(
        name: .configMapKey,
        check: { leaseCandidate($0["spec"] ?? [:], FieldPath("spec"), &$1) },
        update: { object, old, issues in
            issues.immutable(object["spec"]?["leaseName"], old["spec"]?["leaseName"], FieldPath("spec.leaseName"))
        },
        row: PlainRows.leaseCandidate
    )

    private static func leaseCandidate(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.need(spec.text("leaseName"), path.child("leaseName"))
        let (emulated, binary, strategy) = (spec.text("emulationVersion"), spec.text("binaryVersion"), spec.text("strategy"))
        let (lower, upper) = (SemanticVersion(emulated), SemanticVersion(binary))
        let words = "must be a valid semantic version"
        if !emulated.isEmpty, lower == nil { issues.invalid(path.child("emulationVersion"), .string(emulated), words) }
        if binary.isEmpty {
            issues.required(path.child("binaryVersion"))
        } else if upper == nil {
            issues.invalid(path.child("binaryVersion"), .string(binary), words)
        }
        if let lower, lower > upper ?? SemanticVersion("0.0.0") ?? lower, !binary.isEmpty {
            issues.invalid(path.child("binaryVersion"), .string(binary), "must be greater than or equal to `emulationVersion`")
        }
        if strategy.isEmpty { return issues.required(path.child("strategy")) }
        if strategy == "OldestEmulationVersion", lower?.isZero ?? true {
            let words = "must be specified when `strategy` is 'OldestEmulationVersion'"
            issues.required(path.child("emulationVersion"), words)
        }
        leaseStrategy(strategy, path.child("strategy"), &issues)
    }

    /// How the holder of a lease is chosen: one of ours, or one with somebody's prefix.
    static func leaseStrategy(_ strategy: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        // The last step of the path stands there twice, as upstream has it.
        if strategy.contains("/") { return issues.qualifiedName(strategy, path.child("strategy")) }
        issues.oneOf(strategy, ["OldestEmulationVersion"], path.child("strategy"))
    }

    // MARK: Storage versions

    static let storageVersion = KindRules(
        name: .groupAndResource,
        status: [:],
        checksUpdates: false,
        statusUpdate: { object, _, issues in storageStatus(object["status"] ?? [:], FieldPath("status"), &issues) },
        row: PlainRows.storageVersion
    )

    private static func storageStatus(_ status: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var servers: Set<String> = []
        let versions = status.list("storageVersions")
        for (index, version) in versions.enumerated() {
            let place = path.child("storageVersions").index(index)
            let server = version.text("apiServerID")
            if !servers.insert(server).inserted { issues.append(.duplicate(place.child("apiServerID"), .string(server))) }
            serverVersions(version, place, &issues)
        }
        commonVersion(versions.map { $0.text("encodingVersion") }, status["commonEncodingVersion"]?.string, path, &issues)
        var types: [String: Int] = [:]
        for (index, condition) in status.list("conditions").enumerated() {
            let place = path.index(index)
            let type = condition.text("type")
            if let first = types[type] {
                let words = "the type of the condition is not unique, it also appears in conditions[\(first)]"
                issues.invalid(place.child("type"), .string(type), words)
            }
            types[type] = index
            issues.qualifiedName(type, place.child("type"))
            issues.qualifiedName(condition.text("status"), place.child("status"))
            issues.need(condition.text("reason"), place.child("reason"))
            issues.need(condition.text("message"), place.child("message"))
        }
    }

    private static func serverVersions(_ version: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.subdomain(version.text("apiServerID"), path.child("apiServerID"))
        let (encoding, decodable) = (version.text("encodingVersion"), version.texts("decodableVersions"))
        apiVersion(encoding, path.child("encodingVersion"), &issues)
        for (index, text) in decodable.enumerated() { apiVersion(text, path.child("decodableVersions").index(index), &issues) }
        if !decodable.contains(encoding) {
            let words = "decodableVersions must include encodingVersion \(encoding)"
            issues.invalid(path.child("decodableVersions"), version["decodableVersions"], words)
        }
        for (index, text) in version.texts("servedVersions").enumerated() {
            let place = path.child("servedVersions").index(index)
            apiVersion(text, place, &issues)
            if decodable.contains(text) { continue }
            let list = "[\(decodable.joined(separator: " "))]"
            let words = "individual served version : \(text) must be included in decodableVersions : \(list)"
            issues.invalid(place, .string(text), words)
        }
    }

    private static func commonVersion(_ versions: [String], _ given: String?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let common = Set(versions).count == 1 ? versions.first : nil
        let place = path.child("commonEncodingVersion")
        switch (common, given) {
        case (nil, let given?):
            let words =
                "should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet"
            issues.invalid(place, .string(given), words)
        case (let common?, nil): issues.invalid(place, .null, "the common encoding version is \(common)")
        case (let common?, let given?) where common != given:
            issues.invalid(place, .string(given), "the actual common encoding version is \(common)")
        default: break
        }
    }

    private static func apiVersion(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var problems: [String] = []
        if parts.count > 2 {
            problems = [
                "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"
            ]
        } else {
            if parts.count == 2 {
                let group = parts[0].isEmpty ? ["must be non-empty"] : Names.dns1123SubdomainIssues(parts[0])
                problems += group.map { "group part: \($0)" }
            }
            let version = parts.last ?? ""
            problems += (version.isEmpty ? ["must be non-empty"] : Names.dns1035LabelIssues(version)).map { "version part: \($0)" }
        }
        if !problems.isEmpty { issues.invalid(path, .string(text), problems.joined(separator: ",")) }
    }

    // MARK: Storage version migrations

    static let storageMigration = KindRules(
        status: [:],
        check: { object, issues in
            let resource = object["spec"]?["resource"] ?? [:]
            let path = FieldPath("spec.resource")
            let (name, group) = (resource.text("resource"), resource.text("group"))
            if name.isEmpty {
                issues.required(path.child("resource"), "resource is required to be set")
            } else {
                let problems = Names.dns1035LabelIssues(name)
                if !problems.isEmpty { issues.invalid(path.child("resource"), .string(name), problems.joined(separator: ",")) }
            }
            if group.isEmpty { return }
            let problems = Names.dns1123SubdomainIssues(group)
            if !problems.isEmpty { issues.invalid(path.child("group"), .string(group), problems.joined(separator: ",")) }
        },
        update: { object, old, issues in issues.immutable(object["spec"], old["spec"], FieldPath("spec")) },
        statusUpdate: { migrationStatus($0["status"] ?? [:], $1["status"] ?? [:], &$2) },
        row: PlainRows.storageMigration
    )

    private static func migrationStatus(_ status: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("status")
        let (version, before) = (status.text("resourceVersion"), old.text("resourceVersion"))
        if !version.isEmpty, let problem = versionProblem(version) {
            issues.invalid(path.child("resourceVersion"), .string(version), problem)
        }
        ConditionValidation.check(status.list("conditions"), path.child("conditions"), &issues)
        if !before.isEmpty, before != version {
            issues.invalid(path.child("resourceVersion"), .string(version), "field is immutable")
        }
        let holds = { (status: JSONValue, type: String) in
            status.list("conditions").first { $0.text("type") == type }?.text("status") == "True"
        }
        let conditions = status["conditions"]
        if holds(status, "Succeeded"), holds(status, "Failed") {
            let words = "Both success and failed conditions cannot be true at the same time"
            issues.invalid(path.child("conditions"), conditions, words)
        }
        for (type, word) in [("Succeeded", "Success"), ("Failed", "Failed")] where holds(old, type) && !holds(status, type) {
            let words = "\(word) condition cannot be set to false once it is true"
            issues.invalid(path.child("conditions"), conditions, words)
        }
    }

    private static func versionProblem(_ text: String) -> String? {
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), text.utf8.first != UInt8(ascii: "0") {
            return nil
        }
        return "resource version is not well formed: \(text)"
    }
}
