import Channels
import Glibc
import Logging
import Testing

@testable import Containerd

/// A real containerd can be started here.
private let canRunContainerd = geteuid() == 0 && access("/usr/bin/containerd", X_OK) == 0

@Suite(.serialized) struct ContainerdProcessTests {
    private func temporaryDirectory() throws -> String {
        var template = Array("/tmp/apus-containerd-XXXXXX".utf8CString)
        let path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        return try #require(path)
    }

    private func configuration(_ directory: String) -> ContainerdConfiguration {
        ContainerdConfiguration(
            root: directory + "/root",
            state: directory + "/state",
            cniBinaryDirectory: "/usr/lib/cni",
            cniConfigurationDirectory: directory + "/cni",
            registryDirectory: directory + "/registries",
            restrictOOMScoreAdjust: true
        )
    }

    @Test(.enabled(if: canRunContainerd, "needs root and containerd"))
    func `containerd starts, takes the pause image, is adopted, comes back when killed, and stops`() async throws {
        let directory = try temporaryDirectory()
        let process = ContainerdProcess(configuration: configuration(directory), logger: Logger(label: "test"))
        let pid = try await process.start()
        let images = ImageStore(socket: process.configuration.socket)
        try await images.ensurePauseImage()
        #expect(try await images.names().contains(PauseImage.reference))
        try await images.ensurePauseImage()

        #expect(try await process.start() == pid)

        let keeper = Task { await process.run() }
        kill(pid, SIGKILL)
        let deadline = ContinuousClock.now + .seconds(20)
        while process.runningProcess() == pid || process.runningProcess() == nil, ContinuousClock.now < deadline { await Task.yield() }
        let next = try #require(process.runningProcess())
        #expect(next != pid)
        keeper.cancel()
        await keeper.value
        await process.stop()
        #expect(process.runningProcess() == nil)
        _ = try await ChildProcess.run(["rm", "-rf", directory])
    }

    @Test(.enabled(if: canRunContainerd, "needs root and containerd"))
    func `an archive that is none is refused by name`() async throws {
        let directory = try temporaryDirectory()
        let process = ContainerdProcess(configuration: configuration(directory), logger: Logger(label: "test"))
        try await process.start()
        let images = ImageStore(socket: process.configuration.socket)
        await #expect(throws: ChildProcessError.self) { try await images.importArchive("/etc/hostname") }
        await #expect(throws: ChildProcessError.self) { try await images.importArchive(directory + "/absent.tar") }
        await process.stop()
        _ = try await ChildProcess.run(["rm", "-rf", directory])
    }

    @Test func `paths are quoted in the configuration`() {
        var configuration = configuration("/tmp/x")
        configuration.root = "/a \"b\""
        #expect(configuration.toml().contains(#"root = "/a \"b\"""#))
    }
}

@Suite struct PauseImageTests {
    @Test func `the pause program leaves on SIGTERM`() async throws {
        let path = "/tmp/apus-pause-\(getpid())"
        let program = PauseImage.program()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        #expect(program.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == program.count)
        close(descriptor)
        defer { unlink(path) }
        async let result = ChildProcess.run([path], deadline: .seconds(60))
        var pid: pid_t?
        while pid == nil {
            let found = try await ChildProcess.run(["pgrep", "-f", "-x", path])
            pid = pid_t(found.outputText.prefix { $0.isNumber })
        }
        kill(try #require(pid), SIGTERM)
        #expect(try await result.exitCode == 0)
    }

    @Test func `an archive has whole blocks and ends with two empty ones`() {
        let bytes = PauseImage.archive()
        #expect(bytes.count % 512 == 0)
        #expect(bytes.suffix(1024).allSatisfy { $0 == 0 })
    }
}
