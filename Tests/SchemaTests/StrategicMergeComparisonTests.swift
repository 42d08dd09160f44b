import Schema
import Testing
import Values

/// Random types, objects and patches: the implementation against a simple one that knows no order. The order of merged
/// lists has its own tests.
@Suite struct StrategicMergeComparisonTests {
    private struct Generator {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
        }

        mutating func structure(_ depth: Int) -> SchemaNode {
            var fields = (0..<(2 + next(3))).map { field("f\($0)", depth) }
            fields.append(SchemaField(name: "name", node: .scalar(.string)))
            return SchemaNode(shape: .object, body: SchemaBody(fields: fields.sorted { $0.name < $1.name }))
        }

        private mutating func field(_ name: String, _ depth: Int) -> SchemaField {
            func list(_ element: SchemaNode) -> SchemaNode { SchemaNode(shape: .list, body: SchemaBody(element: element)) }
            switch depth > 2 ? next(3) : next(7) {
            case 0: return SchemaField(name: name, node: .scalar(.string))
            case 1: return SchemaField(name: name, node: list(.scalar(.string)))
            case 2: return SchemaField(name: name, node: list(.scalar(.string)), rare: .init(patchStrategies: ["merge"]))
            case 3: return SchemaField(name: name, node: SchemaNode(shape: .map, body: SchemaBody(element: .scalar(.string))))
            case 4: return SchemaField(name: name, node: structure(depth + 1))
            case 5:
                let rare = SchemaField.Rare(patchStrategies: ["merge"], patchMergeKey: "name")
                return SchemaField(name: name, node: list(structure(depth + 1)), rare: rare)
            default: return SchemaField(name: name, node: structure(depth + 1), rare: .init(patchStrategies: ["retainKeys"]))
            }
        }

        mutating func value(_ node: SchemaNode, isPatch: Bool) -> JSONValue {
            switch node.shape {
            case .string: return ["a", "b", "c"][next(3)]
            case .map:
                var object = JSONObject()
                for key in ["x", "y", "z"] where next(2) == 0 {
                    object[key] = isPatch && next(3) == 0 ? .null : value(.scalar(.string), isPatch: isPatch)
                }
                return .object(object)
            case .list: return .array(["p", "q", "r"].filter { _ in next(2) == 0 })
            default: return .object(object(node, isPatch: isPatch))
            }
        }

        private mutating func object(_ node: SchemaNode, isPatch: Bool) -> JSONObject {
            var object = JSONObject()
            for field in node.fields where field.name != "name" && next(2) == 0 {
                if isPatch, next(6) == 0 {
                    object[field.name] = .null
                } else if field.rare?.patchMergeKey == "name" {
                    object[field.name] = .array(elements(field.node, isPatch: isPatch))
                } else if isPatch, field.rare?.patchStrategies == ["merge"], next(2) == 0 {
                    object["$deleteFromPrimitiveList/\(field.name)"] = value(field.node, isPatch: true)
                } else {
                    object[field.name] = value(field.node, isPatch: isPatch)
                }
            }
            guard isPatch else { return object }
            if next(8) == 0 {
                let kept = object.keys.filter { !$0.hasPrefix("$") && object[$0] != .null }
                object["$retainKeys"] = .array((kept + ["name"]).map { .string($0) })
            } else if next(10) == 0 {
                object["$patch"] = "replace"
                for key in object.keys where key.hasPrefix("$delete") || object[key] == .null { object[key] = nil }
            }
            return object
        }

