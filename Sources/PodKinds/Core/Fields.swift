import Schema
import Units
import Values

/// Reading fields as Go does: what is absent reads as the zero value.
extension JSONValue {
    /// The text at `key`, or "".
    package func text(_ key: String) -> String { self[key]?.string ?? "" }
    /// The elements at `key`, or none.
    package func list(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
    /// The texts of the list at `key`.
    package func texts(_ key: String) -> [String] { list(key).map { $0.string ?? "" } }
    /// The members at `key`, or none.
    package func members(_ key: String) -> JSONObject { self[key]?.object ?? [:] }
    /// The Boolean at `key`, or false.
    package func flag(_ key: String) -> Bool { self[key]?.bool ?? false }
    /// The integer at `key`, or 0.
    package func number(_ key: String) -> Int64 { self[key]?.int ?? 0 }
    /// The quantity at `key`; nil when there is none.
    package func quantity(_ key: String) -> Quantity? { self[key].flatMap(Quantity.of) }
}

extension Quantity {
    /// Reads a string or a bare number, as upstream does.
    package static func of(_ json: JSONValue) -> Quantity? {
        switch json {
        case .string(let text): Quantity(text)
        case .integer(let value): Quantity(value: value)
        case .number(let value): Quantity("\(value)")
        default: nil
        }
    }
}

/// Collecting issues. Paths are built only for what is wrong: the valid object pays nothing for its messages.
extension [FieldIssue] {
    package typealias Path = () -> FieldPath

    package mutating func invalid(_ path: FieldPath, _ value: JSONValue?, _ detail: String) { append(.invalid(path, value, detail)) }
    package mutating func required(_ path: FieldPath, _ detail: String = "") { append(.required(path, detail)) }
    package mutating func forbidden(_ path: FieldPath, _ detail: String) { append(.forbidden(path, detail)) }

    /// Adds each of `problems` as a malformed value.
    package mutating func add(_ problems: [String], _ path: @autoclosure Path, _ text: String) {
        if problems.isEmpty { return }
        let place = path()
        for problem in problems { append(.invalid(place, .string(text), problem)) }
    }

    /// A text that must be there.
    package mutating func need(_ text: String, _ path: @autoclosure Path) {
        if text.isEmpty { append(.required(path(), "")) }
    }

    /// A DNS label.
    package mutating func label(_ text: String, _ path: @autoclosure Path) {
        add(Names.dns1123LabelIssues(text), path(), text)
    }

    /// DNS labels joined by dots.
    package mutating func subdomain(_ text: String, _ path: @autoclosure Path) {
        add(Names.dns1123SubdomainIssues(text), path(), text)
    }

    /// The key of a label.
    package mutating func qualifiedName(_ text: String, _ path: @autoclosure Path) {
        // The words are costly to make, so ask first.
        if !SelectorValidation.isQualifiedName(text) { add(Names.qualifiedNameIssues(text), path(), text) }
    }

    /// A number that may not be negative.
    package mutating func nonNegative(_ value: Int64?, _ path: @autoclosure Path) {
        if let value, value < 0 { append(.invalid(path(), .integer(value), "must be greater than or equal to 0")) }
    }

    /// A number above zero.
    package mutating func positive(_ value: Int64?, _ path: @autoclosure Path) {
        if let value, value <= 0 { append(.invalid(path(), .integer(value), "must be greater than zero")) }
    }

    /// A number within bounds.
    package mutating func range(_ value: Int64, _ low: Int64, _ high: Int64, _ path: @autoclosure Path) {
        if value < low || value > high { append(.invalid(path(), .integer(value), "must be between \(low) and \(high), inclusive")) }
    }

    /// One of a few words; what is empty is missing.
    package mutating func choice(_ text: String, _ allowed: [String], _ path: @autoclosure Path) {
        if text.isEmpty {
            append(.required(path(), ""))
        } else if !allowed.contains(text) {
            append(.notSupported(path(), .string(text), allowed))
        }
    }

    /// One of a few words; what is empty is as wrong as any other word.
    package mutating func oneOf(_ text: String, _ allowed: [String], _ path: @autoclosure Path) {
        if !allowed.contains(text) { append(.notSupported(path(), .string(text), allowed)) }
    }

    /// A field that must stay as it was.
    package mutating func immutable(_ new: JSONValue?, _ old: JSONValue?, _ path: @autoclosure Path) {
        if new != old { append(.invalid(path(), new, "field is immutable")) }
    }

