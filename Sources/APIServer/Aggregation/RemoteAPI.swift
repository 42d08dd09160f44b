import APIModel
import Units
import Values

/// A group version that another server serves, as its `APIService` describes it.
struct RemoteAPI: Sendable, Hashable {
    /// The name of the object, `v1beta1.metrics.k8s.io`.
    let name: String
    let groupVersion: GroupVersion
    let namespace: String
    let service: String
    let port: Int
    /// PEM of the authorities its certificate must come from; empty is the system's.
    let caPEM: String
    let isInsecure: Bool
    /// What the availability checks have found.
    private(set) var isAvailable: Bool
    let groupPriority: Int64
    let versionPriority: Int64

    private static let standardPort = 443

    /// Reads an object. Nil when its group version is served here, or when it is none.
    init?(_ object: JSONValue) {
        guard let name = object.value(at: ["metadata", "name"])?.string, let spec = object["spec"], let service = spec["service"],
            service.object != nil, let version = spec["version"]?.string
        else { return nil }
        self.name = name
        groupVersion = GroupVersion(group: spec["group"]?.string ?? "", version: version)
        namespace = service["namespace"]?.string ?? ""
        self.service = service["name"]?.string ?? ""
        port = service["port"]?.int.map { Int(clamping: $0) } ?? Self.standardPort
        caPEM = spec["caBundle"]?.string.flatMap { Base64.decode($0) }.map { String(decoding: $0, as: UTF8.self) } ?? ""
        isInsecure = spec["insecureSkipTLSVerify"]?.bool ?? false
        groupPriority = spec["groupPriorityMinimum"]?.int ?? 0
        versionPriority = spec["versionPriority"]?.int ?? 0
        isAvailable =
            object.value(at: ["status", "conditions"])?.array?.contains {
                $0["type"] == "Available" && $0["status"] == "True"
            } ?? false
    }

    /// The path everything of it is below.
    var path: String {
        groupVersion.group.isEmpty ? "/api/\(groupVersion.version)" : "/apis/\(groupVersion.apiVersion)"
    }

    /// The name its certificate must carry.
    var serverName: String { "\(service).\(namespace).svc" }
}

/// The service that leads to another server.
struct RemotePlace: Sendable, Hashable {
    let namespace: String
    let service: String
}

extension RemoteAPI {
    var place: RemotePlace { RemotePlace(namespace: namespace, service: service) }

    /// What users ask for, without what the checks found.
    var asked: RemoteAPI {
        var asked = self
        asked.isAvailable = false
        return asked
    }
}

/// The group versions that other servers serve, and what is known of them. One snapshot, replaced as a whole.
struct RemoteAPIs: Sendable {
    let all: [GroupVersion: RemoteAPI]
    /// In order of preference.
    let ordered: [RemoteAPI]
    /// The services that lead to them.
    let places: Set<RemotePlace>

    init(_ objects: [JSONValue] = []) {
        let found = objects.compactMap { RemoteAPI($0) }
        all = Dictionary(found.map { ($0.groupVersion, $0) }) { first, _ in first }
        places = Set(found.map(\.place))
        ordered = found.sorted {
            ($1.groupPriority, $1.versionPriority, $0.name) < ($0.groupPriority, $0.versionPriority, $1.name)
        }
    }

    var isEmpty: Bool { all.isEmpty }
}
