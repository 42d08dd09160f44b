import APITypes
import Channels
import PodRuntime
import Testing
import Units

@testable import Kubelet

/// The kubelet's core against a real containerd.
@Suite(.serialized, .enabled(if: TestContainerd.isPossible, "needs root, containerd, CNI plugins and busybox"))
struct ContainerdTests {
    private func withNode(_ body: (inout TestContainerd, TestAPI) async throws -> Void) async throws {
        var containerd = try await TestContainerd.start()
        let api = TestAPI()
        let result: Result<Void, any Error>
        do {
            try await body(&containerd, api)
            result = .success(())
        } catch {
            result = .failure(error)
            Issue.record("events: \(api.events.withLock { $0.suffix(20).joined(separator: "; ") })")
        }
        await containerd.stop()
        try result.get()
    }

    private func pod(_ name: String, _ spec: String) throws -> Pod {
        let text = spec.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
        return try Samples.pod("metadata: {name: \(name), uid: uid-\(name)}\nspec:\n  nodeName: node-1\n  \(text)")
    }

    private func exec(_ kubelet: TestKubelet, _ uid: String, _ container: String, _ command: String...) async throws -> String {
        let id = try #require(kubelet.core.node.pods.record(uid)?.observed.latest(container)?.id)
        let response = try await kubelet.runtime.execSync(id, command: command, timeout: .seconds(60))
        return String(decoding: response.outputBytes, as: UTF8.self)
    }

