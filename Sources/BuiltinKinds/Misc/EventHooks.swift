import APIModel
import Units
import Values

/// The behaviour of events, whose fields have other names in the two groups that serve them.
struct EventHooks: KindHooks {
    /// The field that names what the event is about.
    let subject: String
    /// The field of the first time.
    let first: String
    /// The field of the last time.
    let last: String

    /// Last Seen, Type, Reason, Object, Subobject, Source, Message, First Seen, Count, Name.
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let eventTime = object["eventTime"]?.string
        let firstSeen = object[first]?.string ?? eventTime
        let lastSeen = object.value(at: ["series", "lastObservedTime"])?.string ?? object[last]?.string ?? firstSeen
        let about = object[subject] ?? [:]
        let kind = about["kind"]?.string?.lowercased() ?? ""
        let count = object.value(at: ["series", "count"])?.int ?? object["count"]?.int ?? object["deprecatedCount"]?.int ?? 1
        return [
            .string(Cells.since(lastSeen, now: now)), object["type"] ?? "", object["reason"] ?? "",
            .string("\(kind)/\(about["name"]?.string ?? "")"), about["fieldPath"] ?? "", .string(source(object)),
            .string(trimmed(object["message"]?.string ?? object["note"]?.string ?? "")), .string(Cells.since(firstSeen, now: now)),
            .integer(max(1, count)), Cells.name(object),
        ]
    }

    private func trimmed(_ text: String) -> String {
        var text = text
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private func source(_ object: JSONValue) -> String {
        let source = object["source"] ?? object["deprecatedSource"] ?? [:]
        let component = source["component"]?.string ?? ""
        let name = component.isEmpty ? object["reportingComponent"]?.string ?? object["reportingController"]?.string ?? "" : component
        let host = source["host"]?.string ?? object["reportingInstance"]?.string ?? ""
        return host.isEmpty ? name : "\(name), \(host)"
    }
}
