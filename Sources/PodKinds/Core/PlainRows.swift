import Units
import Values

/// Rows of the kinds that have no other behaviour than to be shown.
package enum PlainRows {
    package static func nameAndAge(_ row: TableRow) -> [JSONValue] { [row.name, row.age] }

    package static func componentStatus(_ row: TableRow) -> [JSONValue] {
        let healthy = row.object.list("conditions").first { $0.text("type") == "Healthy" }
        let status: JSONValue = healthy == nil ? "Unknown" : healthy?.text("status") == "True" ? "Healthy" : "Unhealthy"
        return [row.name, status, healthy?["message"] ?? "", healthy?["error"] ?? ""]
    }

    /// Webhook configurations: how many there are.
    package static func webhooks(_ row: TableRow) -> [JSONValue] { [row.name, row.count("webhooks"), row.age] }

    /// Admission policies: how many validations or mutations, and what they take parameters from.
    package static func policy(_ list: String) -> @Sendable (TableRow) -> [JSONValue] {
        { row in
            let kind = row.spec["paramKind"].map { "\($0.text("apiVersion"))/\($0.text("kind"))" }
            return [row.name, .integer(Int64(row.spec.list(list).count)), .string(kind ?? "<unset>"), row.age]
        }
    }

    package static func policyBinding(_ row: TableRow) -> [JSONValue] {
        var parameter = "<unset>"
        if let reference = row.spec["paramRef"] {
            let (namespace, name) = (reference.text("namespace"), reference.text("name"))
            if !name.isEmpty {
                parameter = "\(namespace.isEmpty ? "*" : namespace)/\(name)"
            } else if let selector = reference["selector"] {
                parameter = Cells.selector(selector)
            }
        }
        return [row.name, row.spec["policyName"] ?? "", .string(parameter), row.age]
    }

    package static func trustBundle(_ row: TableRow) -> [JSONValue] { [row.name, row.text(row.spec["signerName"], "<none>")] }

    package static func podCertificateRequest(_ row: TableRow) -> [JSONValue] {
        let state = row.status.list("conditions").last { ["Issued", "Denied", "Failed"].contains($0.text("type")) }?.text("type")
        let fields = ["podName", "serviceAccountName", "nodeName", "signerName"].map { row.spec[$0] ?? "" }
        return [row.name] + fields + [.string(state ?? "Pending"), .string(Cells.labels(row.spec["unverifiedUserAnnotations"]))]
    }

    package static func ipAddress(_ row: TableRow) -> [JSONValue] {
        guard let parent = row.spec["parentRef"] else { return [row.name, "<none>"] }
        let group = parent.text("group")
        var text = (group.isEmpty ? parent.text("resource") : "\(parent.text("resource")).\(group)").lowercased()
        if !parent.text("namespace").isEmpty { text += "/\(parent.text("namespace"))" }
        return [row.name, .string("\(text)/\(parent.text("name"))")]
    }

    package static func serviceCIDR(_ row: TableRow) -> [JSONValue] {
        [row.name, .string(row.spec.texts("cidrs").joined(separator: ",")), row.age]
    }

    package static func leaseCandidate(_ row: TableRow) -> [JSONValue] {
        [row.name] + ["leaseName", "binaryVersion", "emulationVersion"].map { row.spec[$0] ?? "" } + [row.age]
    }

    package static func podGroup(_ row: TableRow) -> [JSONValue] {
        let policy: JSONValue = row.spec["schedulingPolicy"]?["gang"] == nil ? "Basic" : "Gang"
        var status: JSONValue = "Pending"
        if let scheduled = row.condition("PodGroupScheduled") {
            status = scheduled.text("status") == "True" ? "Scheduled" : "Unschedulable"
        }
        if let disruption = row.condition("DisruptionTarget") { status = disruption["reason"] ?? "" }
        let workload = row.spec["podGroupTemplateRef"]?["workload"]?["workloadName"]
        return [row.name, policy, workload ?? "<none>", status, row.age]
    }

    /// Where a flow schema's row has its precedence: lists of them are shown in the order in which they are tried.
    package static let precedenceCell = 2

    package static func flowSchema(_ row: TableRow) -> [JSONValue] {
        let method = row.spec["distinguisherMethod"]?["type"] ?? "<none>"
        return [
            row.name, row.spec["priorityLevelConfiguration"]?["name"] ?? "", .integer(row.spec.number("matchingPrecedence")), method,
            row.age,
            row.condition("Dangling")?["status"] ?? "?",
        ]
    }

    package static func priorityLevel(_ row: TableRow) -> [JSONValue] {
        let limited = row.spec["limited"]
        let queuing = limited?["limitResponse"]?["queuing"]
        return [row.name, row.spec["type"] ?? "", limited?["nominalConcurrencyShares"] ?? "<none>"]
            + ["queues", "handSize", "queueLengthLimit"].map { queuing?[$0] ?? "<none>" } + [row.age]
    }

    package static func storageVersion(_ row: TableRow) -> [JSONValue] {
        let versions = row.status.list("storageVersions").map { "\($0.text("apiServerID"))=\($0.text("encodingVersion"))" }
        return [row.name, row.status["commonEncodingVersion"] ?? "<unset>", .string(Cells.limited(versions, "<unset>")), row.age]
    }

    package static func storageMigration(_ row: TableRow) -> [JSONValue] {
        let resource = row.spec["resource"] ?? [:]
        let group = resource.text("group")
        let text = group.isEmpty ? resource.text("resource") : "\(resource.text("resource")).\(group)"
        let state = row.status.list("conditions").last {
            $0.text("status") == "True" && ["Running", "Failed", "Succeeded"].contains($0.text("type"))
        }
        return [row.name, .string(text), state?["type"] ?? "Unknown"]
    }

    package static func resourceClaim(_ row: TableRow) -> [JSONValue] {
        let isDeleted = row.object["metadata"]?["deletionTimestamp"] != nil
        var states = isDeleted ? ["deleted"] : []
        if row.status["allocation"] == nil {
            if !isDeleted { states.append("pending") }
        } else {
            states.append("allocated")
            if !row.status.list("reservedFor").isEmpty { states.append("reserved") }
        }
        return [row.name, .string(states.joined(separator: ",")), row.age]
    }

    package static func resourceSlice(_ row: TableRow) -> [JSONValue] {
        [row.name, row.spec["nodeName"] ?? "", row.spec["driver"] ?? "", row.spec["pool"]?["name"] ?? "", row.age]
    }

    package static func deviceTaint(_ row: TableRow) -> [JSONValue] {
        let taint = row.spec["taint"] ?? [:]
        let added = taint["timeAdded"]?.string
        return [row.name] + ["key", "value", "effect"].map { taint[$0] ?? "" }
            + [.string(added == nil ? "" : Cells.since(added, now: row.now)), row.age]
    }

    package static func poolStatus(_ row: TableRow) -> [JSONValue] {
        guard row.object["status"] != nil else {
            let none: [JSONValue] = ["-", "-", "-", "-", "-", 0, "Pending", "<none>"]
            return [row.name, row.spec["driver"] ?? ""] + none
        }
        let done = row.status.list("conditions").first { $0.text("status") == "True" && ["Complete", "Failed"].contains($0.text("type")) }
        let isFailed = done?.text("type") == "Failed"
        let pools = row.status.list("pools")
        let count = row.status.number("poolCount")
        var state = done?.text("type") ?? "Pending"
        if state == "Complete", count > Int64(pools.count) { state = "Complete (\(pools.count)/\(count) pools)" }
        let sums = ["totalDevices", "availableDevices", "allocatedDevices", "unavailableDevices"].map { field -> JSONValue in
            isFailed ? "-" : .string(String(pools.reduce(0) { $0 + $1.number(field) }))
        }
        let errors: JSONValue = isFailed ? "-" : .string(String(pools.count { $0["validationError"] != nil }))
        let completed = done != nil && !isFailed ? Cells.since(done?["lastTransitionTime"]?.string, now: row.now) : "<none>"
        return [row.name, row.spec["driver"] ?? ""] + sums + [errors, .integer(count), .string(state), .string(completed)]
    }

    package static func scale(_ row: TableRow) -> [JSONValue] {
        [row.name, .integer(row.spec.number("replicas")), .integer(row.status.number("replicas")), row.age]
    }

    package static func apiService(_ row: TableRow) -> [JSONValue] {
        let service = row.spec["service"].map { "\($0.text("namespace"))/\($0.text("name"))" } ?? "Local"
        let available = row.condition("Available")
        var text = available?["status"]?.string ?? "Unknown"
        if let available, text != "True" { text += " (\(available.text("reason")))" }
        return [row.name, .string(service), .string(text), row.age]
    }
}
