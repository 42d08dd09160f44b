import APIClient
import Channels
import Glibc

/// An apus under measurement, in a directory of its own, ended and cleaned up by `stop`.
final class RunningServer: Sendable {
    let facts: ProcessFacts
    let kubeconfig: String
    private let binary: String
    private let command: String
    private let directory: String
    private let startedAt: ContinuousClock.Instant

    init(binary: String, command: String = "server", arguments: [String] = []) throws {
        var template = Array("/tmp/apus-bench-XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            throw BenchError(message: "mkdtemp: \(describe(errno: errno))")
        }
        let directory = String(cString: made)
        self.directory = directory
        self.binary = binary
        self.command = command
        kubeconfig = directory + "/data/admin.conf"
        startedAt = ContinuousClock.now
        let pid = try ChildProcess.startDetached(
            [binary, command, "--data-dir", directory + "/data", "--https-port", String(16_000 + Int(getpid()) % 20_000)] + arguments,
            logFile: directory + "/log"
        )
        facts = ProcessFacts(pid)
    }

    /// The time from start until `condition` holds.
    func time(until condition: @Sendable (APIClient) async throws -> Bool) async throws -> Duration {
        let end = ContinuousClock.now + .seconds(60)
        var client: APIClient?
        while ContinuousClock.now < end {
            if client == nil, access(kubeconfig, R_OK) == 0 { client = try? Connections.client(kubeconfig) }
            if let client, (try? await condition(client)) == true { return ContinuousClock.now - startedAt }
            guard kill(facts.pid, 0) == 0 else { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        let log = try await ChildProcess.run(["tail", "-5", directory + "/log"])
        throw BenchError(message: "the server did not come up: \(log.outputText)")
    }

    /// Ends the server and removes all it made.
    func stop() async throws {
        if command == "server" {
            _ = try await ChildProcess.run([binary, "down", "--data-dir", directory + "/data", "--purge"], deadline: .seconds(120))
        } else {
            kill(facts.pid, SIGKILL)
        }
        var status: Int32 = 0
        waitpid(facts.pid, &status, 0)
        _ = try await ChildProcess.run(["rm", "-rf", directory])
    }
}
