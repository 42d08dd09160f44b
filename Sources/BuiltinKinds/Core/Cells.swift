import Units
import Values

/// What printers of several kinds share.
enum Cells {
    /// The object's name.
    static func name(_ object: JSONValue) -> JSONValue {
        object.value(at: ["metadata", "name"]) ?? ""
    }

    /// The object's age, as `5m`.
    static func age(_ object: JSONValue, now: Timestamp) -> JSONValue {
        .string(since(object.value(at: ["metadata", "creationTimestamp"])?.string, now: now))
    }

    /// How long ago a time was, as `5m`; `<unknown>` without one.
    static func since(_ text: String?, now: Timestamp) -> String {
        guard let text, let time = Timestamp(text) else { return "<unknown>" }
        return humanDuration(now - time)
    }

    /// `a=b,c=d`, or `<none>`.
    static func labels(_ labels: JSONValue?) -> String {
        guard let object = labels?.object, !object.isEmpty else { return "<none>" }
        return object.map { "\($0.key)=\($0.value.string ?? "")" }.joined(separator: ",")
    }

    /// A LabelSelector in the words of `-l`, or `<none>`.
    static func selector(_ selector: JSONValue?) -> String {
        guard let selector, let parsed = try? LabelSelector(json: selector) else { return "<none>" }
        let text = parsed.description
        return text.isEmpty ? "<none>" : text
    }

    /// The names and images of a pod spec's containers.
    static func containers(_ podSpec: JSONValue?) -> [JSONValue] {
        let containers = podSpec?["containers"]?.array ?? []
        return ["name", "image"].map { field in .string(containers.map { $0[field]?.string ?? "" }.joined(separator: ",")) }
    }

    /// A number, 0 when absent.
    static func number(_ object: JSONValue, _ path: String...) -> Int64 {
        object.value(at: path)?.int ?? 0
    }
}
