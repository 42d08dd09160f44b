import APITypes
import Channels
import HTTPTransport
import NIOCore
import NIOPosix
import PodRuntime
import RPC
import Units

/// Runs probes for real: commands through the runtime, the others over the network.
struct NetworkProber: Prober {
    /// What is kept of a probe's output.
    static let outputLimit = 10 << 10
    static let redirectLimit = 10

    let runtime: any ContainerRuntime
    let clock: any ClusterClock
    let threads: EventLoopThreads
    /// Sent as User-Agent.
    var agent = "kube-probe/1.36"

    func probe(_ probe: Probe, container: Container, containerID: String, podIP: String) async -> ProbeResult {
        let timeout = Duration.seconds(max(probe.timeoutSeconds, 1))
        if let exec = probe.exec { return await run(exec, containerID, timeout) }
        if let get = probe.httpGet { return await httpGet(get, container: container, podIP: podIP, timeout: timeout) }
        if let tcp = probe.tcpSocket {
            guard let port = container.port(tcp.port) else { return Self.noPort(tcp.port) }
            return await connect(tcp.host.isEmpty ? podIP : tcp.host, port, timeout)
        }
        if let grpc = probe.grpc { return await health(podIP, grpc.port, grpc.service ?? "", timeout) }
        return ProbeResult(result: .unknown, output: "missing probe handler for \(container.name)")
    }

    private static func noPort(_ port: IntOrString) -> ProbeResult {
        ProbeResult(result: .unknown, output: "couldn't find port: \(port)")
    }

    // MARK: exec

    private func run(_ exec: ExecAction, _ containerID: String, _ timeout: Duration) async -> ProbeResult {
        let command = exec.command
        let runtime = runtime
        do {
            // The runtime has the timeout too; ours holds even if the runtime hangs.
            let response = try await withDeadline(timeout + .seconds(2), clock: clock) {
                try await runtime.execSync(containerID, command: command, timeout: timeout)
            }
            let output = String(decoding: response.outputBytes.prefix(Self.outputLimit), as: UTF8.self)
            return ProbeResult(result: response.exitCode == 0 ? .success : .failure, output: output)
        } catch is DeadlineExceeded {
            return Self.commandTimedOut(timeout)
        } catch let error as RuntimeError where error.code == .deadlineExceeded {
            return Self.commandTimedOut(timeout)
        } catch let error as RuntimeError where error.message.contains("timeout") {
            return Self.commandTimedOut(timeout)
        } catch {
            return ProbeResult(result: .unknown, output: "\(error)")
        }
    }

    private static func commandTimedOut(_ timeout: Duration) -> ProbeResult {
        ProbeResult(result: .failure, output: "command timed out after \(DurationText.format(timeout))")
    }

    // MARK: tcp and gRPC

    private func connect(_ host: String, _ port: Int, _ timeout: Duration) async -> ProbeResult {
        do {
            let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
                .connectTimeout(.nanoseconds(Int64(timeout / .nanoseconds(1))))
                .connect(host: host, port: port)
                .get()
            try? await channel.close()
            return ProbeResult(result: .success, output: "")
        } catch {
            let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            return ProbeResult(result: .failure, output: "dial tcp \(place): \(Self.words(error))")
        }
    }

    /// The system's words where there are some: `connect: connection refused`.
    private static func words(_ error: any Error) -> String {
        if let failure = error as? NIOConnectionError, let first = failure.connectionErrors.first {
            return words(first.error)
        }
        if let failure = error as? IOError { return "connect: \(describe(errno: failure.errnoCode).lowercased())" }
        if case .connectTimeout? = error as? NIOCore.ChannelError { return "i/o timeout" }
        return "\(error)"
    }

