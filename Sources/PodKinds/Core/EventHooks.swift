import APIModel
import Schema
import Units
import Values

/// The behaviour of events, whose fields have other names in the two groups that serve them.
package struct EventHooks: KindHooks {
    /// The field that names what the event is about.
    package let subject: String
    /// The field of the first time.
    package let first: String
    /// The field of the last time.
    package let last: String

    private static let instanceLimit = 128
    private static let actionLimit = 128
    private static let reasonLimit = 128
    private static let noteLimit = 1024

    /// Names the fields.
    package init(subject: String, first: String, last: String) {
        self.subject = subject
        self.first = first
        self.last = last
    }

    private var isLegacy: Bool { subject == "involvedObject" }

    /// The source of an event is its component or, where that is not said, the controller that reports.
    package func fieldLabel(_ label: String, of object: JSONValue) -> String? {
        guard label == "source" else { return nil }
        let component = object[isLegacy ? "source" : "deprecatedSource"]?.text("component") ?? ""
        return component.isEmpty ? object.text(isLegacy ? "reportingComponent" : "reportingController") : component
    }

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        common(object, &issues)
        if isLegacy { return issues }
        NameRule.subdomain.check(object, &issues)
        series(object, &issues)
        if object["eventTime"]?.string == nil { issues.required(FieldPath("eventTime")) }
        let type = object.text("type")
        if type != "Normal", type != "Warning" { issues.invalid(FieldPath("type"), "", "has invalid value: \(type)") }
        let words = "needs to be unset"
        if object[first]?.string != nil { issues.invalid(FieldPath("firstTimestamp"), "", words) }
        if object[last]?.string != nil { issues.invalid(FieldPath("lastTimestamp"), "", words) }
        if object.number("deprecatedCount") != 0 { issues.invalid(FieldPath("count"), "", words) }
        if let source = object["deprecatedSource"], !source.text("component").isEmpty || !source.text("host").isEmpty {
            issues.invalid(FieldPath("source"), "", words)
        }
        return issues
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        common(object, &issues)
        if isLegacy { return issues }
        if object["series"] != old["series"] { series(object, &issues) }
        let texts: Set<String> = ["reason", "note", "type", "action", "reportingController", "reportingInstance"]
        let fields = [
            ("regarding", "involvedObject"), ("reason", "reason"), ("note", "message"), ("deprecatedSource", "source"),
            ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
            // Upstream asks twice.
            ("reason", "reason"), ("type", "type"), ("eventTime", "eventTime"), ("action", "action"), ("related", "related"),
            ("reportingController", "reportingController"), ("reportingInstance", "reportingInstance"),
        ]
        for (field, shown) in fields {
            // A text that is not there is empty.
            let given = object[field] ?? (texts.contains(field) ? "" : nil)
            let before = old[field] ?? (texts.contains(field) ? "" : nil)
            issues.immutable(given, before, FieldPath(shown))
        }
        return issues
    }

    private func series(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        guard let series = object["series"] else { return }
        if series.number("count") < 2 { issues.invalid(FieldPath("series.count"), "", "should be at least 2") }
        if series["lastObservedTime"]?.string == nil { issues.required(FieldPath("series.lastObservedTime")) }
    }

    private func common(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let namespace = object["metadata"]?.text("namespace") ?? ""
        let about = object[subject]?.text("namespace") ?? ""
        let isNew = object["eventTime"]?.string != nil
        let free = isNew ? ["default", "kube-system"] : ["", "default"]
        let fits = about.isEmpty ? free.contains(namespace) : isNew || about == namespace
        if !fits { issues.invalid(FieldPath("involvedObject").child("namespace"), .string(about), "does not match event.namespace") }
        if isNew { limits(object, &issues) }
        issues.subdomain(namespace, FieldPath("namespace"))
    }

    private func limits(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let controller = isLegacy ? "reportingComponent" : "reportingController"
        let name = object.text(controller)
        issues.need(name, FieldPath(controller))
        issues.qualifiedName(name, FieldPath(controller))
        let fields = [
            ("reportingInstance", "reportingInstance", Self.instanceLimit), ("action", "action", Self.actionLimit),
            ("reason", "reason", Self.reasonLimit), (isLegacy ? "message" : "note", "message", Self.noteLimit),
        ]
        for (field, shown, limit) in fields {
            let text = object.text(field)
            if shown != "message" { issues.need(text, FieldPath(shown)) }
            if text.utf8.count > limit { issues.invalid(FieldPath(shown), "", "can have at most \(limit) characters") }
        }
    }

    /// Last Seen, Type, Reason, Object, Subobject, Source, Message, First Seen, Count, Name.
    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let firstSeen = object[first]?.string ?? object["eventTime"]?.string
        let series = object["series"]
        let lastSeen = series == nil ? object[last]?.string ?? firstSeen : series?["lastObservedTime"]?.string
        let about = object[subject] ?? [:]
        let kind = about.text("kind").lowercased()
        let own = object.number(isLegacy ? "count" : "deprecatedCount")
        let count = series == nil ? (own == 0 ? 1 : own) : series?.number("count") ?? 0
        return [
            .string(Cells.since(lastSeen, now: now)), object["type"] ?? "", object["reason"] ?? "",
            .string(about.text("name").isEmpty ? kind : "\(kind)/\(about.text("name"))"), about["fieldPath"] ?? "",
            .string(source(object)), .string(trimmed(object.text(isLegacy ? "message" : "note"))),
            .string(Cells.since(firstSeen, now: now)), .integer(count), Cells.name(object),
        ]
    }

    private func trimmed(_ text: String) -> String {
        var text = Substring(text)
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }

    private func source(_ object: JSONValue) -> String {
        let source = object[isLegacy ? "source" : "deprecatedSource"] ?? [:]
        let component = source.text("component")
        let name = component.isEmpty ? object.text(isLegacy ? "reportingComponent" : "reportingController") : component
        let host = source.text("host").isEmpty ? object.text("reportingInstance") : source.text("host")
        return host.isEmpty ? name : "\(name), \(host)"
    }
}
