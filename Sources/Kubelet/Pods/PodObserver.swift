import Channels
import PodRuntime
import RPC
import Units

/// Asks the runtime for all it knows about one pod.
struct PodObserver: Sendable {
    /// How much of a log is shown as a container's last words.
    static let logTailLines = 80
    static let messageLimit = 4096
    static let logTailBytes = 2048

    let runtime: any ContainerRuntime
    let pool: BlockingPool

    /// Everything known of `uid`. What ended keeps the details found before: they cannot change any more.
    func observe(_ uid: String, previous: ObservedPod?) async throws -> ObservedPod {
        async let listedSandboxes = runtime.listPodSandboxes(podUID: uid)
        async let listedContainers = runtime.listContainers(podUID: uid)
        let (sandboxes, containers) = try await (listedSandboxes, listedContainers)
        var result = ObservedPod(uid: uid)
        if let any = sandboxes.first {
            result.namespace = any.metadata.namespace
            result.name = any.metadata.name
        } else if let labels = containers.first?.labels {
            result.namespace = labels[Labels.podNamespace] ?? ""
            result.name = labels[Labels.podName] ?? ""
        }
        for sandbox in sandboxes.sorted(by: { $0.createdAt > $1.createdAt }) {
            if let seen = try await observe(sandbox, previous) { result.sandboxes.append(seen) }
        }
        for container in containers.sorted(by: { ($0.createdAt, $0.metadata.attempt) > ($1.createdAt, $1.metadata.attempt) }) {
            if let seen = try await observe(container, previous) { result.containers.append(seen) }
        }
        return result
    }

    private func observe(_ sandbox: CRIPodSandbox, _ previous: ObservedPod?) async throws -> ObservedSandbox? {
        let known = previous?.sandboxes.first { $0.id == sandbox.id }
        let isReady = sandbox.state == .sandboxReady
        if var known, known.isReady == isReady, !isReady || !known.addresses.isEmpty || known.usesHostNetwork {
            known.isReady = isReady
            return known
        }
        do {
            var seen = ObservedSandbox(try await runtime.podSandboxStatus(sandbox.id))
            if seen.addresses.isEmpty, let known { seen.addresses = known.addresses }
            return seen
        } catch let error as RuntimeError where error.code == .notFound {
            return nil
        }
    }

    private func observe(_ container: CRIContainer, _ previous: ObservedPod?) async throws -> ObservedContainer? {
        let known = previous?.containers.first { $0.id == container.id }
        let state = ContainerRunState(container.state)
        if let known, known.state == state, state == .exited || state == .running { return known }
        do {
            let status = try await runtime.containerStatus(container.id)
            var seen = ObservedContainer(status, sandboxID: container.podSandboxID)
            if seen.state == .exited, runtime.runsProcesses { seen.message = await lastWords(status) }
            return seen
        } catch let error as RuntimeError where error.code == .notFound {
            return nil
        }
    }

    /// The content of the termination message file, or the log's end for a failed container that asks for that.
    private func lastWords(_ status: CRIContainerStatus) async -> String {
        let path = status.annotations[Labels.terminationMessageHostPath]
        let isFallback = status.annotations[Labels.terminationMessagePolicy] == "FallbackToLogsOnError"
        let log = status.logPath
        let failed = status.exitCode != 0
        let runtimeMessage = status.message
        let text = try? await pool.run { () -> String in
            if let path, let bytes = try? HostFiles.read(path, limit: Self.messageLimit), !bytes.isEmpty {
                return String(decoding: bytes, as: UTF8.self)
            }
            guard isFallback, failed, status.reason != "ContainerCannotRun" else { return "" }
            return LogTail.text(log, lines: Self.logTailLines, bytes: Self.logTailBytes)
        }
        guard let text, !text.isEmpty else { return runtimeMessage }
        return runtimeMessage.isEmpty ? text : "\(runtimeMessage): \(text)"
    }
}
