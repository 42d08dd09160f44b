import APITypes
import Channels
import PodRuntime
import Units

/// A lifecycle hook that failed; the words are upstream's.
struct HookError: Error, Sendable, CustomStringConvertible {
    let message: String
    var description: String { message }
}

/// Runs postStart and preStop hooks.
struct LifecycleHooks: Sendable {
    static let httpTimeout: Duration = .seconds(30)

    let runtime: any ContainerRuntime
    let prober: any Prober
    let clock: any ClusterClock

    /// Runs one hook to its end.
    func run(
        _ handler: LifecycleHandler,
        container: Container,
        containerID: String,
        podIP: String,
        limit: Duration
    ) async throws {
        if let exec = handler.exec {
            let response = try await runtime.execSync(containerID, command: exec.command, timeout: limit)
            guard response.exitCode == 0 else {
                throw HookError(message: "command '\(exec.command.joined(separator: " "))' exited with \(response.exitCode)")
            }
        } else if let get = handler.httpGet {
            let timeout = min(limit, Self.httpTimeout)
            let result = await prober.httpGet(get, container: container, podIP: podIP, timeout: timeout)
            guard result.result == .success else { throw HookError(message: result.output) }
        } else if let sleep = handler.sleep {
            try await clock.sleep(for: min(.seconds(sleep.seconds), limit))
        }
    }
}
