import APIModel
import APITypes
import Values

/// Makes the strategic merge patch that turns one pod status into another, with only what differs. Pure.
enum StatusPatch {
    /// Lists that are merged by a key on the server; all others are replaced as a whole.
    private static let mergeKeys = ["conditions": "type", "podIPs": "ip", "hostIPs": "ip"]

    /// Nil when nothing differs.
    static func patch(from old: PodStatus, to new: PodStatus, uid: String) -> JSONValue? {
        var changes: JSONObject = [:]
        let (before, after) = (plain(old.fields), plain(new.fields))
        for (key, value) in after where before[key] != value {
            if let mergeKey = mergeKeys[key] {
                changes[key] = list(before[key]?.array ?? [], value.array ?? [], mergeKey, isReplaced: key != "conditions")
            } else {
                changes[key] = difference(before[key], value)
            }
        }
        for (key, _) in before where after[key] == nil { changes[key] = .null }
        if changes.isEmpty { return nil }
        return ["metadata": ["uid": .string(uid)], "status": .object(changes)]
    }

    /// Without what says nothing: nulls, empty strings, lists and objects. The server writes some of them out and leaves
    /// others away; neither is a change. A container's empty `resources` do say something: it was given no amounts.
    static func plain(_ object: JSONObject) -> JSONObject {
        var result: JSONObject = [:]
        for (key, value) in object {
            if let value = plain(value) {
                result[key] = value
            } else if key == "resources", value.object != nil {
                result[key] = [:]
            }
        }
        return result
    }

    private static func plain(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .null:
            return nil
        case .string(let text):
            return text.isEmpty ? nil : value
        case .array(let items):
            return items.isEmpty ? nil : .array(items.map { plain($0) ?? $0 })
        case .object(let object):
            let fields = plain(object)
            return fields.isEmpty ? nil : .object(fields)
        case .bool, .integer, .number:
            return value
        }
    }

    private static func list(_ old: [JSONValue], _ new: [JSONValue], _ key: String, isReplaced: Bool) -> JSONValue {
        if isReplaced {
            let replace: JSONValue = ["$patch": "replace"]
            return .array(old.isEmpty ? new : new + [replace])
        }
        let changed = new.filter { item in !old.contains(item) }.map { item -> JSONValue in
            guard let before = old.first(where: { $0[key] == item[key] })?.object, var fields = item.object else { return item }
            for (name, _) in before where fields[name] == nil { fields[name] = .null }
            return .object(fields)
        }
        // Of conditions only the kubelet's own are taken away: others may have added theirs meanwhile.
        let gone = old.filter { item in
            PodConditions.owned.contains(item[key]?.string ?? "") && !new.contains { $0[key] == item[key] }
        }
        return .array(changed + gone.map { ["$patch": "delete", .init(key): $0[key] ?? .null] })
    }

    private static func difference(_ old: JSONValue?, _ new: JSONValue) -> JSONValue {
        guard let before = old?.object, let after = new.object else { return new }
        var result: JSONObject = [:]
        for (key, value) in after where before[key] != value { result[key] = difference(before[key], value) }
        for (key, _) in before where after[key] == nil { result[key] = .null }
        return .object(result)
    }
}
