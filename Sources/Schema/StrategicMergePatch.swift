import Values

/// Why a strategic merge patch cannot be applied, in upstream's words.
public struct StrategicMergePatchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The message.
    public var message: String
    /// Makes an error.
    public init(_ message: String) { self.message = message }
    /// The message.
    public var description: String { message }

    /// Whether the patch breaks the form of its directives: a bad request.
    public var isMalformed: Bool { [Self.primitiveList, .retainKeysForm, .setElementOrder].contains(self) }
    /// Whether the patch is well-formed but cannot be carried out.
    public var isRefused: Bool { self == Self.listOfLists }

    static let primitiveList = Self("invalid patch format of primitive list")
    static let retainKeysForm = Self("invalid patch format of retainKeys")
    static let setElementOrder = Self("invalid patch format of setElementOrder list")
    static let listOfLists = Self("lists of lists are not supported")

    static func noMergeKey(_ object: JSONObject, _ key: String) -> Self {
        Self("map: \(GoText.print(.object(object))) does not contain declared merge key: \(key)")
    }
    static func wrongType(expected: String, _ value: JSONValue) -> Self {
        Self("expected a \(expected), but received a \(GoText.type(value))")
    }
    static func patchType(_ type: JSONValue, _ object: JSONObject) -> Self {
        Self("unknown patch type: \(GoText.print(type)) in map: \(GoText.print(.object(object)))")
    }
}

/// Strategic merge: a merge patch that knows which lists are keyed, and understands directives.
public enum StrategicMergePatch {
    /// Applies a patch to an object of the given type.
    public static func apply(
        _ patch: JSONValue,
        to original: JSONValue,
        schema: SchemaNode
    ) throws(StrategicMergePatchError) -> JSONValue {
        guard case .object(let patchObject) = patch else {
            throw .wrongType(expected: GoText.map, patch)
        }
        guard case .object(let object) = original else {
            throw .wrongType(expected: GoText.map, original)
        }
        return .object(try Merge.objects(object, patchObject, schema))
    }
}

private typealias Failure = StrategicMergePatchError

/// The names of the directives.
enum Directive {
    static let marker = "$patch"
    static let retainKeys = "$retainKeys"
    static let deletionPrefix = "$deleteFromPrimitiveList"
    static let orderPrefix = "$setElementOrder"

    /// The field a prefixed directive is about: what follows the first slash.
    static func field(_ key: String, _ prefix: String) throws(StrategicMergePatchError) -> String {
        guard let slash = key.firstIndex(of: "/"), key[..<slash] == prefix else {
            throw prefix == deletionPrefix ? .primitiveList : .setElementOrder
        }
        return String(key[key.index(after: slash)...])
    }
}

/// How a field is merged, as its schema says.
private struct FieldRule {
    let node: SchemaNode
    let strategy: String
    let mergeKey: String

    /// Looks a field up in a struct, or an element in a map.
    static func find(_ schema: SchemaNode, _ key: String) throws(Failure) -> FieldRule {
        switch schema.shape {
        case .object:
            guard let field = schema.field(key) else {
                let name = schema.name.split(separator: ".").last.map(String.init) ?? ""
                let quoted = GoQuote.quote(key)
                throw Failure("unable to find api field in struct \(name) for the json field \(quoted)")
            }
            let strategies = (field.rare?.patchStrategies ?? []).filter { $0 != "retainKeys" }
            guard strategies.count < 2 else { throw Failure("unexpected patch strategy: \(strategies)") }
            return FieldRule(
                node: field.node,
                strategy: strategies.first ?? "",
                mergeKey: field.rare?.patchMergeKey ?? ""
            )
        case .map: return FieldRule(node: schema.element ?? .anything, strategy: "", mergeKey: "")
        default: return FieldRule(node: .anything, strategy: "", mergeKey: "")
        }
    }

    /// The type of the elements, when the field is a list.
    var elementNode: SchemaNode { node.element ?? .anything }
}