    @Test func `a pod runs, is adopted by the next kubelet, and is deleted`() async throws {
        try await withNode { containerd, api in
            let first = try TestKubelet.start(api, containerd)
            let pod = try pod(
                "web",
                """
                terminationGracePeriodSeconds: 5
                containers:
                - {name: a, image: test.local/busybox:1, command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 0.1; done"]}
                - {name: b, image: test.local/busybox:1, command: [sleep, "1000"]}
                """
            )
            api.create(pod)
            await api.wait("default/web", "Running") { $0?.status.phase == "Running" }
            let status = try #require(api.pod("default/web")?.status)
            #expect(status.podIP.hasPrefix("10."))
            #expect(status.containerStatuses.map(\.ready) == [true, true])
            let ids = status.containerStatuses.map(\.containerID)
            #expect(api.told("Normal Started web Container started"))
            await first.stop()

            let patches = api.state.value.patches
            let second = try TestKubelet.start(api, containerd)
            let marker = try self.pod("marker", "containers: [{name: m, image: test.local/busybox:1, command: [sleep, '1000']}]")
            api.create(marker)
            await api.wait("default/marker", "Running") { $0?.status.phase == "Running" }
            #expect(api.pod("default/web")?.status.containerStatuses.map(\.containerID) == ids)
            #expect(api.pod("default/web")?.status.containerStatuses.map(\.restartCount) == [0, 0])
            #expect(api.state.value.patches["uid-web"] == patches["uid-web"])
            let hosts = try await exec(second, "uid-web", "a", "cat", "/etc/hosts")
            #expect(hosts.contains("\(status.podIP)\tweb\n"))

            api.delete("default/web", graceSeconds: 5)
            await api.wait("default/web", "gone") { $0 == nil }
            #expect(api.told("Normal Killing web Stopping container a"))
            api.delete("default/marker", graceSeconds: 0)
            await api.wait("default/marker", "gone") { $0 == nil }
            let table = second.core.node.pods
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while !table.uids.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            }
            #expect(try await second.runtime.listPodSandboxes(podUID: nil).isEmpty)
            #expect(HostFiles.list("\(containerd.directory)/kubelet/pods").isEmpty)
            #expect(HostFiles.list("\(containerd.directory)/kubelet/logs/pods").isEmpty)
            await second.stop()
        }
    }

    @Test func `many calls in a row all succeed`() async throws {
        try await withNode { containerd, _ in
            let runtime = try CRIRuntime(socketPath: containerd.socket)
            let connection = Task { try? await runtime.run() }
            for _ in 0..<5000 { _ = try await runtime.listPodSandboxes(podUID: nil) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 { group.addTask { _ = try await runtime.listContainers(podUID: nil) } }
                try await group.waitForAll()
            }
            connection.cancel()
        }
    }

    @Test func `pods outlive a killed containerd, and what was asked meanwhile is done when it is back`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            let spec = "terminationGracePeriodSeconds: 0\ncontainers: [{name: a, image: test.local/busybox:1, command: [sleep, '1000']}]"
            api.create(try pod("before", spec))
            await api.wait("default/before", "Running") { $0?.status.phase == "Running" }
            let id = api.pod("default/before")?.status.containerStatuses.first?.containerID
            containerd = try await containerd.restart()
            api.create(try pod("after", spec))
            await api.wait("default/after", "Running") { $0?.status.phase == "Running" }
            let status = try #require(api.pod("default/before")?.status.containerStatuses.first)
            #expect(status.containerID == id && status.restartCount == 0 && status.ready)
            for name in ["before", "after"] {
                api.delete("default/\(name)", graceSeconds: 0)
                await api.wait("default/\(name)", "gone") { $0 == nil }
            }
            await kubelet.stop()
        }
    }

    @Test func `init containers, sidecars and debugging containers do their work in order`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            let pod = try pod(
                "ordered",
                """
                terminationGracePeriodSeconds: 0
                initContainers:
                - {name: one, image: test.local/busybox:1, command: [sh, -c, "echo one >> /w/log"], volumeMounts: [{name: w, mountPath: /w}]}
                - {name: side, image: test.local/busybox:1, restartPolicy: Always, command: [sh, -c, "echo side >> /w/log; sleep 1000"], volumeMounts: [{name: w, mountPath: /w}]}
                - {name: two, image: test.local/busybox:1, command: [sh, -c, "while [ $(busybox wc -l < /w/log) -lt 2 ]; do sleep 0.01; done; echo two >> /w/log"], volumeMounts: [{name: w, mountPath: /w}]}
                containers:
                - {name: main, image: test.local/busybox:1, command: [sh, -c, "echo main >> /w/log; sleep 1000"], volumeMounts: [{name: w, mountPath: /w}]}
                volumes: [{name: w, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]
                """
            )
            api.create(pod)
            await api.wait("default/ordered", "Running") { $0?.status.phase == "Running" }
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while try await self.exec(kubelet, "uid-ordered", "main", "cat", "/w/log") != "one\nside\ntwo\nmain\n" {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(api.pod("default/ordered")?.status.initContainerStatuses.map(\.ready) == [true, true, true])
            api.update("default/ordered") { pod in
                pod.spec.ephemeralContainers = [
                    EphemeralContainer {
                        $0.name = "debug"
                        $0.image = "test.local/busybox:1"
                        $0.command = ["sleep", "1000"]
                        $0.imagePullPolicy = "IfNotPresent"
                        $0.fields["targetContainerName"] = "main"
                    }
                ]
            }
            await api.wait("default/ordered", "debugged") { $0?.status.ephemeralContainerStatuses.first?.state.running != nil }
            let processes = try await exec(kubelet, "uid-ordered", "debug", "ps")
            #expect(processes.split(separator: "\n").count { $0.hasSuffix("sleep 1000") } == 2, "\(processes)")
            api.delete("default/ordered", graceSeconds: 0)
            await api.wait("default/ordered", "gone") { $0 == nil }
            await kubelet.stop()
        }
    }

    @Test func `a pod deleted by force ends at once`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            let patient =
                "containers: [{name: s, image: test.local/busybox:1, command: [sleep, '1000']}]\nterminationGracePeriodSeconds: 200"
            api.create(try pod("forced", patient))
            await api.wait("default/forced", "Running") { $0?.status.phase == "Running" }
            api.removeByForce("default/forced", kubelet.core)
            // Less than the grace period that it is not given.
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while try await !kubelet.runtime.listPodSandboxes(podUID: nil).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            }
            await kubelet.stop()
        }
    }

    @Test func `a crashing container backs off, and its last words are shown`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            api.create(
                try pod(
                    "crash",
                    """
                    containers:
                    - name: c
                      image: test.local/busybox:1
                      command: [sh, -c, "echo oh no; echo last words > /dev/termination-log; exit 3"]
                    - name: d
                      image: test.local/busybox:1
                      terminationMessagePolicy: FallbackToLogsOnError
                      command: [sh, -c, "echo from the log; exit 4"]
                    """
                )
            )
            await api.wait("default/crash", "CrashLoopBackOff") { pod in
                pod?.status.containerStatuses.count { $0.state.waiting?.reason == "CrashLoopBackOff" } == 2
            }
            let statuses = try #require(api.pod("default/crash")?.status.containerStatuses)
            #expect(statuses[0].lastState.terminated?.exitCode == 3)
            #expect(statuses[0].lastState.terminated?.message == "last words\n")
            #expect(statuses[1].lastState.terminated?.message == "from the log\n")
            #expect(statuses[0].restartCount == 1)
            #expect(
                statuses[0].state.waiting?.message
                    == "back-off 10s restarting failed container=c pod=crash_default(uid-crash)"
            )
            #expect(api.told("Warning BackOff crash Back-off restarting failed container c in pod crash_default(uid-crash)"))
            api.delete("default/crash", graceSeconds: 0)
            await api.wait("default/crash", "gone") { $0 == nil }
            await kubelet.stop()
        }
    }

    @Test func `what a pod refers to reaches its containers, and follows changes`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            var map = ConfigMap(name: "cm", namespace: "default")
            map.data = ["k": "one"]
            api.create(
                try pod(
                    "full",
                    """
                    serviceAccountName: robot
                    initContainers:
                    - {name: first, image: test.local/busybox:1, command: [sh, -c, "echo init > /shared/f"], volumeMounts: [{name: shared, mountPath: /shared}]}
                    containers:
                    - name: c
                      image: test.local/busybox:1
                      command: [sleep, "1000"]
                      env: [{name: FROM, valueFrom: {configMapKeyRef: {name: cm, key: k}}}]
                      resources: {requests: {cpu: 100m, memory: 16Mi}, limits: {cpu: 200m, memory: 32Mi}}
                      securityContext: {runAsUser: 1234}
                      volumeMounts:
                      - {name: shared, mountPath: /shared}
                      - {name: cm, mountPath: /cm}
                      - {name: cm, mountPath: /one-file, subPath: k}
                      - {name: token, mountPath: /var/run/token}
                    volumes:
                    - {name: shared, emptyDir: {}}
                    - {name: cm, configMap: {name: cm}}
                    - name: token
                      projected:
                        sources:
                        - serviceAccountToken: {path: token, expirationSeconds: 3607}
                        - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
                    """
                )
            )
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while !api.told("Warning FailedMount full MountVolume.SetUp failed for volume \"cm\" : configmap \"cm\" not found") {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(api.pod("default/full")?.status.phase == "Pending")
            api.set(map)
            await api.wait("default/full", "Running") { $0?.status.phase == "Running" }
            #expect(try await exec(kubelet, "uid-full", "c", "cat", "/shared/f", "/cm/k", "/one-file") == "init\noneone")
            #expect(try await exec(kubelet, "uid-full", "c", "sh", "-c", "echo $FROM; id -u").split(separator: "\n") == ["one", "1234"])
            #expect(
                try await exec(kubelet, "uid-full", "c", "cat", "/var/run/token/token", "/var/run/token/name") == "token-1-of-robotfull"
            )
            let memory = try await exec(
                kubelet,
                "uid-full",
                "c",
                "sh",
                "-c",
                "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
            )
            #expect(memory == "\(32 << 20)\n")
            map.data = ["k": "two"]
            api.set(map)
            let core = kubelet
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while try await self.exec(core, "uid-full", "c", "cat", "/cm/k") != "two" { try await Task.sleep(for: .milliseconds(2)) }
            }
            #expect(try await exec(kubelet, "uid-full", "c", "sh", "-c", "echo $FROM") == "one\n")
            api.delete("default/full", graceSeconds: 0)
            await api.wait("default/full", "gone") { $0 == nil }
            await kubelet.stop()
        }
    }

    @Test func `probes hold back, restart and take out of service`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            api.create(
                try pod(
                    "probed",
                    """
                    terminationGracePeriodSeconds: 0
                    containers:
                    - name: web
                      image: test.local/busybox:1
                      command: [sh, -c, "mkdir -p /tmp/w; echo ok > /tmp/w/ok; httpd -f -p 8080 -h /tmp/w"]
                      ports: [{name: http, containerPort: 8080}]
                      startupProbe: {tcpSocket: {port: http}, periodSeconds: 1, failureThreshold: 10}
                      readinessProbe: {httpGet: {path: /ok, port: http}, periodSeconds: 1, failureThreshold: 1}
                      livenessProbe: {exec: {command: [sh, -c, "! ls /tmp/dead"]}, periodSeconds: 1, failureThreshold: 2}
                    """
                )
            )
            await api.wait("default/probed", "Ready") { $0?.status.containerStatuses.first?.ready == true }
            _ = try await exec(kubelet, "uid-probed", "web", "sh", "-c", "busybox rm /tmp/w/ok")
            await api.wait("default/probed", "not Ready") { $0?.status.containerStatuses.first?.ready == false }
            #expect(api.told("Warning Unhealthy probed Readiness probe failed: HTTP probe failed with statuscode: 404"))
            let first = try #require(api.pod("default/probed")?.status.containerStatuses.first)
            #expect(first.restartCount == 0, "\(first.value) \(api.events.withLock { $0 })")
            _ = try await exec(kubelet, "uid-probed", "web", "sh", "-c", "echo > /tmp/dead")
            await api.wait("default/probed", "restarted") { $0?.status.containerStatuses.first?.restartCount == 1 }
            #expect(api.told("Normal Killing probed Container web failed liveness probe, will be restarted"))
            await api.wait("default/probed", "Ready again") { $0?.status.containerStatuses.first?.ready == true }
            api.delete("default/probed", graceSeconds: 0)
            await api.wait("default/probed", "gone") { $0 == nil }
            await kubelet.stop()
        }
    }

    @Test func `images that are missing, and pods that end`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            api.create(try pod("never", "containers: [{name: n, image: test.local/none:1, imagePullPolicy: Never}]"))
            api.create(try pod("pull", "containers: [{name: p, image: '127.0.0.1:1/none:1'}]"))
            api.create(try pod("bad", "containers: [{name: b, image: 'Not An Image'}]"))
            api.create(
                try pod(
                    "done",
                    "restartPolicy: Never\ncontainers: [{name: d, image: test.local/busybox:1, command: ['true']}]"
                )
            )
            api.create(
                try pod(
                    "late",
                    "restartPolicy: Never\nactiveDeadlineSeconds: 1\nterminationGracePeriodSeconds: 0\n"
                        + "containers: [{name: l, image: test.local/busybox:1, command: [sleep, '1000']}]"
                )
            )
            @Sendable func reason(_ pod: Pod?) -> String { pod?.status.containerStatuses.first?.state.waiting?.reason ?? "" }
            await api.wait("default/never", "ErrImageNeverPull") { reason($0) == "ErrImageNeverPull" }
            await api.wait("default/bad", "InvalidImageName") { reason($0) == "InvalidImageName" }
            await api.wait("default/pull", "ImagePullBackOff") { reason($0) == "ImagePullBackOff" }
            #expect(api.told("Warning Failed pull Failed to pull image \"127.0.0.1:1/none:1\": rpc error: code = "))
            await api.wait("default/done", "Succeeded") { $0?.status.phase == "Succeeded" }
            #expect(api.pod("default/done")?.status.containerStatuses.first?.state.terminated?.reason == "Completed")
            await api.wait("default/late", "DeadlineExceeded") { $0?.status.reason == "DeadlineExceeded" }
            #expect(api.pod("default/late")?.status.phase == "Failed")
            for name in ["never", "pull", "bad", "done", "late"] {
                api.delete("default/\(name)", graceSeconds: 0)
                await api.wait("default/\(name)", "gone") { $0 == nil }
            }
            await kubelet.stop()
        }
    }

    @Test func `a grace period is kept, cut short when asked, and a pod unknown to the API is ended`() async throws {
        try await withNode { containerd, api in
            let kubelet = try TestKubelet.start(api, containerd)
            let stubborn =
                "containers: [{name: s, image: test.local/busybox:1, command: [sh, -c, \"trap '' TERM; while true; do sleep 0.1; done\"]}]"
            api.create(try pod("stubborn", stubborn))
            api.create(try pod("orphan", stubborn + "\nterminationGracePeriodSeconds: 1"))
            await api.wait("default/stubborn", "Running") { $0?.status.phase == "Running" }
            await api.wait("default/orphan", "Running") { $0?.status.phase == "Running" }
            api.delete("default/stubborn", graceSeconds: 60)
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while !api.told("Killing stubborn") { try await Task.sleep(for: .milliseconds(2)) }
            }
            let began = ContinuousClock.now
            api.delete("default/stubborn", graceSeconds: 1)
            await api.wait("default/stubborn", "gone") { $0 == nil }
            // Of the minute that it was given first, it had hardly any.
            #expect(ContinuousClock.now - began < .seconds(50))
            await kubelet.stop()
            api.forget("default/orphan")
            let next = try TestKubelet.start(api, containerd)
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while try await !next.runtime.listPodSandboxes(podUID: nil).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            }
            await next.stop()
        }
    }
}
