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

    /// As `fieldsV1` has it.
    public var text: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .key(let keys): "k:\(JSONValue.object(keys))"
        case .value(let value): "v:\(value)"
        case .index(let index): "i:\(index)"
        }
    }

    /// Reads a step of `fieldsV1`. Nil when it is malformed.
    public init?(text: String) {
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

/// A set of paths: what one manager owns. A path can be a member itself, and have members below.
///
/// Kept in the form of `fieldsV1`, so that reading and writing it costs nothing: each step is a member of an object; an
/// empty object means that the path ends here, a member "." that it ends here and goes on as well.
public struct FieldSet: Sendable, Hashable {
    /// The set as `fieldsV1` has it.
    private(set) var tree: JSONObject

    /// The empty set.
    public init() { tree = [:] }

    init(tree: JSONObject) { self.tree = tree }

    /// The set of one path.
    public init(path: [FieldStep]) {
        self.init()
        insert(path[...])
    }

    /// The set of some paths of field names.
    public init(fields paths: [[String]]) {
        self.init()
        for path in paths { insert(path.map { FieldStep.field($0) }[...]) }
    }

    /// Whether there is no path.
    public var isEmpty: Bool { tree.isEmpty }

    /// Adds a path.
    public mutating func insert(_ path: ArraySlice<FieldStep>) {
        guard !path.isEmpty else { return }
        var node = JSONObject()
        for step in path.reversed() { node = [step.text: .object(node)] }
        tree = FieldNode.union(tree, node, isRoot: true)
    }

    /// Whether a path is a member.
    public func contains(_ path: [FieldStep]) -> Bool {
        guard !path.isEmpty else { return false }
        var node = tree
        for step in path {
            guard case .object(let next)? = node[step.text] else { return false }
            node = next
        }
        return FieldNode.isMember(node)
    }

    /// The paths in either.
    public func union(_ other: FieldSet) -> FieldSet {
        FieldSet(tree: FieldNode.union(tree, other.tree, isRoot: true))
    }

    /// The paths in both.
    public func intersection(_ other: FieldSet) -> FieldSet {
        FieldSet(tree: FieldNode.children(tree) { FieldNode.intersection($1, other.tree[$0]) })
    }

    /// The paths not in the other.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        return FieldSet(tree: FieldNode.children(tree) { FieldNode.difference($1, other.tree[$0]) })
    }

    /// The paths that neither are in the other nor lie below one that is.
    public func excluding(_ other: FieldSet) -> FieldSet {
        if other.isEmpty { return self }
        return FieldSet(tree: FieldNode.children(tree) { FieldNode.excluding($1, other.tree[$0]) })
    }

    /// All paths as they print: those that end at a step before those that go on.
    public var paths: [String] {
        var found: [String] = []
        FieldNode.collect(tree, "", &found)
        return found
    }
}

extension FieldSet {
    /// The set as `fieldsV1` has it.
    public var json: JSONValue { .object(tree) }

    /// Reads `fieldsV1`. Nil when a step is malformed.
    public init?(json: JSONValue) {
        guard case .object(let object) = json, let tree = FieldNode.checked(object) else { return nil }
        self.init(tree: tree)
    }

    /// Takes `fieldsV1` that this server wrote, unchecked.
    public init(trusted json: JSONValue?) {
        guard case .object(let object)? = json else {
            self.init()
            return
        }
        self.init(tree: object)
    }
}

/// The operations on one node of a set's tree.
enum FieldNode {
    static let own = "."
    static let nothing = JSONValue.object([:])

    /// Whether the path that leads here is in the set.
    static func isMember(_ node: JSONObject) -> Bool { node.isEmpty || node.contains(own) }

    /// A node with these children; nil when nothing is in the set, neither here nor below.
    static func make(isMember: Bool, _ children: JSONObject) -> JSONObject? {
        if children.isEmpty { return isMember ? children : nil }
        guard isMember else { return children }
        var node = children
        node[own] = nothing
        return node
    }

    /// Rebuilds the children of a node; nil drops one.
    static func children(_ node: JSONObject, _ body: (String, JSONObject) -> JSONObject?) -> JSONObject {
        var result = JSONObject()
        result.reserveCapacity(node.count)
        for (step, value) in node where step != own {
            guard case .object(let below) = value, let kept = body(step, below) else { continue }
            result.appendInOrder(step, .object(kept))
        }
        return result
    }

    static func union(_ left: JSONObject, _ right: JSONObject, isRoot: Bool = false) -> JSONObject {
        if left.isEmpty || right.isEmpty {
            var result = left.isEmpty ? right : left
            // An empty node is a path that ends here.
            if !isRoot, !result.isEmpty { result[own] = nothing }
            return result
        }
        var result = left
        for (step, value) in right {
            guard case .object(let theirs) = value, case .object(let ours)? = result[step], step != own else {
                result[step] = value
                continue
            }
            result[step] = .object(union(ours, theirs))
        }
        return result
    }

    static func intersection(_ left: JSONObject, _ right: JSONValue?) -> JSONObject? {
        guard case .object(let right)? = right else { return nil }
        let below = children(left) { intersection($1, right[$0]) }
        return make(isMember: isMember(left) && isMember(right), below)
    }

    static func difference(_ left: JSONObject, _ right: JSONValue?) -> JSONObject? {
        guard case .object(let right)? = right else { return left }
        let below = children(left) { difference($1, right[$0]) }
        return make(isMember: isMember(left) && !isMember(right), below)
    }

    static func excluding(_ left: JSONObject, _ right: JSONValue?) -> JSONObject? {
        guard case .object(let right)? = right else { return left }
        if isMember(right) { return nil }
        let below = children(left) { excluding($1, right[$0]) }
        return make(isMember: isMember(left), below)
    }

    static func collect(_ node: JSONObject, _ prefix: String, _ found: inout [String]) {
        let steps = node.filter { $0.key != own }.map {
            (words: FieldStep(text: $0.key)?.description ?? $0.key, below: $0.value.object ?? [:])
        }
        for step in steps where isMember(step.below) { found.append(prefix + step.words) }
        for step in steps { collect(step.below, prefix + step.words, &found) }
    }

    /// The tree with canonical steps; nil when one is malformed.
    static func checked(_ node: JSONObject) -> JSONObject? {
        var result = JSONObject()
        for (text, value) in node {
            guard case .object(let below) = value else { return nil }
            if text == own {
                result[own] = nothing
                continue
            }
            guard let step = FieldStep(text: text), let kept = checked(below) else { return nil }
            // `{".":{}}` says no more than `{}`.
            result[step.text] = kept.count == 1 && kept.contains(own) ? nothing : .object(kept)
        }
        return result
    }
}
