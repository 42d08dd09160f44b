import APIModel
import APITypes
import HTTPTransport
import Values

/// Access to the kinds that have a lens.
extension APIClient {
    /// Reads one object.
    public func get<T: APIObject>(
        _: T.Type = T.self,
        namespace: String? = nil,
        name: String
    ) async throws -> T {
        try T(json: try await get(T.resource, namespace: namespace, name: name))
    }

    /// Lists objects; `namespace` nil lists all namespaces. An item that cannot be read is left out.
    public func list<T: APIObject>(
        _: T.Type = T.self,
        namespace: String? = nil,
        options: ListOptions = ListOptions()
    ) async throws -> ListResult<T> {
        let found = try await list(T.resource, namespace: namespace, options: options)
        return ListResult(
            items: found.items.compactMap { try? T(json: $0) },
            resourceVersion: found.resourceVersion,
            continue: found.continue
        )
    }

    /// Creates an object in its own namespace.
    @discardableResult
    public func create<T: APIObject>(_ object: T, options: WriteOptions = WriteOptions()) async throws -> T {
        try T(json: try await create(T.resource, namespace: Self.place(object), object.json, options: options))
    }

    /// Posts to a subresource of an object (binding, eviction, token) and returns the answer.
    @discardableResult
    public func create<T: APIObject>(
        subresource: String,
        of _: T.Type,
        namespace: String?,
        name: String,
        _ body: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> JSONValue {
        try await create(
            T.resource,
            namespace: namespace,
            name: name,
            subresource: subresource,
            body,
            options: options
        )
    }

    /// Replaces an object.
    @discardableResult
    public func update<T: APIObject>(_ object: T, options: WriteOptions = WriteOptions()) async throws -> T {
        let answer = try await update(
            T.resource,
            namespace: Self.place(object),
            name: object.name,
            object.json,
            options: options
        )
        return try T(json: answer)
    }

    /// Replaces an object's status.
    @discardableResult
    public func updateStatus<T: APIObject>(_ object: T, options: WriteOptions = WriteOptions()) async throws -> T {
        let answer = try await update(
            T.resource,
            namespace: Self.place(object),
            name: object.name,
            subresource: "status",
            object.json,
            options: options
        )
        return try T(json: answer)
    }

    /// Patches an object or its subresource.
    @discardableResult
    public func patch<T: APIObject>(
        _: T.Type = T.self,
        namespace: String? = nil,
        name: String,
        subresource: String? = nil,
        type: PatchType,
        _ patch: JSONValue,
        options: WriteOptions = WriteOptions()
    ) async throws -> T {
        let answer = try await self.patch(
            T.resource,
            namespace: namespace,
            name: name,
            subresource: subresource,
            type: type,
            patch,
            options: options
        )
        return try T(json: answer)
    }

    /// Deletes an object.
    public func delete<T: APIObject>(
        _: T.Type,
        namespace: String? = nil,
        name: String,
        options: DeleteOptions = DeleteOptions()
    ) async throws {
        try await delete(T.resource, namespace: namespace, name: name, options: options)
    }

    /// Watches from `options.resourceVersion` on; see the dynamic `watch`.
    public func watch<T: APIObject>(
        _: T.Type = T.self,
        namespace: String? = nil,
        options: ListOptions
    ) async throws -> TypedWatchStream<T> {
        TypedWatchStream(base: try await watch(T.resource, namespace: namespace, options: options))
    }

    private static func place(_ object: some APIObject) -> String? {
        let namespace = object.namespace
        return namespace.isEmpty ? nil : namespace
    }
}

/// One change, typed.
public struct WatchEvent<T: APIObject>: Sendable {
    /// What happened.
    public var type: WatchEventType
    /// The object after it; for a bookmark only its resource version.
    public var object: T

    /// A change.
    public init(type: WatchEventType, object: T) {
        self.type = type
        self.object = object
    }
}

/// A watch of one kind. An object that cannot be read is skipped.
public struct TypedWatchStream<T: APIObject>: AsyncSequence, Sendable {
    /// A change.
    public typealias Element = WatchEvent<T>
    let base: WatchStream

    /// Iterates the changes.
    public func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator())
    }

    /// Iterates the changes of one watch.
    public struct Iterator: AsyncIteratorProtocol {
        var base: WatchStream.Iterator

        /// The next change; nil when the server has ended the watch.
        public mutating func next() async throws -> WatchEvent<T>? {
            while let event = try await base.next() {
                guard let json = try? JSONParser.parse(event.object), let object = try? T(json: json) else { continue }
                return WatchEvent(type: event.type, object: object)
            }
            return nil
        }
    }
}
