import APIModel
import Schema
import Testing
import Values

/// Random types, objects and configurations: the implementation against the reference.
@Suite struct ApplyComparisonTests {
    struct Generator {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(bound))
        }

        mutating func type(_ depth: Int) -> SchemaNode {
            switch depth > 3 ? next(4) : next(10) {
            case 0: return .scalar(.string)
            case 1: return .scalar(.integer, format: "int64")
            case 2: return SchemaNode(shape: .list, body: SchemaBody(element: .scalar(.string), listType: .set))
            case 3: return SchemaNode(shape: .list, body: SchemaBody(element: .scalar(.integer, format: "int64"), listType: .atomic))
            case 4: return SchemaNode(shape: .map, body: SchemaBody(element: .scalar(.string)))
            case 5: return SchemaNode(shape: .map, body: SchemaBody(element: type(depth + 1)))
            case 6, 7:
                var fields = structure(depth + 1).fields.filter { $0.name != "name" }
                fields.append(SchemaField(name: "name", node: .scalar(.string)))
                let element = SchemaNode(shape: .object, body: SchemaBody(fields: fields.sorted { $0.name < $1.name }))
                return SchemaNode(shape: .list, body: SchemaBody(element: element, listType: .map(["name"])))
            case 8: return SchemaNode(shape: .object, body: SchemaBody(fields: structure(depth + 1).fields, atomicMap: true))
            default: return structure(depth + 1)
            }
        }

        mutating func structure(_ depth: Int) -> SchemaNode {
            let fields = (0..<(2 + next(3))).map { SchemaField(name: "f\($0)", node: type(depth)) }
            return SchemaNode(shape: .object, body: SchemaBody(fields: fields))
        }

        mutating func value(_ node: SchemaNode) -> JSONValue {
            switch node.shape {
            case .string: return ["a", "b", "c\"d"][next(3)]
            case .integer: return .integer(Int64(next(3)))
            case .object:
                var object = JSONObject()
                for field in node.fields where next(2) == 0 { object[field.name] = value(field.node) }
                return .object(object)
            case .map:
                var object = JSONObject()
                for key in ["x", "y", "z.w/v"] where next(2) == 0 { object[key] = value(node.element ?? .anything) }
                return .object(object)
            default: return .array(list(node))
            }
        }

        private mutating func list(_ node: SchemaNode) -> [JSONValue] {
            guard case .map = node.listType else {
                let pool: [JSONValue] = node.listType == .set ? ["p", "q", "r"] : [1, 2]
                return pool.filter { _ in next(2) == 0 }
            }
            return ["k1", "k2", "k3"].filter { _ in next(2) == 0 }.map { (name: String) -> JSONValue in
                var item = value(node.element ?? .anything)
                item["name"] = .string(name)
                return item
            }
        }
    }

    private static func text(_ set: Set<ApplyReference.Path>) -> [String] { set.map { $0.joined(separator: " ") }.sorted() }

    private static func paths(_ set: FieldSet) -> Set<ApplyReference.Path> {
        var found: Set<ApplyReference.Path> = []
        func walk(_ node: JSONValue, _ path: ApplyReference.Path) {
            guard case .object(let object) = node else { return }
            if object.isEmpty || object.contains("."), !path.isEmpty { found.insert(path) }
            for (step, below) in object where step != "." { walk(below, path + [step]) }
        }
        walk(set.json, [])
        return found
    }

    @Test(arguments: 0..<60)
    func `changes and claims are those of the reference`(_ seed: Int) {
        var generator = Generator(state: UInt64(seed) &* 104_729 &+ 17)
        for _ in 0..<20 {
            let root = generator.structure(0)
            let (old, new) = (generator.value(root), generator.value(root))
            let (a, b) = (ApplyReference.flatten(old, root), ApplyReference.flatten(new, root))
            let changes = FieldOwnership.compare(old, new, root)
            let wanted = ApplyReference.compare(a, b)
            let note = "seed \(seed): \(old) → \(new)"
            #expect(Self.text(Self.paths(changes.added)) == Self.text(wanted.added), "added, \(note)")
            #expect(Self.text(Self.paths(changes.modified)) == Self.text(wanted.modified), "modified, \(note)")
            #expect(Self.text(Self.paths(changes.removed)) == Self.text(wanted.removed), "removed, \(note)")
            let merged = FieldOwnership.merge(old, new, root)
            #expect(ApplyReference.flatten(merged, root) == ApplyReference.merge(a, b), "merged, \(note)")
        }
    }

    @Test(arguments: 0..<60)
    func `a series of applies comes out as with the reference`(_ seed: Int) throws {
        var generator = Generator(state: UInt64(seed) &* 15_485_863 &+ 5)
        let root = generator.structure(0)
        let write = OwnedWrite(apiVersion: "v1", schema: root, time: "2027-01-15T08:00:00Z")
        var reference = ApplyReference(root)
        var nodes = ApplyReference.flatten([:], root)
        var live: JSONValue = [:]
        var fields = ManagedFields()
        for step in 0..<12 {
            let name = ["a", "b", "c"][generator.next(3)]
            let given = generator.value(root)
            let manager = ManagedFields.Manager(name: name, operation: "Apply", apiVersion: "v1")
            let before = live
            live = try fields.apply(given, to: live, by: manager, write, force: true)
            nodes = reference.apply(ApplyReference.flatten(given, root), to: nodes, by: name)
            let note = "seed \(seed), step \(step): \(name) applies \(given) to \(before)"
            try #require(ApplyReference.flatten(live, root) == nodes, "\(note): \(live)")
            for (owner, wanted) in reference.owners {
                let found = fields.fields(of: ManagedFields.Manager(name: owner, operation: "Apply", apiVersion: "v1")) ?? FieldSet()
                try #require(Self.text(Self.paths(found)) == Self.text(wanted), "\(note): owned by \(owner)")
            }
        }
    }
}