/// The recursion. Values in, values out.
private enum Merge {
    static func objects(_ original: JSONObject, _ patch: JSONObject, _ schema: SchemaNode) throws(Failure) -> JSONObject {
        var patch = patch
        if let directive = patch[Directive.marker] {
            switch directive {
            case "replace":
                patch[Directive.marker] = nil
                return patch
            case "delete": return [:]
            default: throw .patchType(directive, patch)
            }
        }
        var result = original
        try retainKeys(&result, &patch)
        try orderedLists(&result, &patch, schema)
        for (key, value) in patch { try member(key, value, into: &result, schema) }
        return result
    }

    private static func member(
        _ key: String,
        _ patch: JSONValue,
        into result: inout JSONObject,
        _ schema: SchemaNode
    ) throws(Failure) {
        var key = key
        let isDeletion = key.hasPrefix(Directive.deletionPrefix)
        if isDeletion { key = try Directive.field(key, Directive.deletionPrefix) }
        if case .null = patch {
            result[key] = nil
            return
        }
        switch (result[key], patch) {
        case (.object(let left)?, .object(let right)):
            let rule = try FieldRule.find(schema, key)
            result[key] = .object(rule.strategy == "replace" ? right : try objects(left, right, rule.node))
        case (.array(let left)?, .array(let right)):
            let rule = try FieldRule.find(schema, key)
            if rule.strategy == "merge" || isDeletion {
                let merged = try lists(left, right, rule.elementNode, rule.mergeKey, isDeletion: isDeletion)
                result[key] = .array(merged)
            } else {
                result[key] = patch
            }
        default:
            if isDeletion { return }
            result[key] = withoutDirectives(withoutNulls(patch))
        }
    }

    private static func retainKeys(_ original: inout JSONObject, _ patch: inout JSONObject) throws(Failure) {
        guard let directive = patch.removeValue(forKey: Directive.retainKeys) else { return }
        guard case .array(let list) = directive else { throw .retainKeysForm }
        let keys = Set(list)
        for (key, value) in patch {
            if value == .null || key.hasPrefix(Directive.deletionPrefix) || key.hasPrefix(Directive.orderPrefix) {
                continue
            }
            guard keys.contains(.string(key)) else { throw .retainKeysForm }
        }
        original.removeAll { !keys.contains(.string($0.key)) }
    }

    /// Merges the lists for which the patch gives an order, and takes them out of the patch.
    private static func orderedLists(
        _ original: inout JSONObject,
        _ patch: inout JSONObject,
        _ schema: SchemaNode
    ) throws(Failure) {
        for (key, value) in patch where key.hasPrefix(Directive.orderPrefix) {
            patch[key] = nil
            guard case .array(let order) = value else { throw .wrongType(expected: GoText.slice, value) }
            let name = try Directive.field(key, Directive.orderPrefix)
            let left = try list(original[name])
            let right = try list(patch[name])
            let rule = try FieldRule.find(schema, name)
            try Order.check(patch: right ?? [], order: order, rule.mergeKey)
            var merged: [JSONValue]
            switch (left, right) {
            case (nil, nil): continue
            case (let left?, nil): merged = left
            case (nil, let right?):
                guard case .array(let clean)? = withoutDirectives(.array(right)) else { continue }
                merged = clean
            case (let left?, let right?):
                merged =
                    rule.strategy == "merge"
                    ? try lists(left, right, rule.elementNode, rule.mergeKey, isDeletion: false) : right
            }
            guard try elementKind([left ?? [], right ?? []]) != nil else {
                throw Failure("no elements in any of the given slices")
            }
            let (named, serverOnly) = try Order.partition(merged, by: order, rule.mergeKey)
            if rule.mergeKey.isEmpty { try Order.checkKeyless([named, order, serverOnly, left ?? []]) }
            merged = try Order.normalize(
                named,
                serverOnly,
                patchOrder: order,
                serverOrder: left ?? [],
                rule.mergeKey
            )
            original[name] = .array(merged)
            patch[name] = nil
        }
    }

    private static func list(_ value: JSONValue?) throws(Failure) -> [JSONValue]? {
        guard let value else { return nil }
        guard case .array(let list) = value else { throw .wrongType(expected: GoText.slice, value) }
        return list
    }

