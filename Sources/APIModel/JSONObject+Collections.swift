import Units
import Values

extension JSONObject {
    // MARK: Lenses

    /// The object; empty when absent.
    public func lens<T: Lens>(_ key: String) -> T {
        guard case .object(let object)? = self[key] else { return T(fields: [:]) }
        return T(fields: object)
    }
    /// The object, if there is one.
    public func optionalLens<T: Lens>(_ key: String) -> T? {
        guard case .object(let object)? = self[key] else { return nil }
        return T(fields: object)
    }
    /// Sets an object, even an empty one, as Go does for a struct.
    public mutating func setLens<T: Lens>(_ key: String, _ value: T) { self[key] = .object(value.fields) }
    /// Sets an object; nil removes it.
    public mutating func setOptionalLens<T: Lens>(_ key: String, _ value: T?) {
        self[key] = value.map { .object($0.fields) }
    }

    // MARK: Lists

    /// The objects of a list.
    public func lenses<T: Lens>(_ key: String) -> [T] {
        guard case .array(let list)? = self[key] else { return [] }
        return list.map { T(value: $0) }
    }
    /// Sets a list of objects; an empty one is removed.
    public mutating func setLenses<T: Lens>(_ key: String, _ value: [T]) {
        self[key] = value.isEmpty ? nil : .array(value.map { .object($0.fields) })
    }
    /// Sets a list of objects, even an empty one.
    public mutating func keepLenses<T: Lens>(_ key: String, _ value: [T]) {
        self[key] = .array(value.map { .object($0.fields) })
    }

    /// The strings of a list.
    public func strings(_ key: String) -> [String] {
        guard case .array(let list)? = self[key] else { return [] }
        return list.compactMap { item in
            guard case .string(let text) = item else { return nil }
            return text
        }
    }
    /// Sets a list of strings; an empty one is removed.
    public mutating func setStrings(_ key: String, _ value: [String]) {
        self[key] = value.isEmpty ? nil : .array(value.map { .string($0) })
    }
    /// Sets a list of strings, even an empty one.
    public mutating func keepStrings(_ key: String, _ value: [String]) {
        self[key] = .array(value.map { .string($0) })
    }

    /// The integers of a list.
    public func ints(_ key: String) -> [Int] {
        guard case .array(let list)? = self[key] else { return [] }
        return list.compactMap { item in
            guard case .integer(let number) = item else { return nil }
            return Int(number)
        }
    }
    /// Sets a list of integers; an empty one is removed.
    public mutating func setInts(_ key: String, _ value: [Int]) {
        self[key] = value.isEmpty ? nil : .array(value.map { .integer(Int64($0)) })
    }
    /// Sets a list of integers, even an empty one.
    public mutating func keepInts(_ key: String, _ value: [Int]) {
        self[key] = .array(value.map { .integer(Int64($0)) })
    }

    /// The values of a list.
    public func values(_ key: String) -> [JSONValue] {
        guard case .array(let list)? = self[key] else { return [] }
        return list
    }
    /// Sets a list; an empty one is removed.
    public mutating func setValues(_ key: String, _ value: [JSONValue]) {
        self[key] = value.isEmpty ? nil : .array(value)
    }
    /// Sets a list, even an empty one.
    public mutating func keepValues(_ key: String, _ value: [JSONValue]) { self[key] = .array(value) }

    // MARK: Maps

    /// The object as a map with converted values; entries that do not convert are left out.
    public func map<T>(_ key: String, _ convert: (JSONValue) -> T?) -> [String: T] {
        guard case .object(let object)? = self[key] else { return [:] }
        var result: [String: T] = [:]
        result.reserveCapacity(object.count)
        for (name, value) in object {
            if let converted = convert(value) { result[name] = converted }
        }
        return result
    }
    /// Sets a map; an empty one is removed.
    public mutating func setMap<T>(_ key: String, _ value: [String: T], _ convert: (T) -> JSONValue) {
        guard !value.isEmpty else {
            self[key] = nil
            return
        }
        keepMap(key, value, convert)
    }
    /// Sets a map, even an empty one.
    public mutating func keepMap<T>(_ key: String, _ value: [String: T], _ convert: (T) -> JSONValue) {
        var object = JSONObject()
        for (name, item) in value { object[name] = convert(item) }
        self[key] = .object(object)
    }

    /// A map of strings.
    public func stringMap(_ key: String) -> [String: String] {
        map(key) { item in
            guard case .string(let text) = item else { return nil }
            return text
        }
    }
    /// Sets a map of strings; an empty one is removed.
    public mutating func setStringMap(_ key: String, _ value: [String: String]) {
        setMap(key, value) { .string($0) }
    }
    /// A map of base64 strings, decoded.
    public func bytesMap(_ key: String) -> [String: [UInt8]] {
        map(key) { item in
            guard case .string(let text) = item else { return nil }
            return Base64.decode(text)
        }
    }
    /// Sets a map of bytes; an empty one is removed.
    public mutating func setBytesMap(_ key: String, _ value: [String: [UInt8]]) {
        setMap(key, value) { .string(Base64.encode($0)) }
    }
    /// A map of quantities, such as a resource list.
    public func quantityMap(_ key: String) -> [String: Quantity] { map(key, Quantity.init(json:)) }
    /// Sets a map of quantities; an empty one is removed.
    public mutating func setQuantityMap(_ key: String, _ value: [String: Quantity]) {
        setMap(key, value) { .string($0.description) }
    }
    /// A map of string lists.
    public func stringsMap(_ key: String) -> [String: [String]] {
        map(key) { item in
            guard case .array(let list) = item else { return nil }
            return list.compactMap { element in
                guard case .string(let text) = element else { return nil }
                return text
            }
        }
    }
    /// Sets a map of string lists; an empty one is removed.
    public mutating func setStringsMap(_ key: String, _ value: [String: [String]]) {
        setMap(key, value) { list in .array(list.map { .string($0) }) }
    }
    /// A map of objects.
    public func lensMap<T: Lens>(_ key: String) -> [String: T] { map(key) { T(value: $0) } }
    /// Sets a map of objects; an empty one is removed.
    public mutating func setLensMap<T: Lens>(_ key: String, _ value: [String: T]) {
        setMap(key, value) { .object($0.fields) }
    }
    /// A map of arbitrary values.
    public func valueMap(_ key: String) -> [String: JSONValue] { map(key) { $0 } }
    /// Sets a map of arbitrary values; an empty one is removed.
    public mutating func setValueMap(_ key: String, _ value: [String: JSONValue]) { setMap(key, value) { $0 } }
}
