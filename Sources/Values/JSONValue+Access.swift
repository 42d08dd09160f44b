extension JSONValue {
    /// The text, if this is a string.
    public var string: String? { if case .string(let v) = self { v } else { nil } }
    /// The integer, if this is one (or a number without a fraction that fits).
    public var int: Int64? {
        switch self {
        case .integer(let v): v
        case .number(let v): Int64(exactly: v)
        default: nil
        }
    }
    /// The number as floating point, if this is any number.
    public var double: Double? {
        switch self {
        case .integer(let v): Double(v)
        case .number(let v): v
        default: nil
        }
    }
    /// The boolean, if this is one.
    public var bool: Bool? { if case .bool(let v) = self { v } else { nil } }
    /// The elements, if this is a list.
    public var array: [JSONValue]? { if case .array(let v) = self { v } else { nil } }
    /// The members, if this is an object.
    public var object: JSONObject? { if case .object(let v) = self { v } else { nil } }
    /// True for `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// What Go's `encoding/json` calls this kind of value in its messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer, .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member `key` of an object; nil for other values. Assigning makes any other value an object first
    /// (assigning nil to a value that is no object changes nothing); it updates in place.
    public subscript(_ key: String) -> JSONValue? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        _modify {
            var members = JSONObject()
            var previous: JSONValue? = nil
            if case .object(let current) = self { members = current } else { previous = self }
            self = .null
            defer {
                if members.isEmpty, let previous { self = previous } else { self = .object(members) }
            }
            yield &members[key]
        }
    }

    /// The element at `index` of a list, or nil when there is none.
    public subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The value reached by following the keys of `path`; keys that are numbers index lists.
    public func value(at path: [String]) -> JSONValue? {
        path.withUnsafeBufferPointer { value(at: $0, from: 0) }
    }

    /// From inside to inside, so that what lies on the way is not copied.
    private func value(at path: UnsafeBufferPointer<String>, from step: Int) -> JSONValue? {
        guard step < path.count else { return self }
        switch self {
        case .object(let object):
            let place = object.locate(path[step])
            guard place.found else { return nil }
            return object.members[place.index].value.value(at: path, from: step + 1)
        case .array(let elements):
            guard let index = Int(path[step]), elements.indices.contains(index) else { return nil }
            return elements[index].value(at: path, from: step + 1)
        default: return nil
        }
    }

    /// Sets the value at `path`, making the objects on the way; list elements are set only where they exist.
    public mutating func set(_ value: JSONValue, at path: [String]) {
        set(value, at: path[...])
    }

    fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
        guard let key = path.first else {
            self = value
            return
        }
        if case .array(var elements) = self {
            guard let index = Int(key), elements.indices.contains(index) else { return }
            self = .null
            elements[index].set(value, at: path.dropFirst())
            self = .array(elements)
            return
        }
        var object = JSONObject()
        if case .object(let current) = self { object = current }
        self = .null
        object.set(value, key, at: path.dropFirst())
        self = .object(object)
    }

    /// Removes the value at `path`; objects that become empty stay. Does nothing where there is no such value.
    public mutating func remove(at path: [String]) {
        remove(at: path[...])
    }

    private mutating func remove(at path: ArraySlice<String>) {
        guard let key = path.first else { return }
        switch self {
        case .object(var members):
            self = .null
            if path.count == 1 {
                members.removeValue(forKey: key)
            } else {
                members.update(key) { $0.remove(at: path.dropFirst()) }
            }
            self = .object(members)
        case .array(var elements):
            guard let index = Int(key), elements.indices.contains(index) else { return }
            self = .null
            if path.count == 1 {
                elements.remove(at: index)
            } else {
                elements[index].remove(at: path.dropFirst())
            }
            self = .array(elements)
        default: return
        }
    }
}

extension JSONObject {
    /// Sets what lies below a member, in place.
    fileprivate mutating func set(_ value: JSONValue, _ key: String, at path: ArraySlice<String>) {
        let place = locate(key)
        if !place.found { members.insert(Member(key: key, value: .null), at: place.index) }
        members[place.index].value.set(value, at: path)
    }
}
