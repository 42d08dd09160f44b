import Units
import Values

/// The conditions in the status of a CustomResourceDefinition.
///
/// Source: apiextensions-apiserver apihelpers.
public struct DefinitionConditions: Sendable {
    /// One condition, without its time.
    public struct Condition: Sendable, Hashable {
        /// Such as `Established`.
        public var type: String
        /// `True`, `False` or `Unknown`.
        public var status: String
        /// In one word.
        public var reason: String
        /// In a sentence.
        public var message: String

        /// Describes a condition.
        public init(type: String, status: String, reason: String, message: String) {
            self.type = type
            self.status = status
            self.reason = reason
            self.message = message
        }
    }

    /// As in the object.
    public private(set) var json: [JSONValue]

    /// The conditions of a definition.
    public init(_ definition: JSONValue) { json = definition.value(at: ["status", "conditions"])?.array ?? [] }

    /// One of the conditions.
    public subscript(_ type: String) -> Condition? {
        guard let found = json.first(where: { $0["type"]?.string == type }) else { return nil }
        return Condition(
            type: type,
            status: found["status"]?.string ?? "",
            reason: found["reason"]?.string ?? "",
            message: found["message"]?.string ?? ""
        )
    }

    /// Whether a condition is there and true.
    public func isTrue(_ type: String) -> Bool { self[type]?.status == "True" }

    /// Adds or changes a condition; its time changes with its status only.
    public mutating func set(_ condition: Condition, now: Timestamp) {
        var entry: JSONValue = [
            "type": .string(condition.type), "status": .string(condition.status), "reason": .string(condition.reason),
            "message": .string(condition.message), "lastTransitionTime": .string(now.rfc3339),
        ]
        guard let place = json.firstIndex(where: { $0["type"]?.string == condition.type }) else {
            json.append(entry)
            return
        }
        if json[place]["status"] == entry["status"], let time = json[place]["lastTransitionTime"], !time.isNull {
            entry["lastTransitionTime"] = time
        }
        json[place] = entry
    }

    /// Removes a condition.
    public mutating func remove(_ type: String) { json.removeAll { $0["type"]?.string == type } }
}