        private mutating func elements(_ node: SchemaNode, isPatch: Bool) -> [JSONValue] {
            ["k1", "k2", "k3"].filter { _ in next(2) == 0 }.map { (name: String) -> JSONValue in
                if isPatch, next(4) == 0 { return ["$patch": "delete", "name": .string(name)] }
                var item = object(node.element ?? .anything, isPatch: isPatch)
                // Elsewhere the directives of elements have other meanings.
                item["$patch"] = nil
                item["$retainKeys"] = nil
                item["name"] = .string(name)
                return .object(item)
            }
        }
    }

    private enum Reference {
        static func merge(_ original: JSONObject, _ patch: JSONObject, _ node: SchemaNode) -> JSONObject {
            if patch["$patch"] == "replace" { return patch.filter { $0.key != "$patch" } }
            if patch["$patch"] == "delete" { return [:] }
            var result = original
            if let keys = patch["$retainKeys"]?.array { result = result.filter { keys.contains(.string($0.key)) } }
            for (key, value) in patch where key != "$retainKeys" {
                if key.hasPrefix("$deleteFromPrimitiveList/") {
                    let name = String(key.dropFirst("$deleteFromPrimitiveList/".count))
                    guard let list = result[name]?.array, let gone = value.array else { continue }
                    result[name] = .array(list.filter { !gone.contains($0) })
                } else if value == .null {
                    result[key] = nil
                } else {
                    result[key] = member(result[key], value, node.field(key), node.shape == .map ? node.element : node.field(key)?.node)
                }
            }
            return result
        }

        private static func member(_ old: JSONValue?, _ new: JSONValue, _ field: SchemaField?, _ node: SchemaNode?) -> JSONValue? {
            switch (old, new) {
            case (.object(let left)?, .object(let right)): return .object(merge(left, right, node ?? .anything))
            case (.array(let left)?, .array(let right)) where field?.rare?.patchStrategies == ["merge"]:
                return .array(lists(left, right, field?.rare?.patchMergeKey ?? "", node?.element ?? .anything))
            default: return fresh(new)
            }
        }

        private static func lists(_ left: [JSONValue], _ right: [JSONValue], _ key: String, _ node: SchemaNode) -> [JSONValue] {
            if key.isEmpty { return left + right.filter { !left.contains($0) } }
            var byKey: [JSONValue: JSONObject] = [:]
            for item in left { byKey[item[key] ?? .null] = item.object }
            for item in right where item["$patch"] == "delete" { byKey[item[key] ?? .null] = nil }
            for item in right where item["$patch"] == nil {
                let name = item[key] ?? .null
                // An element that is new comes as it is.
                byKey[name] = byKey[name].map { merge($0, item.object ?? [:], node) } ?? item.object
            }
            return byKey.values.map { .object($0) }
        }

        /// A value that was not there comes without nulls and what `$patch` is said of; other directives are not understood in it.
        private static func fresh(_ value: JSONValue) -> JSONValue? {
            switch value {
            case .object(let object):
                if object.contains("$patch") { return nil }
                var result = JSONObject()
                for (key, item) in object where item != .null { result[key] = fresh(item) }
                return .object(result)
            case .array(let list): return .array(list.compactMap(fresh))
            default: return value
            }
        }
    }

    /// A value whose merged lists are sorted.
    private static func sorted(_ value: JSONValue, _ node: SchemaNode) -> JSONValue {
        guard case .object(let object) = value else { return value }
        var result = JSONObject()
        for (key, item) in object {
            let field = node.field(key)
            if field?.rare?.patchStrategies == ["merge"], case .array(let list) = item {
                let parts = list.map { sorted($0, field?.node.element ?? .anything) }
                result[key] = .array(parts.sorted { $0.description < $1.description })
            } else {
                result[key] = sorted(item, field?.node ?? .anything)
            }
        }
        return .object(result)
    }

    @Test(arguments: 0..<100)
    func `a patch comes out as with the reference`(_ seed: Int) throws {
        var generator = Generator(state: UInt64(seed) &* 32_452_843 &+ 11)
        for _ in 0..<20 {
            let root = generator.structure(0)
            let (old, patch) = (generator.value(root, isPatch: false), generator.value(root, isPatch: true))
            let found = try StrategicMergePatch.apply(patch, to: old, schema: root)
            let wanted = JSONValue.object(Reference.merge(old.object ?? [:], patch.object ?? [:], root))
            #expect(Self.sorted(found, root) == Self.sorted(wanted, root), "seed \(seed): \(patch) on \(old)")
        }
    }
}
