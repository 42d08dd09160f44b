import Channels
import Glibc
import Logging

/// A private containerd, started by apus and kept alive.
///
/// It runs in a session of its own and outlives apus: containers go on while apus restarts, and the next apus
/// adopts the process it finds. The caller runs `run()` in one task; `stop()` ends the process itself.
public struct ContainerdProcess: Sendable {
    /// What it was started with.
    public let configuration: ContainerdConfiguration
    private let logger: Logger
    private static let restartDelays: [Duration] = [.milliseconds(100), .milliseconds(500), .seconds(1), .seconds(5)]

    /// A process that is not started yet.
    public init(configuration: ContainerdConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Writes the configuration and starts containerd, or adopts the one that an earlier apus left running.
    ///
    /// - Returns: its process id, once its socket answers.
    /// - Throws: `ChildProcessError` when it is not installed, or does not come up; with the end of its log.
    @discardableResult
    public func start(deadline: Duration = .seconds(20)) async throws -> pid_t {
        try prepareDirectories()
        if let pid = runningProcess() {
            logger.info("containerd adopted", metadata: ["pid": "\(pid)"])
            try await waitForSocket(pid, deadline)
            return pid
        }
        try writeFile(configuration.file, configuration.toml())
        unlink(configuration.socket)
        let pid = try ChildProcess.startDetached(
            ["containerd", "--config", configuration.file],
            logFile: configuration.logFile
        )
        try writeFile(configuration.pidFile, "\(pid)\n")
        logger.info("containerd started", metadata: ["pid": "\(pid)", "socket": "\(configuration.socket)"])
        try await waitForSocket(pid, deadline)
        return pid
    }

    /// Watches the process and starts it anew whenever it ends, until the task is cancelled.
    public func run() async {
        var failures = 0
        while !Task.isCancelled {
            guard runningProcess() == nil else {
                failures = 0
                try? await Task.sleep(for: .milliseconds(500))
                continue
            }
            logger.error("containerd is not running, starting it again", metadata: ["log": "\(configuration.logFile)"])
            do {
                try await start()
            } catch {
                logger.error("containerd did not start", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: Self.restartDelays[min(failures, Self.restartDelays.count - 1)])
                failures += 1
            }
        }
    }

    /// Ends the process: SIGTERM, then SIGKILL. Containers' shims are not touched.
    public func stop(deadline: Duration = .seconds(10)) async {
        guard let pid = runningProcess() else { return }
        kill(pid, SIGTERM)
        let end = ContinuousClock.now + deadline
        while runningProcess() != nil {
            if ContinuousClock.now > end { kill(pid, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(20))
        }
        unlink(configuration.pidFile)
    }

    /// The process id in the pid file, when that process is a containerd with our configuration.
    public func runningProcess() -> pid_t? {
        guard let text = readFile(configuration.pidFile), let pid = pid_t(text.prefix { $0.isNumber }) else { return nil }
        var status: Int32 = 0
        _ = waitpid(pid, &status, WNOHANG)  // reap it when it is ours; ECHILD when it was adopted
        guard let commandLine = readFile("/proc/\(pid)/cmdline"), commandLine.contains(configuration.file) else { return nil }
        return pid
    }

    private func prepareDirectories() throws {
        for directory in [configuration.root, configuration.state, configuration.registryDirectory] {
            try makeDirectories(directory)
        }
    }

    private func waitForSocket(_ pid: pid_t, _ deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        while !accepts(configuration.socket) {
            guard isAlive(pid) else {
                throw ChildProcessError(command: "containerd", message: "ended at once: \(lastLogLine())")
            }
            guard ContinuousClock.now < end else {
                throw ChildProcessError(command: "containerd", message: "no answer within \(deadline): \(lastLogLine())")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Whether a process that was just started has not ended. Its command line tells nothing before exec has finished.
    private func isAlive(_ pid: pid_t) -> Bool {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) != pid && kill(pid, 0) == 0
    }

    private func lastLogLine() -> String {
        let lines = (readFile(configuration.logFile) ?? "").split(separator: "\n")
        return lines.last.map(String.init) ?? "no log in \(configuration.logFile)"
    }
}