    private func health(_ host: String, _ port: Int, _ service: String, _ timeout: Duration) async -> ProbeResult {
        let answer = try? await withDeadline(timeout + .seconds(1), clock: clock) {
            await HealthCheck.check(host: host, port: port, service: service, timeout: timeout)
        }
        switch answer {
        case .serving:
            return ProbeResult(result: .success, output: "service healthy")
        case .notServing(let status):
            return ProbeResult(result: .failure, output: "service unhealthy (responded with \"\(status)\")")
        case .failed("deadlineExceeded", let message):
            let limit = DurationText.format(timeout)
            return ProbeResult(result: .failure, output: "timeout: health rpc did not complete within \(limit): \(message)")
        case .failed(let code, let message):
            return ProbeResult(result: .failure, output: "error: health rpc probe failed: \(code): \(message)")
        case nil:
            let limit = DurationText.format(timeout)
            return ProbeResult(result: .failure, output: "timeout: health rpc did not complete within \(limit)")
        }
    }

    // MARK: http

    func httpGet(_ get: HTTPGetAction, container: Container, podIP: String, timeout: Duration) async -> ProbeResult {
        guard let port = container.port(get.port) else { return Self.noPort(get.port) }
        let isSecure = get.scheme.uppercased() == "HTTPS"
        let host = get.host.isEmpty ? podIP : get.host
        var target = get.path.isEmpty ? "/" : get.path
        if !target.hasPrefix("/") { target = "/\(target)" }
        let url = "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)\(target)"
        do {
            let client = try HTTPClient(
                configuration: HTTPClientConfiguration(
                    address: .tcp(host: host, port: port),
                    tls: isSecure ? TLSClient(isInsecure: true) : nil,
                    eventLoops: threads
                )
            )
            let first = request(get, target, timeout)
            let result: ProbeResult
            do {
                result = try await withDeadline(timeout, clock: clock) {
                    try await Self.follow(first, client, host: host)
                }
            } catch  where error is DeadlineExceeded || (error as? TransportError)?.code == .timedOut {
                // The client keeps the same time: either may be first.
                let words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                result = ProbeResult(result: .failure, output: "Get \"\(url)\": \(words)")
            } catch {
                result = ProbeResult(result: .failure, output: "Get \"\(url)\": \(error)")
            }
            await client.shutDown()
            return result
        } catch {
            return ProbeResult(result: .failure, output: "Get \"\(url)\": \(error)")
        }
    }

    private func request(_ get: HTTPGetAction, _ target: String, _ timeout: Duration) -> HTTPRequest {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers: HeaderFields = ["User-Agent": agent, "Accept": "*/*", "Connection": "close"]
        for header in get.httpHeaders { headers[header.name] = header.value }
        return HTTPRequest(
            method: "GET",
            path: String(parts[0]),
            query: parts.count > 1 ? QueryItems(parsing: parts[1]) : QueryItems(),
            headers: headers,
            timeout: timeout
        )
    }

    /// Sends the request, and again where a redirect on the same host leads.
    private static func follow(_ first: HTTPRequest, _ client: HTTPClient, host: String) async throws -> ProbeResult {
        var request = first
        for _ in 0...redirectLimit {
            let response = try await client.send(request)
            var body: [UInt8] = []
            for try await chunk in response.body {
                body.append(contentsOf: chunk)
                if body.count >= outputLimit { break }
            }
            response.body.cancel()
            let text = String(decoding: body.prefix(outputLimit), as: UTF8.self)
            switch response.status {
            case 200..<300:
                return ProbeResult(result: .success, output: text)
            case 300..<400:
                guard let location = response.headers["Location"], location.hasPrefix("/"), !location.hasPrefix("//") else {
                    let output = "Probe terminated redirects, Response body: \(text)"
                    return ProbeResult(result: .success, output: output, isWarning: true)
                }
                let parts = location.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
                request.path = String(parts[0])
                request.query = parts.count > 1 ? QueryItems(parsing: parts[1]) : QueryItems()
            default:
                return ProbeResult(result: .failure, output: "HTTP probe failed with statuscode: \(response.status)")
            }
        }
        return ProbeResult(result: .failure, output: "stopped after \(redirectLimit) redirects")
    }
}
