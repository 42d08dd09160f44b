import Channels
import Glibc
import Testing

@testable import Containerd

@Suite struct ContainerShimsTests {
    /// A shell by the name of a shim, with a shim's arguments.
    private func start(_ script: String, socket: String, in directory: String) throws -> pid_t {
        let program = directory + "/containerd-shim-runc-v2"
        symlink("/bin/sh", program)
        return try ChildProcess.startDetached([program, "-c", script, "-address", socket], logFile: directory + "/log")
    }

    private func wait(_ condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            if ContinuousClock.now > deadline { return false }
            await Task.yield()
        }
        return true
    }

    @Test func `a shim without a container is ended, one with a container and another's are not`() async throws {
        var template = Array("/tmp/apus-shims-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } }
        let directory = try #require(made)
        let (mine, other) = (ContainerShims(socket: directory + "/a.sock"), ContainerShims(socket: directory + "/b.sock"))
        mkfifo(directory + "/never", 0o600)
        // The shell itself waits for a writer that never comes.
        let waiting = "read line < \(directory)/never"
        let idle = try start(waiting, socket: mine.socket, in: directory)
        let busy = try start("tail -f /dev/null; :", socket: mine.socket, in: directory)
        let foreign = try start(waiting, socket: other.socket, in: directory)
        #expect(await wait { mine.idle() == [idle] && other.idle() == [foreign] })

        await mine.endIdle()
        var status: Int32 = 0
        #expect(await wait { waitpid(idle, &status, WNOHANG) == idle })
        #expect(kill(busy, 0) == 0 && kill(foreign, 0) == 0)
        #expect(mine.idle().isEmpty)
        for pid in [busy, foreign] {
            kill(-pid, SIGKILL)
            waitpid(pid, &status, 0)
        }
        _ = try await ChildProcess.run(["rm", "-rf", directory])
    }
}
