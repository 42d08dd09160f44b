import APIModel
import Synchronization
import Values

/// No object without its namespace, none created in one that is going away, and the first namespaces are immortal.
///
/// What it knows of namespaces may be a moment old. So it is not relied upon where it would be seen: a namespace whose
/// deletion has been asked for here, and one that seems to be going, are looked up anew. `doubted` is guarded by its mutex.
public final class NamespaceLifecycle: Admission {
    private let lookup: any ClusterLookup
    /// The uids of the namespaces whose deletion was asked for, by name; the cache may not know of it yet.
    private let doubted = Mutex<[String: String]>([:])
    private static let immortal: Set<String> = ["default", "kube-system", "kube-public"]
    private static let namespaces = GroupResource.core("namespaces")
    /// So many doubts are kept; who deletes more at a time is told by the cache, a moment later.
    private static let doubtLimit = 1024

    /// A plugin that looks namespaces up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "NamespaceLifecycle" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool { request.operation != .connect }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        let isNamespace = request.resource.group.isEmpty && request.resource.resource == "namespaces"
        if isNamespace {
            guard request.operation == .delete else { return }
            guard !Self.immortal.contains(request.name) else {
                throw .forbidden(Self.namespaces, request.name, "this namespace may not be deleted")
            }
            if !request.isDryRun { doubt(request) }
            return
        }
        guard request.operation == .create, !request.namespace.isEmpty else { return }
        if request.resource.resource == "localsubjectaccessreviews" { return }
        let namespace = try await namespace(request.namespace)
        guard Self.isGoing(namespace) else { return }
        throw terminating(request)
    }

    private func doubt(_ request: AdmissionRequest) {
        guard let uid = request.oldObject.flatMap(Self.uid) else { return }
        doubted.withLock { doubted in
            if doubted.count >= Self.doubtLimit { doubted.removeAll() }
            doubted[request.name] = uid
        }
    }

    private func namespace(_ name: String) async throws(APIError) -> JSONValue {
        if let known = lookup.object(Self.namespaces, namespace: "", name: name), !isDoubtful(known, name) { return known }
        if let stored = await lookup.currentObject(Self.namespaces, namespace: "", name: name) { return stored }
        throw .notFound(Self.namespaces, name)
    }

    /// Whether what is known of a namespace may be out of date in a way that somebody would notice.
    private func isDoubtful(_ known: JSONValue, _ name: String) -> Bool {
        // It may be gone, and made anew.
        if Self.isGoing(known) { return true }
        return doubted.withLock { doubted in
            guard let uid = doubted[name] else { return false }
            if uid == Self.uid(known) { return true }
            doubted[name] = nil
            return false
        }
    }

    private static func isGoing(_ namespace: JSONValue) -> Bool { namespace.value(at: ["status", "phase"])?.string == "Terminating" }

    private static func uid(_ object: JSONValue) -> String? { object.value(at: ["metadata", "uid"])?.string }

    private func terminating(_ request: AdmissionRequest) -> APIError {
        let space = request.namespace
        var error = request.forbidden("unable to create new content in namespace \(space) because it is being terminated")
        error.addCause(
            reason: "NamespaceTerminating",
            message: "namespace \(space) is being terminated",
            field: "metadata.namespace"
        )
        return error
    }
}
