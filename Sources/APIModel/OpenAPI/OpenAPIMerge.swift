import Values

/// Joins the OpenAPI v2 documents of several servers as upstream's aggregator does: of one path the first document counts;
/// definitions of one name that differ are renamed `_v2`, `_v3` and so on.
///
/// Documents come from other servers. What has an unexpected shape is left out.
public struct OpenAPIMerge: Sendable {
    private static let kindsKey = "x-kubernetes-group-version-kind"
    private static let definitionPrefix = "#/definitions/"
    private static let parameterPrefix = "#/parameters/"

    /// The definitions by name.
    public private(set) var definitions: [String: JSONValue]
    /// The path items by path.
    public private(set) var paths: [String: JSONValue]

    /// Starts with what is served here.
    public init(definitions: [(String, JSONValue)] = [], paths: [(String, JSONValue)] = []) {
        self.definitions = Dictionary(definitions) { first, _ in first }
        self.paths = Dictionary(paths) { first, _ in first }
    }

    /// The part of a document below `prefix`: its paths, and the definitions they lead to. Parameters that several paths
    /// share are put where they are used.
    public static func part(_ document: JSONValue, below prefix: String) -> JSONValue {
        let parameters = document["parameters"]?.object ?? [:]
        var paths = JSONObject()
        var wanted: Set<String> = []
        for (path, item) in document["paths"]?.object ?? [:] where path.hasPrefix(prefix) && item.object != nil {
            let whole = rewritten(item) { members in
                guard let name = name(members, parameterPrefix) else { return nil }
                return parameters[name]
            }
            collect(whole, into: &wanted)
            paths[path] = whole
        }
        let known = document["definitions"]?.object ?? [:]
        var definitions = JSONObject()
        while let name = wanted.popFirst() {
            guard definitions[name] == nil, let definition = known[name], definition.object != nil else { continue }
            definitions[name] = definition
            collect(definition, into: &wanted)
        }
        return ["definitions": .object(definitions), "paths": .object(paths)]
    }

    /// Adds a document; it is not asked for more than its paths and definitions.
    public mutating func add(_ document: JSONValue) {
        let added = (document["paths"]?.object ?? [:]).filter { paths[$0.0] == nil }
        guard !added.isEmpty else { return }
        let own = document["definitions"]?.object ?? [:]
        let renames = renames(own)
        func renamed(_ value: JSONValue) -> JSONValue {
            if renames.isEmpty { return value }
            return Self.rewritten(value) { members in
                guard let name = Self.name(members, Self.definitionPrefix), let other = renames[name] else { return nil }
                var members = members
                members["$ref"] = .string(Self.definitionPrefix + other)
                return .object(members)
            }
        }
        for (path, item) in added { paths[path] = renamed(item) }
        for (name, definition) in own {
            let place = renames[name] ?? name
            guard let known = definitions[place] else {
                definitions[place] = renamed(definition)
                continue
            }
            definitions[place] = Self.joined(known, definition)
        }
    }

    /// New names for definitions that say something else here.
    private func renames(_ own: JSONObject) -> [String: String] {
        var renames: [String: String] = [:]
        var used: Set<String> = []
        for (name, definition) in own {
            guard let known = definitions[name], !Self.isSame(known, definition) else { continue }
            var number = 2
            while true {
                let candidate = "\(name)_v\(number)"
                // One that was renamed before and says the same does.
                if let other = definitions[candidate], Self.isSame(other, definition) {
                    renames[name] = candidate
                    break
                }
                if definitions[candidate] == nil, own[candidate] == nil, used.insert(candidate).inserted {
                    renames[name] = candidate
                    break
                }
                number += 1
            }
        }
        return renames
    }

    /// Whether two definitions differ in no more than the kinds that they are.
    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        var (one, other) = (one, other)
        one[kindsKey] = nil
        other[kindsKey] = nil
        return one == other
    }

    /// A definition that is all kinds that either is.
    private static func joined(_ known: JSONValue, _ other: JSONValue) -> JSONValue {
        let kinds = known[kindsKey]?.array ?? []
        let more = (other[kindsKey]?.array ?? []).filter { !kinds.contains($0) }
        guard !more.isEmpty else { return known }
        var known = known
        known[kindsKey] = .array(kinds + more)
        return known
    }

    /// What a reference is to, below `prefix`.
    private static func name(_ members: JSONObject, _ prefix: String) -> String? {
        guard let text = members["$ref"]?.string, text.hasPrefix(prefix) else { return nil }
        return String(text.dropFirst(prefix.count))
    }

    private static func collect(_ value: JSONValue, into names: inout Set<String>) {
        switch value {
        case .object(let members):
            if let name = name(members, definitionPrefix) { names.insert(name) }
            for (_, member) in members { collect(member, into: &names) }
        case .array(let items):
            for item in items { collect(item, into: &names) }
        default: return
        }
    }

    /// The value with those objects replaced for which `change` has something; what replaces is not looked into.
    private static func rewritten(_ value: JSONValue, _ change: (JSONObject) -> JSONValue?) -> JSONValue {
        switch value {
        case .object(let members):
            if let replaced = change(members) { return replaced }
            var out = JSONObject()
            for (name, member) in members { out[name] = rewritten(member, change) }
            return .object(out)
        case .array(let items): return .array(items.map { rewritten($0, change) })
        default: return value
        }
    }
}
