/// JSON merge patch (RFC 7386).
public enum MergePatch {
    /// `null` members of the patch remove, objects merge, everything else replaces.
    public static func apply(_ patch: JSONValue, to target: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result: JSONObject
        if case .object(let members) = target { result = members } else { result = JSONObject() }
        for (key, change) in changes {
            if change.isNull {
                result.removeValue(forKey: key)
            } else if case .object = change {
                result[key] = apply(change, to: result[key] ?? .null)
            } else {
                result[key] = change
            }
        }
        return .object(result)
    }

    /// The patch that makes `to` of `from`; an empty object when they are equal.
    public static func diff(from: JSONValue, to: JSONValue) -> JSONValue {
        guard case .object(let old) = from, case .object(let new) = to else { return to }
        var patch = JSONObject()
        for (key, _) in old where !new.contains(key) { patch[key] = .null }
        for (key, value) in new {
            guard let previous = old[key] else {
                patch[key] = value
                continue
            }
            if previous == value { continue }
            if case .object = previous, case .object = value {
                patch[key] = diff(from: previous, to: value)
            } else {
                patch[key] = value
            }
        }
        return .object(patch)
    }
}
