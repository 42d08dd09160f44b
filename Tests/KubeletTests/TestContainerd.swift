import Channels
import Glibc
import HTTPTransport
import Logging
import PodRuntime
import Testing

@testable import Kubelet

/// A containerd of this test's own: directories, socket, bridge and images. Everything it started is gone after `stop`.
struct TestContainerd: Sendable {
    static let isPossible =
        geteuid() == 0 && access("/usr/bin/containerd", X_OK) == 0 && access("/bin/busybox", X_OK) == 0
        && access("/usr/lib/cni/bridge", X_OK) == 0
    static let image = "test.local/busybox:1"

    let directory: String
    let bridge: String
    let pid: pid_t
    var socket: String { "\(directory)/run/containerd.sock" }

    static func start() async throws -> TestContainerd {
        let directory = try temporaryDirectory()
        let bridge = "kt\(directory.suffix(6).lowercased())"
        try HostFiles.makeDirectories("\(directory)/cni")
        try HostFiles.makeDirectories("\(directory)/run")
        let subnet = "10.\(200 + Int(getpid()) % 50).\(Int(getpid()) / 50 % 250).0/24"
        try HostFiles.write(
            "\(directory)/cni/10-test.conflist",
            """
            {"cniVersion": "0.4.0", "name": "\(bridge)", "plugins": [{"type": "bridge", "bridge": "\(bridge)",
            "isGateway": true, "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "\(directory)/ipam",
            "ranges": [[{"subnet": "\(subnet)"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
            """
        )
        try HostFiles.write("\(directory)/config.toml", configuration(directory))
        let pid = try ChildProcess.startDetached(
            ["/usr/bin/containerd", "--config", "\(directory)/config.toml"],
            logFile: "\(directory)/containerd.log"
        )
        let node = TestContainerd(directory: directory, bridge: bridge, pid: pid)
        try await node.becomeReady()
        return node
    }

    private static func configuration(_ directory: String) -> String {
        """
        version = 2
        root = "\(directory)/root"
        state = "\(directory)/state"
        disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
          "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
        [grpc]
          address = "\(directory)/run/containerd.sock"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "\(image)"
          restrict_oom_score_adj = true
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
          tolerate_missing_hugetlb_controller = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "\(directory)/cni"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
        """
    }

    /// Kills containerd without warning and starts it again on the same data; returns the new one.
    func restart() async throws -> TestContainerd {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 { await Task.yield() }
        let next = try ChildProcess.startDetached(
            ["/usr/bin/containerd", "--config", "\(directory)/config.toml"],
            logFile: "\(directory)/containerd.log"
        )
        return TestContainerd(directory: directory, bridge: bridge, pid: next)
    }

    private func becomeReady() async throws {
        let runtime = try CRIRuntime(socketPath: socket)
        let connection = Task { try? await runtime.run() }
        defer { connection.cancel() }
        _ = try await runtime.version()
        try await importImage()
    }

    /// An image of busybox alone; its entry point sleeps, so that it serves as the sandbox's too.
    private func importImage() async throws {
        let work = "\(directory)/image"
        try HostFiles.makeDirectories("\(work)/rootfs/bin")
        try HostFiles.makeDirectories("\(work)/rootfs/tmp")
        try HostFiles.write("\(work)/rootfs/bin/busybox", try HostFiles.read("/bin/busybox"), mode: 0o755)
        for name in ["sh", "sleep", "cat", "echo", "env", "httpd", "true", "false", "ls", "id", "nc", "hostname", "ps", "kill"] {
            try HostFiles.link("busybox", at: "\(work)/rootfs/bin/\(name)")
        }
        _ = try await ChildProcess.run(["tar", "-C", "\(work)/rootfs", "-cf", "\(work)/layer.tar", "."])
        let sum = try await ChildProcess.run(["sha256sum", "\(work)/layer.tar"]).outputText.prefix(64)
        try HostFiles.write(
            "\(work)/config.json",
            """
            {"architecture":"amd64","os":"linux","config":{"Entrypoint":["/bin/busybox"],"Cmd":["sleep","2147483647"],
            "Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:\(sum)"]}}
            """
        )
        try HostFiles.write(
            "\(work)/manifest.json",
            "[{\"Config\":\"config.json\",\"RepoTags\":[\"\(Self.image)\"],\"Layers\":[\"layer.tar\"]}]"
        )
        let archive = "\(directory)/image.tar"
        _ = try await ChildProcess.run(["tar", "-C", work, "-cf", archive, "manifest.json", "config.json", "layer.tar"])
        let result = try await ChildProcess.run([
            "ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", archive,
        ])
        #expect(result.succeeded, "\(result.errorText)")
    }

