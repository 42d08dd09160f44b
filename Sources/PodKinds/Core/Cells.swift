import Units
import Values

/// What printers of several kinds share.
package enum Cells {
    /// How many of a list's elements a cell shows.
    package static let shown = 3

    /// The object's name.
    package static func name(_ object: JSONValue) -> JSONValue {
        object["metadata"]?["name"] ?? ""
    }

    /// The object's age, as `5m`.
    package static func age(_ object: JSONValue, now: Timestamp) -> JSONValue {
        .string(since(object["metadata"]?["creationTimestamp"]?.string, now: now))
    }

    /// How long ago a time was, as `5m`; `<unknown>` without one.
    package static func since(_ text: String?, now: Timestamp) -> String {
        guard let text, let time = Timestamp(text) else { return "<unknown>" }
        return humanDuration(now - time)
    }

    /// `a=b,c=d`, or `<none>`.
    package static func labels(_ labels: JSONValue?) -> String {
        guard let object = labels?.object, !object.isEmpty else { return "<none>" }
        return object.map { "\($0.key)=\($0.value.string ?? "")" }.joined(separator: ",")
    }

    /// A LabelSelector in the words of `-l`, or `<none>`.
    package static func selector(_ selector: JSONValue?) -> String {
        guard let selector else { return "<none>" }
        guard let parsed = try? LabelSelector(json: selector) else { return "<error>" }
        let text = parsed.description
        return text.isEmpty ? "<none>" : text
    }

    /// The names and images of a pod spec's containers.
    package static func containers(_ podSpec: JSONValue?) -> [JSONValue] {
        let containers = podSpec?.list("containers") ?? []
        return ["name", "image"].map { field in .string(containers.map { $0.text(field) }.joined(separator: ",")) }
    }

    /// A number, 0 when absent.
    package static func number(_ object: JSONValue, _ path: String...) -> Int64 {
        object.value(at: path)?.int ?? 0
    }

    /// The phase of a volume or claim, which is `Terminating` once its deletion began.
    package static func phase(_ object: JSONValue) -> String {
        object["metadata"]?["deletionTimestamp"] != nil ? "Terminating" : object["status"]?.text("phase") ?? ""
    }

    /// Short names of access modes, in upstream's order.
    package static func accessModes(_ modes: JSONValue?) -> String {
        let given = (modes?.array ?? []).compactMap(\.string)
        let short = [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
        return short.filter { given.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    /// The first few of some texts and how many more there are.
    package static func limited(_ texts: [String], _ none: String) -> String {
        if texts.isEmpty { return none }
        let more = texts.count - shown
        return texts.prefix(shown).joined(separator: ",") + (more > 0 ? " + \(more) more..." : "")
    }

    /// The addresses of a load balancer, sorted.
    package static func loadBalancer(_ status: JSONValue?) -> [String] {
        let ingress = status?["loadBalancer"]?.list("ingress") ?? []
        let given = ingress.map { $0.text("ip").isEmpty ? $0.text("hostname") : $0.text("ip") }
        return Set(given.filter { !$0.isEmpty }).sorted()
    }

    /// `True`, `False`, or `<unset>`.
    package static func truth(_ value: JSONValue?) -> JSONValue {
        guard let value = value?.bool else { return "<unset>" }
        return value ? "True" : "False"
    }
}
