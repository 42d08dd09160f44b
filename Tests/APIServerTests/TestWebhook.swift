import HTTPTransport
import Synchronization
import Testing
import Values

@testable import APIServer

/// A webhook for the tests: an HTTPS server inside the test, with a certificate that is good for nothing else.
struct TestWebhook: Sendable {
    let port: Int

    /// What the webhook was asked.
    final class Log: Sendable {
        private let seen = Mutex<[JSONValue]>([])
        var requests: [JSONValue] { seen.withLock { $0 } }
        func add(_ value: JSONValue) { seen.withLock { $0.append(value) } }
    }

    private struct Handler: HTTPHandler {
        let log: Log
        let answer: @Sendable (JSONValue) -> JSONValue

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            let body = (try? JSONParser.parse(request.body)) ?? .null
            log.add(body)
            return HTTPResponse(
                status: 200,
                headers: ["Content-Type": "application/json"],
                body: .bytes(answer(body).encoded())
            )
        }
    }

    /// Runs `body` with a webhook that answers so.
    static func run(
        _ answer: @escaping @Sendable (JSONValue) -> JSONValue,
        _ body: @escaping @Sendable (TestWebhook, Log) async throws -> Void
    ) async throws {
        let tls = TLSServer(certificateChainPEM: certificate, keyPEM: key)
        let log = Log()
        let configuration = HTTPServerConfiguration(host: "127.0.0.1", port: 0, tls: tls)
        let server = try HTTPServer(configuration: configuration, handler: Handler(log: log, answer: answer))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.listeningPort()
            defer { group.cancelAll() }
            try await body(TestWebhook(port: port), log)
        }
    }

    /// Valid for `localhost`, `127.0.0.1` and `hook.default.svc` until 2126.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBkjCCATmgAwIBAgIUF28NKu/VIdI1FfHKaSMZFAWMAIwwCgYIKoZIzj0EAwIw
        HjEcMBoGA1UEAwwTYXB1cyB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjEwNjU3MTZa
        GA8yMTI2MTAyODA2NTcxNlowHjEcMBoGA1UEAwwTYXB1cyB0ZXN0IGF1dGhvcml0
        eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNoapgHLy3FDSLmMd8lUFwXPXHeq
        4rUlnaZab7vJnlGs4NcpF6a8IVG6M1juvOAvdsDCXAscl+/uN8BqWM++mZKjUzBR
        MB0GA1UdDgQWBBRZofD7PwUg63hbvrjw56R+UkvgxzAfBgNVHSMEGDAWgBRZofD7
        PwUg63hbvrjw56R+UkvgxzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA
        MEQCIDkTM9op7EZfQGOJsrxvz71XbTzJVGjb4CTp0jR7HR2sAiAqVXi5demeA4tv
        1hNrBLgGyCmJccRB3GBySttzkd1pNQ==
        -----END CERTIFICATE-----
        """
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBzjCCAXWgAwIBAgIUcdsECLZ7WuEBYXCZuAyXfr5c9pswCgYIKoZIzj0EAwIw
        HjEcMBoGA1UEAwwTYXB1cyB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjEwNjU3MTZa
        GA8yMTI2MTAyODA2NTcxNlowGzEZMBcGA1UEAwwQaG9vay5kZWZhdWx0LnN2YzBZ
        MBMGByqGSM49AgEGCCqGSM49AwEHA0IABEb4R0dFlOWo8IJMkGU+f3Zb4ox9uHya
        xNRann1+A8mwgwZYS23bH/wzLLRVO5GdU2tD2bnmV4sdOkDkHIVSytKjgZEwgY4w
        LAYDVR0RBCUwI4IQaG9vay5kZWZhdWx0LnN2Y4IJbG9jYWxob3N0hwR/AAABMBMG
        A1UdJQQMMAoGCCsGAQUFBwMBMAkGA1UdEwQCMAAwHQYDVR0OBBYEFO7G+t4b+Pc9
        gP9nBWq/40ZP1jEmMB8GA1UdIwQYMBaAFFmh8Ps/BSDreFu+uPDnpH5SS+DHMAoG
        CCqGSM49BAMCA0cAMEQCIANV4RkFQnXYcWd7onDpTiOVOLmsQK2VAR9aP1Ch1Zq1
        AiBFAI5O/F5AELfjUDZkZ5/JwI+zsC1LSrhhnIvnkE8A5g==
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0JCL+EpNU+o3XWVK
        WCb5PPMQsd4NjFw3QgIzIdvHY1ahRANCAARG+EdHRZTlqPCCTJBlPn92W+KMfbh8
        msTUWp59fgPJsIMGWEtt2x/8Myy0VTuRnVNrQ9m55leLHTpA5ByFUsrS
        -----END PRIVATE KEY-----
        """
}
