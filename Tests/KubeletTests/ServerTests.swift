import APITypes
import Channels
import HTTPTransport
import Testing
import Units
import Values

@testable import Kubelet

/// The kubelet's own API over a socket, against a real containerd.
@Suite(.serialized, .enabled(if: TestContainerd.isPossible, "needs root, containerd, CNI plugins and busybox"))
struct ServerTests {
    private struct Connection: Sendable {
        let client: HTTPClient
        let threads: EventLoopThreads

        func get(_ path: String, _ query: QueryItems = [:]) async throws -> (status: Int, text: String) {
            let response = try await client.send(HTTPRequest(method: "GET", path: path, query: query))
            return (response.status, String(decoding: try await response.body.collect(), as: UTF8.self))
        }
    }

    private func withServer(_ body: (Connection, TestAPI, TestKubelet) async throws -> Void) async throws {
        let containerd = try await TestContainerd.start()
        let api = TestAPI()
        let kubelet = try TestKubelet.start(api, containerd)
        let threads = EventLoopThreads(count: 1)
        let server = try HTTPServer(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0, name: "test"),
            handler: KubeletServer(core: kubelet.core, threads: threads)
        )
        let serving = Task { try? await server.run() }
        let port = try await server.listeningPort()
        let client = try HTTPClient(configuration: HTTPClientConfiguration(address: .tcp(host: "127.0.0.1", port: port)))
        let result: Result<Void, any Error>
        do {
            try await body(Connection(client: client, threads: threads), api, kubelet)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutDown()
        serving.cancel()
        _ = await serving.value
        await kubelet.stop()
        await containerd.stop()
        await threads.shutDown()
        try result.get()
    }

    private static let talker = """
        metadata: {name: talk, uid: uid-talk}
        spec:
          nodeName: node-1
          terminationGracePeriodSeconds: 0
          containers:
          - name: c
            image: test.local/busybox:1
            command: [sh, -c, "echo one; sleep 0.2; echo two >&2; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo three; sleep 1000"]
        """