    static func lists(
        _ original: [JSONValue],
        _ patch: [JSONValue],
        _ schema: SchemaNode,
        _ mergeKey: String,
        isDeletion: Bool
    ) throws(Failure) -> [JSONValue] {
        guard let kind = try elementKind([original, patch]) else { return original }
        guard kind == "map" else {
            if isDeletion {
                let deleted = Set(patch)
                return original.filter { !deleted.contains($0) }
            }
            let merged = distinct(original + patch)
            let (named, serverOnly) = try Order.partition(merged, by: patch, "")
            return try Order.normalize(named, serverOnly, patchOrder: patch, serverOrder: original, "")
        }
        guard !mergeKey.isEmpty else {
            throw Failure("cannot merge lists without merge key for \(GoText.structWord(schema))")
        }
        let (base, additions) = try directives(original, patch, mergeKey)
        let merged = try keyed(base, additions, schema, mergeKey)
        let (named, serverOnly) = try Order.partition(merged, by: additions, mergeKey)
        return try Order.normalize(named, serverOnly, patchOrder: additions, serverOrder: base, mergeKey)
    }

    /// Carries out the `$patch` elements of a list; what is left is to be merged.
    private static func directives(
        _ original: [JSONValue],
        _ patch: [JSONValue],
        _ mergeKey: String
    ) throws(Failure) -> (base: [JSONValue], additions: [JSONValue]) {
        var deleted: Set<JSONValue> = []
        var additions: [JSONValue] = []
        var replaces = false
        for case .object(let element) in patch {
            guard let directive = element[Directive.marker] else {
                additions.append(.object(element))
                continue
            }
            switch directive {
            case "delete":
                guard let key = element[mergeKey] else { throw .noMergeKey(element, mergeKey) }
                deleted.insert(key)
            case "replace": replaces = true
            case "merge": throw Failure("merging lists cannot yet be specified in the patch")
            default: throw .patchType(directive, element)
            }
        }
        if replaces { return (additions, []) }
        return (deleted.isEmpty ? original : original.filter { $0[mergeKey].map { !deleted.contains($0) } ?? true }, additions)
    }

    private static func keyed(
        _ base: [JSONValue],
        _ additions: [JSONValue],
        _ schema: SchemaNode,
        _ mergeKey: String
    ) throws(Failure) -> [JSONValue] {
        var result = base
        var places: [JSONValue: Int] = [:]
        for (index, element) in base.enumerated() {
            if let key = element[mergeKey], places[key] == nil { places[key] = index }
        }
        for case .object(let element) in additions {
            guard let key = element[mergeKey] else { throw .noMergeKey(element, mergeKey) }
            if let index = places[key], case .object(let found) = result[index] {
                result[index] = .object(try objects(found, element, schema))
            } else {
                places[key] = result.count
                result.append(.object(element))
            }
        }
        return result
    }

    /// What the elements of some lists are, all alike; nil when there are none.
    private static func elementKind(_ lists: [[JSONValue]]) throws(Failure) -> String? {
        var kind: String?
        for element in lists.joined() {
            let next = GoText.kind(element)
            guard next != "slice" else { throw .listOfLists }
            if let kind, kind != next {
                let all = lists.map { GoText.print(.array($0)) }.joined(separator: " ")
                throw Failure("list element types are not identical: [\(all)]")
            }
            kind = next
        }
        return kind
    }

    private static func distinct(_ list: [JSONValue]) -> [JSONValue] {
        var seen: Set<JSONValue> = []
        return list.filter { seen.insert($0).inserted }
    }

    /// A value that is new to the object must not bring nulls …
    private static func withoutNulls(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(var object):
            object.removeAll { $0.value == .null }
            return .object(object.mapValues { withoutNulls($0) })
        case .array(let list): return .array(list.map { withoutNulls($0) })
        default: return value
        }
    }

    /// … nor `$patch`; nil when it is nothing but that. Other directives stay, and are fields that nobody knows.
    private static func withoutDirectives(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let object):
            guard !object.contains(Directive.marker) else { return nil }
            var result = JSONObject()
            for (key, item) in object {
                if let clean = withoutDirectives(item) { result[key] = clean }
            }
            return .object(result)
        case .array(let list): return .array(list.compactMap { withoutDirectives($0) })
        default: return value
        }
    }
}