    /// Ends every pod, then containerd, and removes what they left.
    func stop() async {
        if let runtime = try? CRIRuntime(socketPath: socket) {
            let connection = Task { try? await runtime.run() }
            for sandbox in (try? await runtime.listPodSandboxes(podUID: nil)) ?? [] {
                try? await runtime.stopPodSandbox(sandbox.id)
                try? await runtime.removePodSandbox(sandbox.id)
            }
            connection.cancel()
        }
        kill(pid, SIGTERM)
        var status: Int32 = 0
        let deadline = ContinuousClock.now + .seconds(60)
        while waitpid(pid, &status, WNOHANG) == 0, ContinuousClock.now < deadline { await Task.yield() }
        kill(pid, SIGKILL)
        _ = try? await ChildProcess.run(["ip", "link", "del", bridge])
        for point in Mounts.below(directory) { try? Mounts.unmount(point) }
        let name = directory.split(separator: "/").last ?? "none"
        _ = try? await ChildProcess.run(
            ["find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/\(name)*", "-exec", "rmdir", "{}", ";"]
        )
        _ = try? await ChildProcess.run(["rm", "-rf", directory])
    }
}

/// A kubelet core with everything around it that `Kubelet.run` runs, on a test's API and containerd.
struct TestKubelet: Sendable {
    let core: KubeletCore
    let runtime: any ContainerRuntime
    let task: Task<Void, Never>
    let api: TestAPI

    static func start(_ api: TestAPI, _ containerd: TestContainerd) throws -> TestKubelet {
        try start(api, runtime: CRIRuntime(socketPath: containerd.socket), directory: "\(containerd.directory)/kubelet")
    }

    static func start(_ api: TestAPI, runtime: any ContainerRuntime, directory: String) throws -> TestKubelet {
        var configuration = KubeletConfiguration(nodeName: "node-1", nodeIPs: ["192.168.1.9"], dataDirectory: directory)
        configuration.clusterDNS = ["10.96.0.10"]
        configuration.cgroupRoot = "/\(directory.split(separator: "/").dropLast().last ?? "test")"
        try HostFiles.makeDirectories("\(directory)/pods")
        let clock = SystemClock()
        let logger = Logger(label: "test")
        let core = KubeletCore(
            configuration: configuration,
            machine: MachineFacts.read(directory: directory),
            runtime: runtime,
            shared: KubeletCore.Shared(
                api: api,
                events: api.sink,
                statuses: StatusWriter(api: api, clock: clock, logger: logger),
                pool: BlockingPool(name: "test", threads: 2),
                threads: EventLoopThreads(count: 1),
                clock: clock,
                logger: logger
            )
        )
        let generator = EventGenerator(
            runtime: runtime,
            clock: clock,
            logger: logger,
            changed: { core.workers.wake($0) },
            recovered: { core.runtimeRecovered() },
            listed: { await core.removeOrphans($0) }
        )
        let task = Task {
            await withDiscardingTaskGroup { group in
                group.addTask { try? await runtime.run() }
                group.addTask { await core.node.statuses.run() }
                group.addTask { await core.reporter.run() }
                group.addTask { await core.workers.run() }
                if runtime.runsProcesses { group.addTask { await generator.run() } }
            }
            await core.close()
        }
        api.connect(core)
        return TestKubelet(core: core, runtime: runtime, task: task, api: api)
    }

    func stop() async {
        task.cancel()
        await task.value
    }
}
