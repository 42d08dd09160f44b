import APIModel
import Negotiation
import Store
import Values

/// Converts objects of a custom resource by asking its webhook.
protocol RemoteConversion: Sendable {
    /// The objects in the version asked for, in the same order. Those that have it already are not sent.
    func convert(_ objects: [JSONValue], to version: GroupVersion) async throws(APIError) -> [JSONValue]
}

extension ResourceView {
    /// The same kind in the same version, for objects that have been converted already.
    var plain: ResourceView {
        var view = ResourceView(engine: engine, descriptor: descriptor, version: version, conversion: nil)
        view.isTerminating = isTerminating
        return view
    }

    /// An object as it is served.
    func fromStorage(_ object: JSONValue) async throws(APIError) -> JSONValue {
        if let remote {
            let converted = try await remote.convert([object], to: gvk.groupVersion)
            guard var first = converted.first else { return object }
            version.schema.normalize(&first)
            return first
        }
        return conversion?.fromStorage(object) ?? object
    }

    /// An object as it is stored.
    func toStorage(_ object: JSONValue) async throws(APIError) -> JSONValue {
        if let remote {
            let stored = GroupVersion(group: descriptor.group, version: engine.descriptor.storageVersion)
            let converted = try await remote.convert([object], to: stored)
            guard var first = converted.first else { return object }
            engine.descriptor.storageSchema?.normalize(&first)
            return first
        }
        return conversion?.toStorage(object) ?? object
    }

    /// The served bytes of a stored state.
    func answered(_ stored: ResourceEngine.Stored) async throws(APIError) -> [UInt8] {
        guard remote != nil, !isServedAsStored(stored.bytes) else { return served(stored) }
        let object = try await fromStorage(try engine.tree(stored))
        return ObjectBytes.spliced(object.encoded(), revision: stored.revision)
    }

    /// The served bytes of an object.
    func answered(_ object: CachedObject) async throws(APIError) -> [UInt8] {
        guard remote != nil, !isServedAsStored(object.bytes) else { return served(object) }
        let stored = ResourceEngine.Stored(key: object.key, bytes: object.bytes, revision: object.revision)
        return try await answered(stored)
    }

    /// A page of objects as they are served, converted at once where that is a webhook's work, and the view to show it with.
    func page(_ query: ListQuery, namespace: String) async throws(APIError) -> (page: ListPage, view: ResourceView) {
        guard remote != nil else { return (try await engine.page(query, namespace: namespace), self) }
        let afterwards = afterwards(query.selection)
        var query = query
        if afterwards != nil { query.selection = query.selection.ofMetadata }
        var page = try await engine.page(query, namespace: namespace)
        var objects: [CachedObject] = []
        page.forEach { objects.append($0) }
        objects = try await converted(objects)
        page.objects = .chosen(afterwards.map { objects.filter($0.matches) } ?? objects)
        return (page, plain)
    }

    /// Objects as they are served, converted in one request.
    func converted(_ objects: [CachedObject]) async throws(APIError) -> [CachedObject] {
        guard let remote else { return objects }
        var objects = objects
        var places: [Int] = []
        var trees: [JSONValue] = []
        for (index, object) in objects.enumerated() where object.splice > 0 && !isServedAsStored(object.bytes) {
            guard let tree = try? JSONParser.parse(object.bytes) else { continue }
            places.append(index)
            trees.append(tree)
        }
        guard !trees.isEmpty else { return objects }
        let converted = try await remote.convert(trees, to: gvk.groupVersion)
        let indexer = ObjectIndexer(descriptor, prefix: engine.prefix, selectable: version.selectableFields)
        for (place, object) in zip(places, converted) {
            var object = object
            version.schema.normalize(&object)
            let bytes = object.encoded()
            var index = objects[place].index
            index.fields = indexer.fieldValues(of: object)
            objects[place] = objects[place].with(bytes: bytes, splice: ObjectBytes.splicePoint(of: bytes) ?? 0, index: index)
        }
        return objects
    }

    /// The selection that can only be asked of converted objects: only the webhook knows the fields of its versions.
    func afterwards(_ selection: FieldSelection) -> FieldSelection? {
        remote != nil && selection.readsObjects ? selection : nil
    }

    /// Whether stored bytes are in the version served. Stored JSON has sorted keys, so `apiVersion` comes first.
    private func isServedAsStored(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "{\"apiVersion\":\"\(gvk.apiVersion)\"".utf8)
    }

    /// Refuses new objects while the kind is going.
    func mayCreate(_ object: JSONValue) throws(APIError) {
        guard isTerminating else { return }
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        throw .forbidden(
            descriptor.groupResource,
            name,
            "create not allowed while custom resource definition is terminating"
        )
    }
}

extension CachedObject {
    /// The same object in other words.
    func with(bytes: [UInt8], splice: Int, index: ObjectIndex) -> CachedObject {
        CachedObject(
            key: key,
            namespace: namespace,
            name: name,
            revision: revision,
            bytes: bytes,
            splice: splice,
            index: index
        )
    }
}
