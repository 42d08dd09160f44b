import Synchronization
import Values

/// All the types of a schema blob. Opening it reads the index only; a type is decoded when someone looks inside it.
public final class SchemaTable: Sendable {
    private let blob: SchemaBlob
    private let nodes: [SchemaNode]
    private let rules: AtomicLazyReference<DefaultRulesPool>

    /// Opens a blob in the layout that `Tools/generate/blob.py` writes. Nil when it is not one.
    public init?(blob bytes: UnsafeRawBufferPointer) {
        guard let blob = SchemaBlob(bytes) else { return nil }
        self.blob = blob
        self.rules = AtomicLazyReference()
        let box = TableReference()
        var nodes: [SchemaNode] = []
        nodes.reserveCapacity(blob.typeCount)
        for index in 0..<blob.typeCount {
            let (name, shape) = blob.header(ofType: index)
            nodes.append(
                SchemaNode(shape: shape, name: name) {
                    box.table?.decode(type: index) ?? SchemaBody()
                })
        }
        self.nodes = nodes
        box.attach(self)
    }

    /// How many types there are.
    public var count: Int { nodes.count }

    /// The names of all types, sorted.
    public var names: [String] { nodes.map(\.name) }

    /// A type by its OpenAPI name, such as `io.k8s.api.core.v1.Pod`.
    public func node(_ name: String) -> SchemaNode? {
        var low = 0
        var high = nodes.count
        while low < high {
            let middle = (low + high) / 2
            let candidate = nodes[middle].name
            if candidate == name { return nodes[middle] }
            if candidate < name { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The JSON text that describes the resources served: their names, verbs, columns and selectable fields.
    public var resourcesText: [UInt8] { blob.resourcesText }

    private func decode(type index: Int) -> SchemaBody {
        var reader = blob.reader(ofType: index)
        return reader.body { self.nodes[$0] } rules: { self.defaultRules($0) }
    }

    private func defaultRules(_ index: Int) -> DefaultRules? {
        let pool = rules.load() ?? rules.storeIfNil(DefaultRulesPool(blob.defaultRules()))
        return pool.rules.indices.contains(index) ? pool.rules[index] : nil
    }
}

/// Lets nodes find the table they were made for. Written once, before the table's initialiser returns.
private final class TableReference: Sendable {
    private let reference = AtomicLazyReference<SchemaTable>()
    var table: SchemaTable? { reference.load() }
    func attach(_ table: SchemaTable) { _ = reference.storeIfNil(table) }
}

private final class DefaultRulesPool: Sendable {
    let rules: [DefaultRules]
    init(_ rules: [DefaultRules]) { self.rules = rules }
}
