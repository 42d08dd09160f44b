import Values

/// One step of a path that server-side apply tracks.
public enum FieldStep: Sendable, Hashable, CustomStringConvertible {
    /// A field of a struct, or an entry of a map.
    case field(String)
    /// An element of a keyed list, told apart by these fields.
    case key(JSONObject)
    /// An element of a set.
    case value(JSONValue)
    /// An element by its place; only read, never made.
    case index(Int)

    /// As conflicts print it.
    public var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let keys): "[\(keys.map { "\($0.key)=\($0.value)" }.joined(separator: ","))]"
        case .value(let value): "[=\(value)]"
        case .index(let index): "[\(index)]"
        }
    }
}

/// A set of paths: what one manager owns. A path can be a member itself, and have members below.
public struct FieldSet: Sendable, Hashable {
    /// The steps at which a path ends.
    public private(set) var members: Set<FieldStep>
    /// What lies below a step; never empty sets.
    public private(set) var children: [FieldStep: FieldSet]

    /// The empty set.
    public init() {
        members = []
        children = [:]
    }

    /// The set of one path.
    public init(path: [FieldStep]) {
        self.init()
        insert(path[...])
    }

    /// Whether there is no path.
    public var isEmpty: Bool { members.isEmpty && children.isEmpty }

    /// Adds a path.
    public mutating func insert(_ path: ArraySlice<FieldStep>) {
        guard let first = path.first else { return }
        if path.count == 1 {
            members.insert(first)
        } else {
            children[first, default: FieldSet()].insert(path.dropFirst())
        }
    }

    /// Whether a path is a member.
    public func contains(_ path: [FieldStep]) -> Bool {
        guard let last = path.last else { return false }
        var set = self
        for step in path.dropLast() {
            guard let next = set.children[step] else { return false }
            set = next
        }
        return set.members.contains(last)
    }

    /// Whether a step is a member or has one below.
    public func mentions(_ step: FieldStep) -> Bool { members.contains(step) || children[step] != nil }

    /// The paths in either.
    public func union(_ other: FieldSet) -> FieldSet {
        var result = self
        result.members.formUnion(other.members)
        for (step, set) in other.children { result.children[step] = result.children[step]?.union(set) ?? set }
        return result
    }

    /// The paths in both.
    public func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.intersection(other.members)
        for (step, set) in children {
            guard let both = other.children[step]?.intersection(set), !both.isEmpty else { continue }
            result.children[step] = both
        }
        return result
    }

    /// The paths not in the other.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        result.members = members.subtracting(other.members)
        for (step, set) in children {
            let rest = other.children[step].map { set.subtracting($0) } ?? set
            if !rest.isEmpty { result.children[step] = rest }
        }
        return result
    }

    /// What lies below a step; empty when nothing does.
    public func below(_ step: FieldStep) -> FieldSet { children[step] ?? FieldSet() }

    /// All paths, sorted as they print.
    public var paths: [String] {
        var found: [String] = []
        collect("", &found)
        return found.sorted()
    }

    private func collect(_ prefix: String, _ found: inout [String]) {
        for step in members { found.append(prefix + step.description) }
        for (step, set) in children { set.collect(prefix + step.description, &found) }
    }

    mutating func insertMember(_ step: FieldStep) { members.insert(step) }
    mutating func setBelow(_ step: FieldStep, _ set: FieldSet) {
        guard !set.isEmpty else { return }
        children[step] = children[step]?.union(set) ?? set
    }
}

extension FieldSet {
    /// The set as `fieldsV1` has it.
    public var json: JSONValue {
        var object = JSONObject()
        for step in members { object[step.text] = .object([:]) }
        for (step, set) in children {
            guard case .object(var below) = set.json else { continue }
            if members.contains(step) { below["."] = .object([:]) }
            object[step.text] = .object(below)
        }
        return .object(object)
    }

    /// Reads `fieldsV1`. Nil when a step is malformed.
    public init?(json: JSONValue) {
        self.init()
        guard case .object(let object) = json else { return nil }
        for (text, value) in object where text != "." {
            guard let step = FieldStep(text: text), case .object(let below) = value else { return nil }
            if below.isEmpty || below.contains(".") { members.insert(step) }
            guard !below.isEmpty, let set = FieldSet(json: value) else {
                guard below.isEmpty else { return nil }
                continue
            }
            setBelow(step, set)
        }
    }
}

extension FieldStep {
    fileprivate var text: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .key(let keys): "k:\(JSONValue.object(keys))"
        case .value(let value): "v:\(value)"
        case .index(let index): "i:\(index)"
        }
    }

    fileprivate init?(text: String) {
        let rest = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "f:": self = .field(rest)
        case "i:":
            guard let index = Int(rest) else { return nil }
            self = .index(index)
        case "v:":
            guard let value = try? JSONParser.parse(rest) else { return nil }
            self = .value(value)
        case "k:":
            guard case .object(let keys)? = try? JSONParser.parse(rest) else { return nil }
            self = .key(keys)
        default: return nil
        }
    }
}
