import APIModel
import Access
import HTTPTransport
import Units
import Values

/// The options of a connection, in the kind that admission sees: `PodExecOptions` and its like.
struct ConnectOptions: Sendable {
    /// The name of the kind, in the core group.
    let kind: String
    private let value: JSONValue

    private static let flags = ["stdin", "stdout", "stderr", "tty"]

    /// The options of exec, attach and portforward.
    init(_ subresource: String, _ query: QueryItems) {
        var value: JSONValue = [:]
        if subresource == "portforward" {
            kind = "PodPortForwardOptions"
            let ports = query.all("ports").flatMap { $0.split(separator: ",") }.compactMap { Int64($0) }
            if !ports.isEmpty { value["ports"] = .array(ports.map { .integer($0) }) }
        } else {
            kind = subresource == "exec" ? "PodExecOptions" : "PodAttachOptions"
            for flag in Self.flags where RequestInfo.flag(query.first(flag)) { value[flag] = true }
            if let container = query.first("container"), !container.isEmpty { value["container"] = .string(container) }
            let command = query.all("command")
            if subresource == "exec", !command.isEmpty { value["command"] = JSONValue(command) }
        }
        self.value = value
    }

    /// The options of a proxy to a node, pod or service.
    init(proxying target: String, path: String) {
        kind = "\(target)ProxyOptions"
        value = path.isEmpty ? [:] : ["path": .string(path)]
    }

    /// The options as an object.
    var object: JSONValue {
        var object = value
        object["kind"] = .string(kind)
        object["apiVersion"] = "v1"
        return object
    }

    /// The query with what admission made of the options.
    static func query(_ query: QueryItems, with object: JSONValue) -> QueryItems {
        var changed = QueryItems()
        for flag in flags where object[flag]?.bool == true { changed.append(flag, "true") }
        if let container = object["container"]?.string { changed.append("container", container) }
        for word in object["command"]?.array ?? [] { changed.append("command", word.string ?? "") }
        for port in object["ports"]?.array ?? [] { changed.append("ports", "\(port.int ?? 0)") }
        for port in query.all("port") { changed.append("port", port) }
        return changed
    }
}

extension APIServer {
    /// Shows admission a connection, and returns the query with what became of its options.
    func connect(_ view: ResourceView, _ context: RequestContext, _ options: ConnectOptions) async throws(APIError) -> QueryItems {
        let object = options.object
        var admitted = AdmissionRequest(
            operation: .connect,
            kind: GroupVersionKind(group: "", version: "v1", kind: options.kind),
            resource: view.gvr,
            subresource: context.info.subresource,
            namespace: context.info.namespace,
            name: context.info.name,
            user: context.user,
            object: object
        )
        admitted.warn = { context.warnings.add($0) }
        try await admission.mutate(&admitted)
        try await admission.validate(admitted)
        guard let changed = admitted.object, changed != object else { return context.request.query }
        return ConnectOptions.query(context.request.query, with: changed)
    }
}
