import Synchronization
import Values

/// All the types of a schema blob. Opening it reads the index only; a type is decoded when someone looks inside it.
public final class SchemaTable: Sendable {
    private let blob: SchemaBlob
    private let nodes: NodeSlots
    private let rules = AtomicLazyReference<DefaultRulesPool>()

    /// Opens a blob in the layout that `Tools/generate/blob.py` writes. Nil when it is not one. The memory must stay
    /// unchanged for as long as the program runs.
    public init?(blob bytes: UnsafeRawBufferPointer) {
        guard let blob = SchemaBlob(bytes) else { return nil }
        self.blob = blob
        self.nodes = NodeSlots(count: blob.typeCount)
    }

    /// How many types there are.
    public var count: Int { blob.typeCount }

    /// The names of all types, sorted.
    public var names: [String] { (0..<count).map { blob.header(ofType: $0).name } }

    /// A type by its OpenAPI name, such as `io.k8s.api.core.v1.Pod`.
    public func node(_ name: String) -> SchemaNode? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let candidate = blob.header(ofType: middle).name
            if candidate == name { return node(at: middle) }
            if candidate < name { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private func node(at index: Int) -> SchemaNode {
        nodes.node(at: index) {
            let (name, shape) = blob.header(ofType: index)
            return SchemaNode(shape: shape, name: name) { self.decode(type: index) }
        }
    }

    /// The JSON text that describes the resources served: their names, verbs, columns and selectable fields.
    public var resourcesText: [UInt8] { blob.resourcesText }

    private func decode(type index: Int) -> SchemaBody {
        var reader = blob.reader(ofType: index)
        return reader.body {
            self.node(at: $0)
        } rules: {
            self.defaultRules($0)
        }
    }

    private func defaultRules(_ index: Int) -> DefaultRules? {
        let pool = rules.load() ?? rules.storeIfNil(DefaultRulesPool(blob.defaultRules()))
        return pool.rules.indices.contains(index) ? pool.rules[index] : nil
    }
}

/// One node per type, made on first use.
///
/// `@unchecked Sendable`: the slots are atomic, and their memory lives as long as the owner.
private final class NodeSlots: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<AtomicLazyReference<SchemaNode>>
    private let count: Int

    init(count: Int) {
        self.count = count
        slots = .allocate(capacity: count)
        for index in 0..<count { (slots + index).initialize(to: AtomicLazyReference()) }
    }

    deinit {
        slots.deinitialize(count: count)
        slots.deallocate()
    }

    func node(at index: Int, make: () -> SchemaNode) -> SchemaNode {
        guard index < count else { return .anything }
        if let node = slots[index].load() { return node }
        return slots[index].storeIfNil(make())
    }
}

private final class DefaultRulesPool: Sendable {
    let rules: [DefaultRules]
    init(_ rules: [DefaultRules]) { self.rules = rules }
}
