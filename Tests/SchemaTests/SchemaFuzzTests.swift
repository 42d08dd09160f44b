import APIModel
import APITypes
import Schema
import Testing
import Values

/// Random objects of random shapes against every type: nothing may crash, and a second pass may change nothing.
@Suite struct SchemaFuzzTests {
    struct Generator {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
        }

        mutating func scalar() -> JSONValue {
            switch next(9) {
            case 0: .null
            case 1: .bool(next(2) == 0)
            case 2: .integer(Int64(next(4)) - 1)
            case 3: .number(1.5)
            case 4: ""
            case 5: "10Mi"
            case 6: "2026-01-02T03:04:05.6Z"
            case 7: "eA=="
            default: "x\u{0}\u{1F600}"
            }
        }

        /// A value that mostly fits the type.
        mutating func value(_ node: SchemaNode, _ depth: Int) -> JSONValue {
            if depth > 6 || next(12) == 0 { return scalar() }
            switch node.shape {
            case .object:
                var object = JSONObject()
                for field in node.fields where next(3) == 0 { object[field.name] = value(field.node, depth + 1) }
                if next(6) == 0 { object["$patch"] = ["replace", "delete", "merge", 5][next(4)] }
                if next(8) == 0 { object["novel"] = scalar() }
                return .object(object)
            case .map:
                var object = JSONObject()
                for name in ["a", "b"] where next(2) == 0 { object[name] = value(node.element ?? .anything, depth + 1) }
                return .object(object)
            case .list: return .array((0..<next(3)).map { _ in value(node.element ?? .anything, depth + 1) })
            default: return scalar()
            }
        }
    }

    @Test(arguments: 0..<8)
    func `random objects neither crash nor change twice`(_ seed: Int) {
        var generator = Generator(state: UInt64(seed) &* 7_919 &+ 1)
        for name in BuiltinSchema.table().names {
            let node = BuiltinSchema.node(name)
            guard node.shape == .object else { continue }
            let given = generator.value(node, 0)
            var value = given
            node.normalize(&value)
            var again = value
            node.normalize(&again)
            #expect(again == value, "\(name) \(given)")
            node.applyDefaults(&value)
            again = value
            node.applyDefaults(&again)
            #expect(again == value, "\(name) \(given)")
            _ = node.prune(&again)
            #expect(node.prune(&again).isEmpty)
            _ = node.validate(given, path: .root)
        }
    }

    @Test(arguments: 0..<8)
    func `random patches give a result or a refusal`(_ seed: Int) {
        var generator = Generator(state: UInt64(seed) &* 104_729 &+ 7)
        let kinds = ["core.v1.Pod", "core.v1.Service", "apps.v1.Deployment", "core.v1.Node"]
        for _ in 0..<200 {
            let node = BuiltinSchema.node("io.k8s.api.\(kinds[generator.next(kinds.count)])")
            let original = generator.value(node, 0)
            let patch = generator.value(node, 0)
            do throws(StrategicMergePatchError) {
                _ = try StrategicMergePatch.apply(patch, to: original, schema: node)
            } catch {
                #expect(!error.message.isEmpty)
            }
            let merged = FieldOwnership.merge(original, patch, node)
            let claimed = FieldOwnership.claimed(by: patch, node)
            #expect(FieldSet(json: claimed.json) == claimed)
            let changes = FieldOwnership.compare(merged, merged, node)
            #expect(changes.added.isEmpty && changes.modified.isEmpty && changes.removed.isEmpty)
        }
    }
}
