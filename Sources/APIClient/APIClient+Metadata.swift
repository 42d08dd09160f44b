import APIModel
import HTTPTransport
import Values

extension APIClient {
    private static let partialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    private static let partialList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

    /// Lists objects of any kind with nothing but their metadata.
    public func listMetadata(
        _ resource: GroupVersionResource,
        namespace: String? = nil,
        options: ListOptions = ListOptions()
    ) async throws -> ListResult<JSONValue> {
        var request = request("GET", resource, namespace, nil, nil, query: Self.query(options))
        request.headers = ["Accept": Self.partialList]
        let answer = try await json(request)
        return ListResult(
            items: answer["items"]?.array ?? [],
            resourceVersion: answer["metadata"]?["resourceVersion"]?.string ?? "",
            continue: answer["metadata"]?["continue"]?.string ?? ""
        )
    }

    /// Watches objects of any kind with nothing but their metadata.
    public func watchMetadata(_ resource: GroupVersionResource, options: ListOptions) async throws -> WatchStream {
        var query = Self.query(options)
        query.append("watch", "true")
        var request = request("GET", resource, nil, nil, nil, query: query)
        request.headers = ["Accept": Self.partialObject]
        let response = try await raw(request)
        guard response.isSuccess else {
            let bytes = try await response.body.collect(upTo: Self.responseLimit)
            throw APIClient.error(status: response.status, body: bytes, request: request)
        }
        return WatchStream(body: response.body)
    }
}