    @Test func `logs are read, followed and refused in words`() async throws {
        try await withServer { connection, api, kubelet in
            api.create(try Samples.pod(Self.talker))
            await api.wait("default/talk", "Running") { $0?.status.phase == "Running" }
            _ = try await withDeadline(.seconds(60), clock: SystemClock()) {
                while try await connection.get("/containerLogs/default/talk/c").text != "one\ntwo\n" {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(try await connection.get("/containerLogs/default/talk/c", ["tailLines": "1"]).text == "two\n")
            #expect(try await connection.get("/containerLogs/default/none/c").status == 404)
            let previous = try await connection.get("/containerLogs/default/talk/c", ["previous": "true"])
            #expect(previous.status == 400)
            #expect(previous.text == "previous terminated container \"c\" in pod \"talk\" not found")
            let follow = try await connection.client.send(
                HTTPRequest(method: "GET", path: "/containerLogs/default/talk/c", query: ["follow": "true"])
            )
            let id = try #require(kubelet.core.node.pods.record("uid-talk")?.observed.latest("c")?.id)
            _ = try await kubelet.runtime.execSync(id, command: ["sh", "-c", "echo > /tmp/go"], timeout: .seconds(60))
            let text = try await withDeadline(.seconds(60), clock: SystemClock()) { () -> String in
                var text = ""
                for try await chunk in follow.body {
                    text += String(decoding: chunk, as: UTF8.self)
                    if text.hasSuffix("three\n") { break }
                }
                return text
            }
            #expect(text == "one\ntwo\nthree\n")
            follow.body.cancel()
            api.delete("default/talk", graceSeconds: 0)
            await api.wait("default/talk", "gone") { $0 == nil }
        }
    }

    @Test func `a log that grew too large is rotated, and who follows it misses nothing`() async throws {
        try await withServer { connection, api, kubelet in
            api.create(
                try Samples.pod(
                    """
                    metadata: {name: loud, uid: uid-loud}
                    spec:
                      nodeName: node-1
                      terminationGracePeriodSeconds: 0
                      containers:
                      - name: c
                        image: test.local/busybox:1
                        command: [sh, -c, "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; sleep 0.02; done; echo end; sleep 1000"]
                    """
                )
            )
            await api.wait("default/loud", "Running") { $0?.status.phase == "Running" }
            let follow = try await connection.client.send(
                HTTPRequest(method: "GET", path: "/containerLogs/default/loud/c", query: ["follow": "true"])
            )
            let rotation = LogRotation(
                runtime: kubelet.runtime,
                pods: kubelet.core.node.pods,
                clock: SystemClock(),
                pool: kubelet.core.node.pool,
                maximumBytes: 1500,
                maximumFiles: 3,
                logger: kubelet.core.node.logger
            )
            let text = try await withDeadline(.seconds(60), clock: SystemClock()) { () -> String in
                var text = ""
                for try await chunk in follow.body {
                    text += String(decoding: chunk, as: UTF8.self)
                    await rotation.rotateAll()
                    if text.hasSuffix("end\n") { break }
                }
                return text
            }
            follow.body.cancel()
            #expect(text == (1...100).map { "line \($0)\n" }.joined() + "end\n")
            let path = try #require(kubelet.core.node.pods.record("uid-loud")?.observed.latest("c")?.logPath)
            let directory = String(path.dropLast("/0.log".count))
            #expect((2...3).contains(HostFiles.list(directory).count), "\(HostFiles.list(directory))")
            api.delete("default/loud", graceSeconds: 0)
            await api.wait("default/loud", "gone") { $0 == nil }
        }
    }

    @Test func `pods, statistics, metrics and health are served`() async throws {
        try await withServer { connection, api, _ in
            api.create(try Samples.pod(Self.talker))
            await api.wait("default/talk", "Running") { $0?.status.phase == "Running" }
            #expect(try await connection.get("/healthz").text == "ok")
            let pods = try JSONParser.parse(try await connection.get("/pods").text)
            #expect(pods["items"]?[0]?["metadata"]?["name"]?.string == "talk")
            let summary = try JSONParser.parse(try await connection.get("/stats/summary").text)
            #expect(summary["node"]?["nodeName"]?.string == "node-1")
            #expect(summary["pods"]?[0]?["podRef"]?["name"]?.string == "talk")
            #expect(summary["pods"]?[0]?["memory"]?["workingSetBytes"]?.int ?? 0 > 0)
            let resource = try await connection.get("/metrics/resource").text
            #expect(resource.contains("container_memory_working_set_bytes{container=\"c\",namespace=\"default\",pod=\"talk\"}"))
            #expect(try await connection.get("/metrics").text.contains("kubelet_running_pods 1"))
            #expect(try await connection.get("/nothing").status == 404)
            let refused = try await connection.get("/exec/default/talk/c", ["command": "true", "output": "1"])
            #expect(refused.status == 400, "\(refused)")
            #expect(try await connection.get("/exec/default/talk/none", ["command": "true"]).status == 404)
            api.delete("default/talk", graceSeconds: 0)
            await api.wait("default/talk", "gone") { $0 == nil }
        }
    }

    @Test func `a command's output comes through SPDY`() async throws {
        try await withServer { connection, api, _ in
            api.create(try Samples.pod(Self.talker))
            await api.wait("default/talk", "Running") { $0?.status.phase == "Running" }
            let request = HTTPRequest(
                method: "POST",
                path: "/exec/default/talk/c",
                query: ["command": "echo", "command": "hello", "output": "1"],
                headers: ["Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"]
            )
            let (response, stream) = try await connection.client.upgrade(request)
            #expect(response.status == 101)
            #expect(response.headers["X-Stream-Protocol-Version"] == "v4.channel.k8s.io")
            await stream.close()
            api.delete("default/talk", graceSeconds: 0)
            await api.wait("default/talk", "gone") { $0 == nil }
        }
    }

    @Test func `nobody without a trusted certificate passes the gate`() async throws {
        struct Open: HTTPHandler {
            func respond(to request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 200) }
        }
        let gate = KubeletGate(Open(), nodeName: "node-1")
        func status(_ identity: ClientIdentity?) async -> Int {
            var request = HTTPRequest(method: "GET", path: "/pods")
            request.peer.clientCertificate = identity
            return await gate.respond(to: request).status
        }
        #expect(await status(nil) == 401)
        #expect(await status(ClientIdentity(commonName: "someone")) == 403)
        #expect(await status(ClientIdentity(commonName: "kube-apiserver-kubelet-client")) == 200)
        #expect(await status(ClientIdentity(commonName: "admin", organizations: ["system:masters"])) == 200)
    }
}
