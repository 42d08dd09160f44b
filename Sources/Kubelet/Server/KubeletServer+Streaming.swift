import APITypes
import HTTPTransport
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

    private func exec(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let command = request.query.all("command")
        let url = try await core.node.runtime.exec(
            .with {
                $0.containerID = id
                $0.cmd = command
                $0.tty = Self.flag(request, "tty")
                $0.stdin = Self.flag(request, "input", "stdin")
                $0.stdout = Self.flag(request, "output", "stdout")
                $0.stderr = Self.flag(request, "error", "stderr") && !$0.tty
            }
        )
        return try await tunnel(request, url)
    }

    private func attach(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let status = try await core.node.runtime.containerStatus(id)
        let isTTY = Self.isTTY(core, status)
        let url = try await core.node.runtime.attach(
            .with {
                $0.containerID = id
                $0.tty = isTTY
                $0.stdin = Self.flag(request, "input", "stdin")
                $0.stdout = Self.flag(request, "output", "stdout")
                $0.stderr = Self.flag(request, "error", "stderr") && !isTTY
            }
        )
        return try await tunnel(request, url)
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
        let ports = request.query.all("port").compactMap { Int32($0) }
        let url = try await core.node.runtime.portForward(sandbox: sandbox.id, ports: ports)
        return try await tunnel(request, url)
    }

    private func runCommand(_ request: HTTPRequest, _ id: String) async throws -> HTTPResponse {
        let command = (request.query.first("cmd") ?? "").split(separator: " ").map(String.init)
        let response = try await core.node.runtime.execSync(id, command: command, timeout: .seconds(60))
        return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(response.outputBytes))
    }

    /// Connects to the runtime's stream and joins it with the client's.
    private func tunnel(_ request: HTTPRequest, _ url: String) async throws -> HTTPResponse {
        let target = try ServerURL(url)
        let client = try HTTPClient(
            configuration: HTTPClientConfiguration(
                address: .tcp(host: target.host, port: target.port),
                eventLoops: threads
            )
        )
        let path = target.path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers = HeaderFields()
        for field in request.headers {
            let name = field.name.lowercased()
            if name == "host" || name == "content-length" || name.hasPrefix("x-remote-") || name == "authorization" { continue }
            headers.append(field.name, field.value)
        }
        let onward = HTTPRequest(
            method: request.method,
            path: String(path[0]),
            query: path.count > 1 ? QueryItems(parsing: path[1]) : QueryItems(),
            headers: headers
        )
        let (response, stream) = try await client.upgrade(onward)
        guard response.status == 101 else {
            let body = try await response.body.collect(upTo: 1 << 20)
            await client.shutDown()
            return HTTPResponse(status: response.status, headers: response.headers, body: .bytes(body))
        }
        return HTTPResponse(
            status: 101,
            headers: response.headers,
            body: .upgrade { peer in
                await Self.join(peer, stream)
                await client.shutDown()
            }
        )
    }

    /// Copies both ways until both directions have ended, or one failed.
    static func join(_ left: any DuplexByteStream, _ right: any DuplexByteStream) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await copy(left, right) }
            group.addTask { await copy(right, left) }
            for await isWhole in group where !isWhole { break }
            // The runtime closing its side ends the session for good: nothing can be answered any more.
            await left.close()
            await right.close()
            group.cancelAll()
        }
    }

    private static func copy(_ from: any DuplexByteStream, _ to: any DuplexByteStream) async -> Bool {
        do {
            while let bytes = try await from.read() { try await to.write(bytes) }
            await to.closeWrite()
            return true
        } catch {
            return false
        }
    }
}
