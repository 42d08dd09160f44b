import APITypes
import Units
import Values

/// What the kubelet asks of the API server, in its own terms. `ClientAPI` speaks to a real one.
protocol NodeAPI: Sendable {
    func configMap(_ namespace: String, _ name: String) async throws -> ConfigMap?
    func secret(_ namespace: String, _ name: String) async throws -> Secret?
    func claim(_ namespace: String, _ name: String) async throws -> PersistentVolumeClaim?
    func persistentVolume(_ name: String) async throws -> PersistentVolume?
    /// The handler of a runtime class; nil when there is no such class.
    func runtimeHandler(_ name: String) async throws -> String?
    func serviceAccountToken(_ request: TokenRequest, namespace: String, account: String) async throws -> TokenRequest

    func pod(_ namespace: String, _ name: String) async throws -> Pod?
    /// Patches a pod's status (strategic merge); nil when the pod is gone.
    func patchPodStatus(_ namespace: String, _ name: String, patch: JSONValue) async throws -> Pod?
    /// Deletes at once, if it is still the pod of that uid.
    func deletePod(_ namespace: String, _ name: String, uid: String) async throws

    func node(_ name: String) async throws -> Node?
    func createNode(_ node: Node) async throws -> Node
    func patchNode(_ name: String, patch: JSONValue) async throws
    func patchNodeStatus(_ name: String, patch: JSONValue) async throws -> Node

    func lease(_ namespace: String, _ name: String) async throws -> Lease?
    func createLease(_ lease: Lease) async throws -> Lease
    func updateLease(_ lease: Lease) async throws -> Lease

    /// Calls `changed` after every change of one object, until cancelled; returns when the watch ends.
    func watchConfigMap(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws
    func watchSecret(_ namespace: String, _ name: String, changed: @escaping @Sendable () -> Void) async throws
}

/// Tells users what happened to an object.
struct EventSink: Sendable {
    /// What the event is about.
    struct Subject: Sendable {
        var kind = "Pod"
        var namespace: String
        var name: String
        var uid: String
        var resourceVersion = ""
        /// `spec.containers{web}` for events about a container.
        var fieldPath = ""
    }

    let record: @Sendable (_ subject: Subject, _ isWarning: Bool, _ reason: String, _ message: String) -> Void

    init(_ record: @escaping @Sendable (Subject, Bool, String, String) -> Void) {
        self.record = record
    }

    func normal(_ pod: Pod, _ reason: String, _ message: String) {
        record(Subject(pod), false, reason, message)
    }

    func warning(_ pod: Pod, _ reason: String, _ message: String) {
        record(Subject(pod), true, reason, message)
    }

    /// An event about one container of a pod.
    func container(_ pod: Pod, _ container: Container, isWarning: Bool = false, _ reason: String, _ message: String) {
        var subject = Subject(pod)
        let list: String
        if pod.spec.initContainers.contains(where: { $0.name == container.name }) {
            list = "initContainers"
        } else if pod.spec.ephemeralContainers.contains(where: { $0.name == container.name }) {
            list = "ephemeralContainers"
        } else {
            list = "containers"
        }
        subject.fieldPath = "spec.\(list){\(container.name)}"
        record(subject, isWarning, reason, message)
    }
}

extension EventSink.Subject {
    init(_ pod: Pod) {
        let meta = pod.metadata
        self.init(namespace: meta.namespace, name: meta.name, uid: meta.uid, resourceVersion: meta.resourceVersion)
    }
}
