import Channels
import Testing

@testable import HTTPTransport

/// A client nobody here wrote.
@Suite(.enabled(if: HTTPTransportFile.exists("/usr/bin/curl"))) struct CurlTests {
    @Test(arguments: ["--http1.1", "--http2"])
    func `curl speaks both protocols with a client certificate`(_ flag: String) async throws {
        let pki = try TestPKI()
        let serving = try pki.issue("server", usage: .serverAuth)
        let admin = try pki.issue("admin", organizations: ["system:masters"], usage: .clientAuth)
        let directory = try HTTPTransportFile.temporaryDirectory()
        try HTTPTransportFile.write("\(directory)/ca.crt", pki.caPEM)
        try HTTPTransportFile.write("\(directory)/client.crt", admin.certificatePEM)
        try HTTPTransportFile.write("\(directory)/client.key", admin.keyPEM)
        let tls = TLSServer(
            certificateChainPEM: serving.certificatePEM,
            keyPEM: serving.keyPEM,
            clientCAPEM: pki.caPEM
        )
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let result = try await ChildProcess.run(
                [
                    "/usr/bin/curl", "-sS", flag, "--cacert", "\(directory)/ca.crt", "--cert", "\(directory)/client.crt", "--key",
                    "\(directory)/client.key", "-d", "hello", "https://localhost:\(port)/x?a=b",
                ]
            )
            let version = flag == "--http2" ? "HTTP/2.0" : "HTTP/1.1"
            #expect(result.outputText == "POST /x\n\(version)\na=b\nuser admin system:masters\nbody 5", "\(result.errorText)")
        }
        HTTPTransportFile.remove(directory, ["ca.crt", "client.crt", "client.key"])
    }
}

/// What a client is told in the handshake, as openssl shows it.
@Suite(.enabled(if: HTTPTransportFile.exists("/usr/bin/openssl"))) struct HandshakeTests {
    @Test func `clients are told whose certificates are taken`() async throws {
        let pki = try TestPKI(name: "people")
        let proxies = try TestPKI(name: "proxies")
        let serving = try pki.issue("server", usage: .serverAuth)
        let tls = TLSServer(
            certificateChainPEM: serving.certificatePEM,
            keyPEM: serving.keyPEM,
            clientCAPEM: pki.caPEM,
            requestHeaderCAPEM: proxies.caPEM
        )
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let result = try await ChildProcess.run(["/usr/bin/openssl", "s_client", "-connect", "127.0.0.1:\(port)"])
            let lines = result.outputText.split(separator: "\n").map { $0.filter { $0 != " " } }
            let start = try #require(lines.firstIndex(of: "AcceptableclientcertificateCAnames"), "\(result.outputText)")
            #expect(lines.dropFirst(start + 1).prefix(2) == ["CN=people", "CN=proxies"])
            // The chain is the serving certificate alone, as it was given.
            #expect(lines.filter { $0 == "-----BEGINCERTIFICATE-----" }.count == 1)
        }
    }
}
