import Units
import Values

// The accessors that generated lenses are made of. Each has two setters: `set…` leaves the zero value out, as a Go
// field marked `omitempty`; `keep…` writes it.
extension JSONObject {
    // MARK: Scalars

    /// The string, or "".
    public func string(_ key: String) -> String { optionalString(key) ?? "" }
    /// The string, if it is one.
    public func optionalString(_ key: String) -> String? {
        guard case .string(let value)? = self[key] else { return nil }
        return value
    }
    /// Sets a string; "" removes it.
    public mutating func setString(_ key: String, _ value: String) {
        self[key] = value.isEmpty ? nil : .string(value)
    }
    /// Sets a string, even "".
    public mutating func keepString(_ key: String, _ value: String) { self[key] = .string(value) }
    /// Sets a string; nil removes it.
    public mutating func setOptionalString(_ key: String, _ value: String?) {
        self[key] = value.map { .string($0) }
    }

    /// The integer, or 0.
    public func int(_ key: String) -> Int { optionalInt(key) ?? 0 }
    /// The integer, if it is one.
    public func optionalInt(_ key: String) -> Int? {
        switch self[key] {
        case .integer(let value)?: Int(value)
        case .number(let value)?: Int(exactly: value)
        default: nil
        }
    }
    /// Sets an integer; 0 removes it.
    public mutating func setInt(_ key: String, _ value: Int) { self[key] = value == 0 ? nil : .integer(Int64(value)) }
    /// Sets an integer, even 0.
    public mutating func keepInt(_ key: String, _ value: Int) { self[key] = .integer(Int64(value)) }
    /// Sets an integer; nil removes it.
    public mutating func setOptionalInt(_ key: String, _ value: Int?) {
        self[key] = value.map { .integer(Int64($0)) }
    }

    /// The Boolean, or false.
    public func bool(_ key: String) -> Bool { optionalBool(key) ?? false }
    /// The Boolean, if it is one.
    public func optionalBool(_ key: String) -> Bool? {
        guard case .bool(let value)? = self[key] else { return nil }
        return value
    }
    /// Sets a Boolean; false removes it.
    public mutating func setBool(_ key: String, _ value: Bool) { self[key] = value ? .bool(true) : nil }
    /// Sets a Boolean, even false.
    public mutating func keepBool(_ key: String, _ value: Bool) { self[key] = .bool(value) }
    /// Sets a Boolean; nil removes it.
    public mutating func setOptionalBool(_ key: String, _ value: Bool?) { self[key] = value.map { .bool($0) } }

    /// The number, or 0.
    public func double(_ key: String) -> Double { optionalDouble(key) ?? 0 }
    /// The number, if it is one.
    public func optionalDouble(_ key: String) -> Double? {
        switch self[key] {
        case .integer(let value)?: Double(value)
        case .number(let value)?: value
        default: nil
        }
    }
    /// Sets a number; 0 removes it.
    public mutating func setDouble(_ key: String, _ value: Double) { self[key] = value == 0 ? nil : .number(value) }
    /// Sets a number, even 0.
    public mutating func keepDouble(_ key: String, _ value: Double) { self[key] = .number(value) }
    /// Sets a number; nil removes it.
    public mutating func setOptionalDouble(_ key: String, _ value: Double?) { self[key] = value.map { .number($0) } }

    /// The bytes of a base64 string; empty when absent or malformed.
    public func bytes(_ key: String) -> [UInt8] {
        guard case .string(let text)? = self[key] else { return [] }
        return Base64.decode(text) ?? []
    }
    /// Sets bytes as a base64 string; none removes the field.
    public mutating func setBytes(_ key: String, _ value: [UInt8]) {
        self[key] = value.isEmpty ? nil : .string(Base64.encode(value))
    }
    /// Sets bytes as a base64 string, even none.
    public mutating func keepBytes(_ key: String, _ value: [UInt8]) { self[key] = .string(Base64.encode(value)) }

    // MARK: Units

    /// The time, if it is one.
    public func time(_ key: String) -> Timestamp? {
        guard case .string(let text)? = self[key] else { return nil }
        return Timestamp(text)
    }
    /// Sets a time in whole seconds; nil removes it.
    public mutating func setTime(_ key: String, _ value: Timestamp?) { self[key] = value.map { .string($0.rfc3339) } }
    /// Sets a time in whole seconds; nil writes `null`, as Go does for a time without `omitempty`.
    public mutating func keepTime(_ key: String, _ value: Timestamp?) {
        self[key] = value.map { .string($0.rfc3339) } ?? .null
    }
    /// Sets a time in microseconds; nil removes it.
    public mutating func setMicroTime(_ key: String, _ value: Timestamp?) {
        self[key] = value.map { .string($0.rfc3339Micro) }
    }
    /// Sets a time in microseconds; nil writes `null`.
    public mutating func keepMicroTime(_ key: String, _ value: Timestamp?) {
        self[key] = value.map { .string($0.rfc3339Micro) } ?? .null
    }

    /// The quantity, or zero.
    public func quantity(_ key: String) -> Quantity { optionalQuantity(key) ?? .zero }
    /// The quantity, if it is one.
    public func optionalQuantity(_ key: String) -> Quantity? { self[key].flatMap(Quantity.init(json:)) }
    /// Sets a quantity; nil removes it.
    public mutating func setQuantity(_ key: String, _ value: Quantity?) {
        self[key] = value.map { .string($0.description) }
    }

    /// The integer or string; 0 when absent.
    public func intOrString(_ key: String) -> IntOrString { optionalIntOrString(key) ?? .int(0) }
    /// The integer or string, if it is one.
    public func optionalIntOrString(_ key: String) -> IntOrString? {
        switch self[key] {
        case .integer(let value)?: .int(value)
        case .string(let value)?: .string(value)
        default: nil
        }
    }
    /// Sets an integer or string; nil removes it.
    public mutating func setIntOrString(_ key: String, _ value: IntOrString?) {
        switch value {
        case .int(let number)?: self[key] = .integer(number)
        case .string(let text)?: self[key] = .string(text)
        case nil: self[key] = nil
        }
    }
}

extension Quantity {
    /// Reads a quantity as upstream does: a string, or a bare number.
    public init?(json: JSONValue) {
        switch json {
        case .string(let text): self.init(text)
        case .integer(let number): self.init("\(number)")
        case .number(let number): self.init("\(number)")
        default: return nil
        }
    }
}
