import APIModel
import APITypes
import Units
import Values

/// A kind that keeps a number of like pods: a replica set, or a replication controller seen as one.
public protocol ReplicaOwner: APIObject {
    /// How metrics and logs call its controller.
    static var controllerName: String { get }
    /// The component that its events name.
    static var component: String { get }
    /// Whether its status counts terminating pods.
    static var countsTerminating: Bool { get }
    /// The object in the form the plans understand.
    var asReplicaSet: ReplicaSet { get }
    /// The object with the status a plan decided on.
    func with(status: ReplicaSetStatus) -> Self
}

extension ReplicaSet: ReplicaOwner {
    /// How metrics and logs call its controller.
    public static var controllerName: String { "replicaset" }
    /// The component that its events name.
    public static var component: String { "replicaset-controller" }
    /// Whether its status counts terminating pods.
    public static var countsTerminating: Bool { true }
    /// Itself.
    public var asReplicaSet: ReplicaSet { self }
    /// A copy with another status.
    public func with(status: ReplicaSetStatus) -> ReplicaSet {
        var copy = self
        copy.status = status
        return copy
    }
}

extension ReplicationController: ReplicaOwner {
    /// How metrics and logs call its controller.
    public static var controllerName: String { "replicationmanager" }
    /// The component that its events name.
    public static var component: String { "replication-controller" }
    /// Whether its status counts terminating pods.
    public static var countsTerminating: Bool { false }

    /// The same object with its plain label map as a selector.
    public var asReplicaSet: ReplicaSet {
        var set = ReplicaSet(fields: fields)
        set.fields["apiVersion"] = .string(ReplicaSet.gvk.apiVersion)
        set.fields["kind"] = .string(ReplicaSet.gvk.kind)
        if var spec = fields["spec"] {
            spec["selector"] = spec["selector"].map { ["matchLabels": $0] }
            set.fields["spec"] = spec
        }
        return set
    }

    /// A copy with another status.
    public func with(status: ReplicaSetStatus) -> ReplicationController {
        var copy = self
        copy.fields["status"] = status.value
        return copy
    }
}
