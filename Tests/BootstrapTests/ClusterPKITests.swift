import APIClient
import Glibc
import HTTPTransport
import Testing
import Units

@testable import Bootstrap

/// A directory that is removed when the test is over.
final class Scratch: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/apus-pki-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func names(_ sub: String) -> [String] {
        guard let directory = opendir("\(path)/\(sub)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    deinit {
        for sub in ["pki", "."] {
            for name in names(sub) { unlink("\(path)/\(sub)/\(name)") }
        }
        rmdir("\(path)/pki")
        rmdir(path)
    }
}

@Suite struct ClusterPKITests {
    static let now = Timestamp(unixSeconds: 1_790_000_000)

    static func configuration(_ scratch: Scratch) -> PKIConfiguration {
        PKIConfiguration(
            directory: "\(scratch.path)/pki",
            nodeName: "node-1",
            serviceAddress: IPAddress("10.96.0.1"),
            addresses: [IPAddress("192.0.2.7")].compactMap { $0 },
            extraNames: ["api.example", "203.0.113.9"]
        )
    }

    @Test func `a second start finds the same files`() throws {
        let scratch = try Scratch()
        let first = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        let second = try ClusterPKI(Self.configuration(scratch), now: Self.now + .seconds(3600))
        #expect(first.authority.certificatePEM == second.authority.certificatePEM)
        #expect(first.serviceAccountKeyPEM == second.serviceAccountKeyPEM)
        for leaf in ClusterPKI.Leaf.allCases { #expect(first.pair(leaf) == second.pair(leaf)) }
        for name in scratch.names("pki") {
            var information = stat()
            stat("\(scratch.path)/pki/\(name)", &information)
            #expect(information.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func `old certificates are renewed, the authority stays`() throws {
        let scratch = try Scratch()
        let pki = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        let before = pki.pair(.admin)
        #expect(try pki.renew(now: Self.now + .seconds(200 * 86_400)) == [])
        let authority = pki.authority.certificatePEM
        #expect(try pki.renew(now: Self.now + .seconds(300 * 86_400)) == ClusterPKI.Leaf.allCases)
        #expect(pki.pair(.admin) != before)
        #expect(pki.authority.certificatePEM == authority)
        let expiries = try pki.expiries(now: Self.now + .seconds(300 * 86_400))
        #expect(expiries.count == ClusterPKI.Leaf.allCases.count + 2)
        #expect(expiries.allSatisfy { !$0.isDue })
        #expect(expiries.last?.isAuthority == true)
    }

    @Test func `a new address makes a new serving certificate and nothing else`() throws {
        let scratch = try Scratch()
        let first = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        var changed = Self.configuration(scratch)
        changed.extraNames.append("198.51.100.4")
        let second = try ClusterPKI(changed, now: Self.now)
        #expect(first.pair(.apiServer) != second.pair(.apiServer))
        #expect(first.pair(.admin) == second.pair(.admin))
    }

    @Test(arguments: ["ca.crt", "ca.key", "sa.key", "admin.crt", "apiserver.key"])
    func `a broken file is an error that names it and stays as it is`(_ name: String) throws {
        let scratch = try Scratch()
        _ = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        let path = "\(scratch.path)/pki/\(name)"
        let isLeaf = !name.hasPrefix("ca.") && !name.hasPrefix("sa.")
        for garbage in ["garbage", isLeaf ? "more" : "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            try AtomicFile.write(path, Array(garbage.utf8))
            #expect {
                try ClusterPKI(Self.configuration(scratch), now: Self.now)
            } throws: { "\($0)".contains("\(scratch.path)/pki/\(name.split(separator: ".")[0])") }
            #expect(try AtomicFile.read(path) == Array(garbage.utf8))
        }
    }

    @Test func `a certificate that a power loss left empty is made again`() throws {
        let scratch = try Scratch()
        _ = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        let path = "\(scratch.path)/pki/admin.crt"
        try AtomicFile.write(path, [])
        let pki = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        #expect(try AtomicFile.read(path) == Array(pki.pair(.admin).certificatePEM.utf8))
    }

    @Test func `a key without its certificate is an error`() throws {
        let scratch = try Scratch()
        _ = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        unlink("\(scratch.path)/pki/ca.crt")
        #expect {
            try ClusterPKI(Self.configuration(scratch), now: Self.now)
        } throws: { "\($0)".contains("ca.crt") }
    }

    @Test func `its certificates serve and identify over tls`() async throws {
        let scratch = try Scratch()
        let pki = try ClusterPKI(Self.configuration(scratch), now: SystemTime.now)
        struct Who: HTTPHandler {
            func respond(to request: HTTPRequest) async -> HTTPResponse {
                let identity = request.peer.clientCertificate
                let proxy = request.peer.proxyCertificate?.commonName ?? ""
                let text = "\(identity?.commonName ?? "nobody") \(identity?.organizations ?? []) \(proxy)"
                return HTTPResponse(status: 200, body: .bytes(Array(text.utf8)))
            }
        }
        let server = try HTTPServer(configuration: HTTPServerConfiguration(tls: pki.apiServerTLS), handler: Who())
        // unstructured: cancelled below
        let running = Task { try await server.run() }
        let port = try await server.listeningPort()
        let expected: [ClusterPKI.Leaf: String] = [
            .admin: "kubernetes-admin [\"system:masters\"] ",
            .kubelet: "system:node:node-1 [\"system:nodes\"] ",
            .scheduler: "system:kube-scheduler [] ",
            .frontProxyClient: "nobody [] front-proxy-client",
        ]
        for (leaf, text) in expected {
            let client = try HTTPClient(
                configuration: HTTPClientConfiguration(
                    address: .tcp(host: "localhost", port: port),
                    tls: pki.client(leaf)
                )
            )
            let body = try await client.send(HTTPRequest(path: "/")).body.collect()
            #expect(String(decoding: body, as: UTF8.self) == text)
            await client.shutDown()
        }
        running.cancel()
        try await running.value
    }

    @Test func `kubeconfigs are written and merged`() throws {
        let scratch = try Scratch()
        let pki = try ClusterPKI(Self.configuration(scratch), now: Self.now)
        let files = KubeconfigFiles(dataDirectory: scratch.path)
        try files.write(pki, server: "https://127.0.0.1:6443")
        let admin = try #require(try Kubeconfig.load(files.adminPath))
        #expect(admin.currentContext == "apus")
        #expect(try admin.cluster("apus")?.server == "https://127.0.0.1:6443")
        let user = "\(scratch.path)/config"
        try KubeconfigFiles.merge(pki, server: "https://127.0.0.1:6443", into: user)
        #expect(try Kubeconfig.load(user)?.contextNames == ["apus"])
        try KubeconfigFiles.remove(from: user)
        #expect(try Kubeconfig.load(user)?.contextNames == [])
        try AtomicFile.write(user, Array("a: [".utf8))
        #expect(throws: FileError.self) { try KubeconfigFiles.merge(pki, server: "https://x:1", into: user) }
        #expect(try AtomicFile.read(user) == Array("a: [".utf8))
    }
}

enum SystemTime {
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(unixSeconds: Int64(time.tv_sec))
    }
}
