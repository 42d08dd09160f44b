import APITypes
import Channels
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import HTTPTransport
import PodRuntime
import RPC
import Testing
import Units

@testable import Kubelet

/// Probes over real sockets.
@Suite struct ProberTests {
    private static let hang = Duration.seconds(600)

    private struct Site: HTTPHandler {
        func respond(to request: HTTPRequest) async -> HTTPResponse {
            switch request.path {
            case "/ok": return HTTPResponse(status: 200, body: .bytes(Array("fine \(request.headers["X-Probe"] ?? "")".utf8)))
            case "/moved": return HTTPResponse(status: 302, headers: ["Location": "/ok"])
            case "/elsewhere": return HTTPResponse(status: 302, headers: ["Location": "http://example.com/"])
            case "/hang":
                try? await SystemClock().sleep(for: hang)
                return HTTPResponse(status: 200)
            default: return HTTPResponse(status: 503, body: .bytes(Array("sick".utf8)))
            }
        }
    }

    private func withProber(_ body: (NetworkProber, Int) async throws -> Void) async throws {
        let threads = EventLoopThreads(count: 1)
        let server = try HTTPServer(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0, name: "probed"),
            handler: Site()
        )
        let serving = Task { try? await server.run() }
        let port = try await server.listeningPort()
        let prober = NetworkProber(runtime: HollowRuntime(nodeIndex: 0), clock: SystemClock(), threads: threads)
        try await body(prober, port)
        serving.cancel()
        _ = await serving.value
        await threads.shutDown()
    }

    private func get(_ path: String, _ port: Int) -> Probe {
        Probe {
            // Only the one that hangs is to run into its limit, also where every other suite wants the two cores.
            $0.timeoutSeconds = path == "/hang" ? 1 : 20
            $0.httpGet = HTTPGetAction {
                $0.path = path
                $0.port = .int(Int64(port))
                $0.httpHeaders = [
                    HTTPHeader {
                        $0.name = "X-Probe"
                        $0.value = "yes"
                    }
                ]
            }
        }
    }

    @Test func `an HTTP probe succeeds, fails, follows, warns and gives up in time`() async throws {
        try await withProber { prober, port in
            func run(_ path: String, _ port: Int) async -> ProbeResult {
                await prober.probe(get(path, port), container: Container(), containerID: "c", podIP: "127.0.0.1")
            }
            let ok = await run("/ok", port)
            #expect(ok.result == .success && ok.output == "fine yes")
            #expect(await run("/moved", port).result == .success)
            let elsewhere = await run("/elsewhere", port)
            #expect(elsewhere.result == .success && elsewhere.isWarning)
            let sick = await run("/sick?x=1", port)
            #expect(sick.result == .failure && sick.output == "HTTP probe failed with statuscode: 503")
            let began = ContinuousClock.now
            let hanging = await run("/hang", port)
            #expect(hanging.result == .failure)
            #expect(hanging.output.contains("context deadline exceeded"))
            #expect(ContinuousClock.now - began < .seconds(20))
            #expect(await run("/ok", 1).result == .failure)
        }
    }

    @Test func `a TCP probe tells open from closed, and finds ports by name`() async throws {
        try await withProber { prober, port in
            let container = Container {
                $0.ports = [
                    ContainerPort {
                        $0.name = "web"
                        $0.containerPort = port
                    }
                ]
            }
            func run(_ port: IntOrString) async -> ProbeResult {
                let probe = Probe { $0.tcpSocket = TCPSocketAction { $0.port = port } }
                return await prober.probe(probe, container: container, containerID: "c", podIP: "127.0.0.1")
            }
            #expect(await run(.string("web")).result == .success)
            let closed = await run(.int(1))
            #expect(closed.result == .failure)
            #expect(closed.output == "dial tcp 127.0.0.1:1: connect: connection refused")
            #expect(await run(.string("none")).result == .unknown)
        }
    }

    private struct Health: RegistrableRPCService {
        func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
            router.registerHandler(
                forMethod: HealthHealth.Method.Check.descriptor,
                deserializer: ProtobufDeserializer<HealthHealthCheckRequest>(),
                serializer: ProtobufSerializer<HealthHealthCheckResponse>()
            ) { request, _ in
                let single = try await ServerRequest(stream: request)
                let status: HealthHealthCheckResponse.ServingStatus = single.message.service == "well" ? .serving : .notServing
                return StreamingServerResponse(single: ServerResponse(message: .with { $0.status = status }))
            }
        }
    }

    @Test func `a gRPC probe asks the standard health service`() async throws {
        try await withProber { prober, _ in
            let server = GRPCServer(
                transport: .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
                services: [Health()]
            )
            let serving = Task { try? await server.serve() }
            let port = try #require(try await server.listeningAddress?.ipv4?.port)
            func run(_ service: String, _ port: Int) async -> ProbeResult {
                let probe = Probe {
                    $0.timeoutSeconds = 20
                    $0.grpc = GRPCAction {
                        $0.port = port
                        $0.service = service
                    }
                }
                return await prober.probe(probe, container: Container(), containerID: "c", podIP: "127.0.0.1")
            }
            #expect(await run("well", port).result == .success)
            let ill = await run("ill", port)
            #expect(ill.result == .failure && ill.output == "service unhealthy (responded with \"NOT_SERVING\")")
            #expect(await run("well", 1).result == .failure)
            server.beginGracefulShutdown()
            await serving.value
        }
    }
}
