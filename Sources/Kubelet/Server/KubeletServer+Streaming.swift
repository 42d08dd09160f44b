import APITypes
import HTTPTransport
import PodRuntime
import RPC

/// Exec, attach and port-forward: the runtime has a streaming server of its own; what it answers is passed on byte by
/// byte, so the protocol that kubectl and the runtime agree on is theirs alone.
extension KubeletServer {
    func streaming(_ request: HTTPRequest, _ parts: [String]) async -> HTTPResponse {
        let verb = parts[0]
        guard parts.count >= 3 else { return .text(404, "404 page not found\n") }
        guard let record = core.node.pods.pod(namespace: parts[1], name: parts[2]), record.pod != nil else {
            return .text(404, "pod does not exist")
        }
        do {
            if verb == "portForward" { return try await portForward(request, record) }
            guard let name = parts.last, parts.count >= 4 else { return .text(404, "404 page not found\n") }
            let latest = record.observed.latest(name)
            guard let container = latest, container.state == .running else {
                return .text(404, "container not found (\"\(name)\")")
            }
            switch verb {
            case "exec": return try await exec(request, container.id)
            case "attach": return try await attach(request, container.id)
            default: return try await runCommand(request, container.id)
            }
        } catch {
            return .text(500, "\(error)")
        }
    }

    private static func flag(_ request: HTTPRequest, _ names: String...) -> Bool {
        names.contains { ["1", "true"].contains(request.query.first($0) ?? "") }
    }

    /// The API server names the streams `input`, `output` and `error`; the API's own names are taken too.
    private static func options(_ request: HTTPRequest, tty: Bool) -> RemoteCommandOptions {
        RemoteCommandOptions(
            stdin: flag(request, "input", "stdin"),
            stdout: flag(request, "output", "stdout"),
            // With a terminal both outputs are one.
            stderr: flag(request, "error", "stderr") && !tty,
            tty: tty
        )
    }

    private static let noStream = HTTPResponse.text(400, "you must specify at least 1 of stdin, stdout, stderr")

    private func exec(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let command = request.query.all("command")
        let options = Self.options(request, tty: Self.flag(request, "tty"))
        guard options.stdin || options.stdout || options.stderr else { return Self.noStream }
        let url = try await core.node.runtime.exec(
            .with {
                $0.containerID = id
                $0.cmd = command
                $0.tty = options.tty
                $0.stdin = options.stdin
                $0.stdout = options.stdout
                $0.stderr = options.stderr
            }
        )
        return try await stream(request, url, .remoteCommand(options))
    }

    private func attach(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let status = try await core.node.runtime.containerStatus(id)
        let options = Self.options(request, tty: Self.isTTY(core, status))
        guard options.stdin || options.stdout || options.stderr else { return Self.noStream }
        let url = try await core.node.runtime.attach(
            .with {
                $0.containerID = id
                $0.tty = options.tty
                $0.stdin = options.stdin
                $0.stdout = options.stdout
                $0.stderr = options.stderr
            }
        )
        return try await stream(request, url, .remoteCommand(options))
    }

    /// Whether the spec gives the container a terminal.
    private static func isTTY(_ core: KubeletCore, _ status: CRIContainerStatus) -> Bool {
        guard let uid = status.labels[Labels.podUID], let spec = core.node.pods.record(uid)?.pod?.spec else { return false }
        let name = status.labels[Labels.containerName] ?? ""
        let all = spec.containers + spec.initContainers + spec.ephemeralContainers.map { Container(fields: $0.fields) }
        return all.first { $0.name == name }?.tty == true
    }

    private func portForward(_ request: HTTPRequest, _ record: PodRecord) async throws -> HTTPResponse {
        guard let sandbox = record.observed.sandboxes.first(where: { $0.isReady }) else {
            return .text(404, "no running sandbox for pod")
        }
        let ports = (request.query.all("port") + request.query.all("ports"))
            .flatMap { $0.split(separator: ",") }
            .compactMap { UInt16($0) }
        let url = try await core.node.runtime.portForward(sandbox: sandbox.id, ports: ports.map { Int32($0) })
        return try await stream(request, url, .portForward(ports: ports))
    }

    private func runCommand(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let command = (request.query.first("cmd") ?? "").split(separator: " ").map(String.init)
        let response = try await core.node.runtime.execSync(id, command: command, timeout: .seconds(60))
        return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(response.outputBytes))
    }

    /// Joins the client with the runtime's streaming server: SPDY as it is, WebSockets translated.
    private func stream(_ request: HTTPRequest, _ url: String, _ kind: StreamingBackend.Kind) async throws -> HTTPResponse {
        let backend = try StreamingBackend(url: url, eventLoops: threads)
        return await backend.respond(to: request, kind: kind)
    }
}
