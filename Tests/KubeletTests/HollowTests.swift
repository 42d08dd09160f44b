import APITypes
import Channels
import PodRuntime
import Testing
import Units

@testable import Kubelet

@Suite struct HollowTests {
    @Test func `a pod of a hollow node runs, is ready, and is deleted`() async throws {
        let api = TestAPI()
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        let kubelet = try TestKubelet.start(api, runtime: HollowRuntime(nodeIndex: 3), directory: directory)
        api.create(
            try Samples.pod(
                """
                metadata: {name: web, uid: uid-web}
                spec:
                  nodeName: node-1
                  initContainers: [{name: first, image: x}]
                  containers:
                  - {name: a, image: nginx, readinessProbe: {httpGet: {port: 80}}, env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: k}}}]}
                  volumes: [{name: v, secret: {secretName: none}}]
                """
            )
        )
        await api.wait("default/web", "Running") { $0?.status.phase == "Running" }
        #expect(api.pod("default/web")?.status.initContainerStatuses.first?.state.terminated?.reason == "Completed")
        api.delete("default/web", graceSeconds: 30)
        await api.wait("default/web", "gone") { $0 == nil }
        api.create(
            try Samples.pod(
                "metadata: {name: two, uid: uid-two}\nspec: {nodeName: node-1, containers: [{name: a, image: nginx, startupProbe: {exec: {command: [x]}}}]}"
            )
        )
        await api.wait("default/two", "Ready") { pod in
            pod?.status.conditions.contains { $0.type == "Ready" && $0.status == "True" } == true
        }
        let status = try #require(api.pod("default/two")?.status)
        #expect(status.podIP == "10.128.3.2")
        #expect(status.containerStatuses[0].imageID.hasPrefix("docker.io/library/nginx@sha256:"))
        #expect(api.state.value.nodes["node-1"]?.status.conditions.contains { $0.type == "Ready" && $0.status == "True" } == true)
        await kubelet.stop()
    }

    @Test func `a pod at rest is not written again`() async throws {
        let api = TestAPI()
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        let kubelet = try TestKubelet.start(api, runtime: HollowRuntime(nodeIndex: 1), directory: directory)
        func create(_ name: String) async throws {
            api.create(
                try Samples.pod("metadata: {name: \(name), uid: \(name)}\nspec: {nodeName: node-1, containers: [{name: a, image: x}]}")
            )
            await api.wait("default/\(name)", "Running") { $0?.status.phase == "Running" }
        }
        try await create("one")
        let patches = api.state.value.patches["one"]
        for number in 0..<5 {
            kubelet.core.workers.wake("one")
            try await create("other-\(number)")
        }
        #expect(api.state.value.patches["one"] == patches)
        #expect(patches ?? 0 <= 2)
        await kubelet.stop()
    }

    @Test func `a pod held by a finalizer is asked to be deleted once, whatever happens to it meanwhile`() async throws {
        let api = TestAPI()
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        let kubelet = try TestKubelet.start(api, runtime: HollowRuntime(nodeIndex: 1), directory: directory)
        var pod = try Samples.pod("metadata: {name: held, uid: held}\nspec: {nodeName: node-1, containers: [{name: a, image: x}]}")
        pod.metadata.finalizers = ["test.local/hold"]
        api.create(pod)
        await api.wait("default/held", "Running") { $0?.status.phase == "Running" }
        api.delete("default/held", graceSeconds: 0)
        _ = try await withDeadline(.seconds(60), clock: SystemClock()) { try await api.state.wait { $0.deletions["held"] == 1 } }
        for number in 0..<5 {
            api.update("default/held") { $0.metadata.annotations["look"] = "\(number)" }
            kubelet.core.workers.wake("held")
            // Another pod's whole way to Running: time enough for the first one's pass.
            let name = "other-\(number)"
            api.create(
                try Samples.pod("metadata: {name: \(name), uid: \(name)}\nspec: {nodeName: node-1, containers: [{name: a, image: x}]}")
            )
            await api.wait("default/\(name)", "Running") { $0?.status.phase == "Running" }
        }
        #expect(api.state.value.deletions["held"] == 1)
        api.release("default/held")
        let table = kubelet.core.node.pods
        _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
            while table.record("held") != nil { try await Task.sleep(for: .milliseconds(2)) }
        }
        await kubelet.stop()
    }

    @Test func `a slim pod keeps what pretending needs`() throws {
        let pod = try Samples.pod(
            "metadata: {name: p, labels: {a: b}, managedFields: []}\nspec: {containers: [{name: a, image: x, command: [y], resources: {limits: {cpu: 1, memory: 1Mi}}}]}"
        )
        #expect(pod.slim.spec.containers[0].command == [])
        #expect(pod.slim.metadata.labels == [:])
        #expect(QoSClass(pod.slim) == .guaranteed)
        #expect(pod.slim.metadata.uid == pod.metadata.uid)
    }

    @Test func `many pods on one hollow node all run`() async throws {
        let api = TestAPI()
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        let kubelet = try TestKubelet.start(api, runtime: HollowRuntime(nodeIndex: 0), directory: directory)
        for number in 0..<100 {
            api.create(
                try Samples.pod(
                    "metadata: {name: p\(number), uid: u\(number)}\nspec: {nodeName: node-1, containers: [{name: a, image: x}]}"
                )
            )
        }
        for number in 0..<100 {
            await api.wait("default/p\(number)", "Running") { $0?.status.phase == "Running" }
        }
        await kubelet.stop()
    }
}
