import APIModel
import HTTPTransport
import Negotiation
import Store
import Values

/// Turns stored bytes into what the cache keeps. Never fails: an object it cannot read is kept and marked as damaged.
struct ObjectIndexer: Sendable {
    let prefix: String
    let namespaced: Bool
    private let fields: [SelectableField]
    private let hooks: any KindHooks
    /// Whether large objects are kept compressed: definitions, which hardly anyone reads but whose schemas are long.
    let packs: Bool
    private static let packedFrom = 8 << 10
    /// What is read of an object: of a pod a tenth.
    private let parsing: JSONParser.Options
    /// Half of an object is the record of who owns its fields; nothing here asks for it.
    private static let whole = JSONParser.Options(omitting: "managedFields")
    private static let metadata = ["labels", "uid", "deletionTimestamp", "ownerReferences"]

    /// `selectable` are the fields of a version, where they are not those of all.
    init(_ descriptor: KindDescriptor, prefix: String, selectable: [SelectableField]? = nil) {
        self.prefix = prefix
        namespaced = descriptor.namespaced
        fields = (selectable ?? descriptor.selectableFields).filter(\.matchable)
        hooks = descriptor.hooks
        packs = descriptor.groupResource == CustomResourceService.resource
        parsing = Self.parsing(for: fields, hooks)
    }

    /// Only the members of `metadata`, `spec`, `status` … that fields are read from, unless fields are found by other rules.
    private static func parsing(for fields: [SelectableField], _ hooks: any KindHooks) -> JSONParser.Options {
        var options = whole
        let others = fields.filter { $0.label != "metadata.name" && $0.label != "metadata.namespace" }
        guard others.allSatisfy({ hooks.fieldLabel($0.label, of: [:]) == nil && !$0.path.isEmpty }) else { return options }
        options.keeping = metadata + others.compactMap { $0.path.dropFirst().first }
        return options
    }

    func callAsFunction(_ entry: StoredEntry) -> CachedObject {
        let (namespace, name) = place(of: entry.key)
        let bytes = restored(entry.value)
        guard let splice = ObjectBytes.splicePoint(of: bytes), let value = try? JSONParser.parse(bytes, options: parsing),
            let metadata = value["metadata"]
        else {
            let index = ObjectIndex(damage: "the stored object is not canonical JSON with metadata")
            return CachedObject(
                key: entry.key,
                namespace: namespace,
                name: name,
                revision: entry.revision,
                bytes: entry.value,
                splice: 0,
                index: index
            )
        }
        var index = ObjectIndex()
        index.uid = metadata["uid"]?.string ?? ""
        index.isTerminating = metadata["deletionTimestamp"]?.string != nil
        if let labels = metadata["labels"]?.object {
            var own: [String: String] = [:]
            own.reserveCapacity(labels.count)
            for (key, label) in labels { own[key] = label.string ?? "" }
            index.labels = SharedMaps.process.shared(own)
        }
        for owner in metadata["ownerReferences"]?.array ?? [] {
            guard let uid = owner["uid"]?.string else { continue }
            index.ownerUIDs.append(uid)
            if owner["controller"] == .bool(true) { index.controllerUID = uid }
        }
        index.fields = SharedMaps.process.shared(fieldValues(of: value))
        if PackedBytes.isPacked(entry.value) {
            return CachedObject(
                key: entry.key,
                namespace: namespace,
                name: name,
                revision: entry.revision,
                packedSize: entry.value.count,
                splice: splice,
                index: index,
                unpack: { PackedBytes.unpack(entry.value) }
            )
        }
        return CachedObject(
            key: entry.key,
            namespace: namespace,
            name: name,
            revision: entry.revision,
            bytes: bytes,
            splice: splice,
            index: index
        )
    }

    /// What is stored of an object's bytes: large definitions are packed, on disk and in memory.
    func storable(_ bytes: [UInt8]) -> [UInt8] {
        packs && bytes.count >= Self.packedFrom ? PackedBytes.pack(bytes) : bytes
    }

    /// Stored bytes brought to what the kind says now: of a custom resource, defaults added to its schema and fields
    /// removed from it since.
    func restored(_ bytes: [UInt8]) -> [UInt8] {
        if packs { return PackedBytes.unpack(bytes) }
        guard hooks.restores, var value = try? JSONParser.parse(bytes), hooks.restore(&value) else { return bytes }
        return value.encoded()
    }

    /// The values of the selectable fields other than name and namespace. Those that say what an absent field says are left
    /// out, which halves what a pod's index takes; `FieldSelection` asks for them as for empty ones.
    func fieldValues(of value: JSONValue) -> [String: String] {
        var found: [(label: String, value: String)] = []
        found.reserveCapacity(fields.count)
        for field in fields where field.label != "metadata.name" && field.label != "metadata.namespace" {
            let text = hooks.fieldLabel(field.label, of: value) ?? Self.text(value.value(at: field.path)) ?? field.absent
            if text != field.absent { found.append((field.label, text)) }
        }
        var values: [String: String] = [:]
        values.reserveCapacity(found.count)
        for (label, text) in found { values[label] = text }
        return values
    }

    private static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): String(number)
        default: nil
        }
    }

    private func place(of key: String) -> (namespace: String, name: String) {
        let rest = key.dropFirst(prefix.count)
        guard namespaced, let slash = rest.firstIndex(of: "/") else { return ("", String(rest)) }
        return (String(rest[..<slash]), String(rest[rest.index(after: slash)...]))
    }
}