    /// A port by number or name.
    package mutating func port(_ port: JSONValue?, _ path: @autoclosure Path) {
        if case .string(let name)? = port {
            add(Names.portNameIssues(name), path(), name)
        } else {
            range(port?.int ?? 0, 1, 65535, path())
        }
    }

    /// An IP address in a field older than the strict rules; `known` are those that were there before and stay accepted.
    package mutating func address(_ text: String, _ path: @autoclosure Path, known: [String] = []) {
        if known.contains(text) { return }
        guard let address = IPAddress(text) else {
            let plain = text.split(separator: ".", omittingEmptySubsequences: false).map { $0.drop { $0 == "0" } }
            let hasZeros = IPAddress(plain.map { $0.isEmpty ? "0" : String($0) }.joined(separator: ".")) != nil
            let words = hasZeros ? "must not have leading 0s" : "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            return append(.invalid(path(), .string(text), words))
        }
        if address.isV4, text.contains(":") {
            append(.invalid(path(), .string(text), "must not be an IPv4-mapped IPv6 address"))
        }
    }

    /// An IP address in the one form it is to be written in.
    package mutating func canonicalAddress(_ text: String, _ path: @autoclosure Path) {
        let before = count
        address(text, path())
        if count == before { add(Names.ipIssues(text), path(), text) }
    }

    /// A network such as `10.0.0.0/8`.
    package mutating func network(_ text: String, _ path: @autoclosure Path, known: [String] = []) {
        if known.contains(text) { return }
        guard let slash = text.firstIndex(of: "/"), let address = IPAddress(String(text[..<slash])), let cidr = CIDR(text) else {
            append(.invalid(path(), .string(text), "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"))
            return
        }
        if address != cidr.network {
            append(.invalid(path(), .string(text), "must not have bits set beyond the prefix length"))
        }
    }

    /// A network in the one form it is to be written in.
    package mutating func canonicalNetwork(_ text: String, _ path: @autoclosure Path) {
        let before = count
        if text.contains(":"), text.contains("."), CIDR(text) != nil {
            return append(.invalid(path(), .string(text), "must not have an IPv4-mapped IPv6 address"))
        }
        network(text, path())
        guard count == before, let cidr = CIDR(text) else { return }
        let canonical = "\(cidr.network)/\(cidr.prefixLength)"
        if text != canonical {
            append(.invalid(path(), .string(text), "must be in canonical form (\(GoQuote.quote(canonical)))"))
        }
    }

    /// A quantity that may not be negative.
    package mutating func nonNegativeQuantity(_ value: Quantity?, _ path: @autoclosure Path) {
        if let value, value.isNegative {
            append(.invalid(path(), .string(value.description), "must be greater than or equal to 0"))
        }
    }

    /// A quantity above zero.
    package mutating func positiveQuantity(_ value: Quantity?, _ path: @autoclosure Path) {
        let value = value ?? .zero
        if value.isZero || value.isNegative { append(.invalid(path(), .string(value.description), "must be greater than zero")) }
    }
}

/// How the objects of a kind may be named.
package enum NameRule: Sendable {
    case subdomain, label, label1035, pathSegment, configMapKey
    /// As anybody likes.
    case any
    /// An IP address in its one form.
    case address
    /// `group.resource`, as storage versions are named.
    case groupAndResource

    /// What is wrong with a name; the name may still lack what the server adds to `generateName`.
    package func problems(_ name: String) -> [String] {
        switch self {
        case .subdomain: Names.dns1123SubdomainIssues(name)
        case .label: Names.dns1123LabelIssues(name)
        case .label1035: Names.dns1035LabelIssues(name)
        case .pathSegment: Names.pathSegmentIssues(name)
        case .configMapKey: Names.configMapKeyIssues(name)
        case .any: []
        case .address: Names.ipIssues(name)
        case .groupAndResource: Self.groupAndResource(name)
        }
    }

    private static func groupAndResource(_ name: String) -> [String] {
        guard let dot = name.lastIndex(of: ".") else { return ["name must be in the form of <group>.<resource>"] }
        return Names.dns1123SubdomainIssues(String(name[..<dot])).map { "the group segment \($0)" }
            + Names.dns1035LabelIssues(String(name[name.index(after: dot)...])).map { "the resource segment \($0)" }
    }

    /// Checks `metadata.name` of an object.
    package func check(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        guard let name = object["metadata"]?["name"]?.string, !name.isEmpty else { return }
        issues.add(problems(name), FieldPath("metadata").child("name"), name)
    }
}
