import APIClient
import APIModel
import Values

/// Objects read through the API.
public struct TransportSource: ObjectSource {
    private let client: APIClient

    /// A source that asks with `client`.
    public init(_ client: APIClient) {
        self.client = client
    }

    /// Lists through the API. An item that names no object is left out.
    public func list(
        _ resource: GroupVersionResource,
        namespace: String?,
        options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String) {
        let found = try await client.list(resource, namespace: namespace, options: options)
        let items = found.items.compactMap { item -> EncodedObject? in
            guard let metadata = item["metadata"] else { return nil }
            let lens = ObjectMeta(value: metadata)
            return EncodedObject(
                bytes: item.encoded(),
                resourceVersion: lens.resourceVersion,
                summary: ObjectSummary(lens)
            )
        }
        return (items, found.resourceVersion)
    }

    /// Watches through the API.
    public func watch(
        _ resource: GroupVersionResource,
        namespace: String?,
        from revision: String,
        options: ListOptions
    ) async throws -> EncodedWatch {
        var options = options
        options.resourceVersion = revision
        options.allowWatchBookmarks = true
        let stream = try await client.watch(resource, namespace: namespace, options: options)
        let reader = StreamReader(stream.makeAsyncIterator())
        return EncodedWatch { try await reader.next() }
    }
}

/// Lets one consumer at a time pull from an iterator.
///
/// `@unchecked Sendable`: `EncodedWatch` promises that `next` is never called twice at once.
private final class StreamReader: @unchecked Sendable {
    private var iterator: WatchStream.Iterator

    init(_ iterator: WatchStream.Iterator) {
        self.iterator = iterator
    }

    func next() async throws -> [EncodedEvent]? {
        while let event = try await iterator.next() {
            guard let json = try? JSONParser.parse(event.object), let metadata = json["metadata"] else { continue }
            let lens = ObjectMeta(value: metadata)
            let object = EncodedObject(
                bytes: event.object,
                resourceVersion: lens.resourceVersion,
                summary: event.type == .bookmark ? nil : ObjectSummary(lens)
            )
            return [EncodedEvent(type: event.type, object: object)]
        }
        return nil
    }
}
