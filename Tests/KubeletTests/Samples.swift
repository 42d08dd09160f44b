import APIModel
import APITypes
import PodRuntime
import Testing
import Units
import Values

@testable import Kubelet

/// Objects for tests, from YAML: what a user would write.
enum Samples {
    static func pod(_ yaml: String) throws -> Pod {
        var pod = try Pod(json: try YAML.parse(Array(yaml.utf8)))
        if pod.metadata.uid.isEmpty { pod.metadata.uid = "uid-1" }
        if pod.metadata.namespace.isEmpty { pod.metadata.namespace = "default" }
        if pod.spec.restartPolicy.isEmpty { pod.spec.restartPolicy = "Always" }
        if pod.spec.dnsPolicy.isEmpty { pod.spec.dnsPolicy = "ClusterFirst" }
        pod.metadata.generation = 1
        func defaulted(_ container: Container) -> Container {
            var container = container
            if container.terminationMessagePath.isEmpty { container.terminationMessagePath = "/dev/termination-log" }
            if container.terminationMessagePolicy.isEmpty { container.terminationMessagePolicy = "File" }
            if container.imagePullPolicy.isEmpty { container.imagePullPolicy = "IfNotPresent" }
            return container
        }
        pod.spec.containers = pod.spec.containers.map(defaulted)
        if !pod.spec.initContainers.isEmpty { pod.spec.initContainers = pod.spec.initContainers.map(defaulted) }
        return pod
    }

    static let now = Timestamp(unixSeconds: 1_800_000_000)

    /// A pod of which the runtime shows a ready sandbox and these containers, newest first.
    static func observed(_ pod: Pod, _ containers: [ObservedContainer]) -> ObservedPod {
        var sandbox = ObservedSandbox(id: "sandbox", isReady: true)
        sandbox.addresses = ["10.0.0.5"]
        var observed = ObservedPod(uid: pod.metadata.uid)
        observed.sandboxes = [sandbox]
        observed.containers = containers
        return observed
    }

    static func container(
        _ name: String,
        _ state: ContainerRunState,
        exitCode: Int = 0,
        restartCount: Int = 0,
        finishedAt: Timestamp? = nil
    ) -> ObservedContainer {
        var container = ObservedContainer(id: "\(name)-\(restartCount)", name: name, state: state)
        container.exitCode = exitCode
        container.restartCount = restartCount
        container.reason = state == .exited ? (exitCode == 0 ? "Completed" : "Error") : ""
        container.startedAt = now
        container.finishedAt = state == .exited ? finishedAt ?? now : nil
        return container
    }
}
