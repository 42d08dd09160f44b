import Access
import HTTPTransport
import Proxying
import Synchronization
import Testing
import Units
import Values

@testable import APIServer

/// Answers in place of pods and kubelets, and remembers what was asked.
private final class Backend: HTTPHandler, ServiceDialer, KubeletDialer {
    private let state = Mutex<[HTTPRequest]>([])
    private let places = Mutex<[String]>([])
    var requests: [HTTPRequest] { state.withLock { $0 } }
    var dialed: [String] { places.withLock { $0 } }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        state.withLock { $0.append(request) }
        switch request.path {
        case "/page":
            let page =
                #"<html><a href="/next?x=1">n</a><a href='http://other/x'>o</a><img src=pic.png><script src="/a.js">if (1<2) "<a href='/no'>"</script></html>"#
            return HTTPResponse(status: 200, headers: ["Content-Type": "text/html"], body: .bytes(Array(page.utf8)))
        case "/moved": return HTTPResponse(status: 302, headers: ["Location": "/there/"])
        default: return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Array(request.target.utf8)))
        }
    }

    func transport(scheme: String, host: String, port: Int) async throws -> any APITransport {
        places.withLock { $0.append("\(scheme)://\(host):\(port)") }
        return InProcessTransport(handler: self, peer: Peer())
    }

    func transport(to endpoint: KubeletEndpoint) async throws -> any APITransport {
        try await transport(scheme: "kubelet", host: endpoint.host, port: endpoint.port)
    }
}

@Suite struct ProxyTests {
    private static let pod: JSONValue = [
        "metadata": ["name": "web"], "spec": ["containers": [["name": "web", "image": "x", "ports": [["containerPort": 8080]]]]],
    ]

    private func withBackend(_ body: @Sendable @escaping (TestCluster, Backend) async throws -> Void) async throws {
        let backend = Backend()
        try await withCluster(kubelet: backend, serviceProxy: backend) { cluster in
            try await cluster.addServiceAccount()
            let made = try await cluster.post("/api/v1/namespaces/default/pods", Self.pod)
            #expect(made.status == 201, "\(made.text)")
            try await Self.address("10.244.0.9", of: "web", cluster)
            try await body(cluster, backend)
        }
    }

    private static func address(_ address: String, of pod: String, _ cluster: TestCluster) async throws {
        let status: JSONValue = ["status": ["podIP": .string(address), "podIPs": [["ip": .string(address)]], "phase": "Running"]]
        let path = "/api/v1/namespaces/default/pods/\(pod)"
        #expect(try await cluster.patch("\(path)/status", status).status == 200)
        try await eventually {
            cluster.server.lookup.object(.core("pods"), namespace: "default", name: pod)?.value(at: ["status", "podIP"])?.string == address
        }
    }

    @Test func `a pod is reached by its first port or the one asked for`() async throws {
        try await withBackend { cluster, backend in
            let path = "/api/v1/namespaces/default/pods"
            let answer = try await cluster.get("\(path)/web/proxy/a%20b/c?q=1&r=%2F")
            #expect(answer.text == "/a%20b/c?q=1&r=%2F")
            _ = try await cluster.get("\(path)/https:web:9443/proxy/")
            #expect(backend.dialed == ["http://10.244.0.9:8080", "https://10.244.0.9:9443"])
            let request = try #require(backend.requests.first)
            #expect(request.headers["x-forwarded-uri"] == "/api/v1/namespaces/default/pods/web/proxy/a%20b/c")
            #expect(request.headers["authorization"] == nil)
        }
    }

    @Test func `a bare proxy path gets its slash, links and redirects lead back through the proxy`() async throws {
        try await withBackend { cluster, _ in
            let path = "/api/v1/namespaces/default/pods/web/proxy"
            let bare = try await cluster.get("\(path)?x=1")
            #expect(bare.status == 301)
            #expect(bare.headers["location"] == "\(path)/?x=1")
            #expect(try await cluster.get("\(path)/moved").headers["location"] == "\(path)/there/")
            let page = try await cluster.get("\(path)/page").text
            #expect(page.contains("href=\"\(path)/next?x=1\""))
            #expect(page.contains("href='http://other/x'"))
            #expect(page.contains("src=pic.png"))
            #expect(page.contains("src=\"\(path)/a.js\""))
            #expect(page.contains("\"<a href='/no'>\""))
        }
    }

    @Test(arguments: ["127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:169.254.169.254"])
    func `nobody reaches the host or a metadata service through a pod that lies about its address`(address: String) async throws {
        try await withBackend { cluster, backend in
            // A status that validation would refuse may come from an older store.
            let view = try #require(cluster.server.resources.storageView(.core("pods")))
            let key = view.engine.key(namespace: "default", name: "web")
            var pod = try view.engine.tree(try #require(try await view.engine.stored(key)))
            pod.set(.string(address), at: ["status", "podIP"])
            _ = try await cluster.store.put(key, pod.encoded(), if: .none)
            let answer = try await cluster.get("/api/v1/namespaces/default/pods/web/proxy/")
            #expect(answer.status == 400)
            #expect(answer.message == "address not allowed")
            #expect(backend.dialed.isEmpty)
        }
    }

    @Test func `a service leads to pods only, by port number or name`() async throws {
        try await withBackend { cluster, backend in
            let services = "/api/v1/namespaces/default/services"
            let service: JSONValue = [
                "metadata": ["name": "web"], "spec": ["ports": [["name": "http", "port": 80], ["name": "admin", "port": 81]]],
            ]
            _ = try await cluster.post(services, service)
            func slice(_ name: String, _ address: String, _ target: JSONValue?) -> JSONValue {
                var endpoint: JSONValue = ["addresses": [.string(address)], "conditions": ["ready": true]]
                endpoint["targetRef"] = target
                return [
                    "metadata": ["name": .string(name), "labels": ["kubernetes.io/service-name": "web"]], "addressType": "IPv4",
                    "endpoints": [endpoint], "ports": [["name": "http", "port": 8080]],
                ]
            }
            let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            _ = try await cluster.post(slices, slice("forged", "10.9.9.9", ["kind": "Pod", "name": "web", "namespace": "default"]))
            _ = try await cluster.post(slices, slice("unnamed", "10.9.9.8", nil))
            let none = try await cluster.get("\(services)/web:http/proxy/")
            #expect(none.status == 503)
            #expect(none.message == "no endpoints available for service \"web:http\"")
            _ = try await cluster.post(slices, slice("real", "10.244.0.9", ["kind": "Pod", "name": "web", "namespace": "default"]))
            try await eventually { try await cluster.get("\(services)/http:web:80/proxy/x").status == 200 }
            #expect(try await cluster.get("\(services)/web:http/proxy/y").text == "/y")
            #expect(Set(backend.dialed) == ["http://10.244.0.9:8080"])
            let wrong = try await cluster.get("\(services)/web:99/proxy/")
            #expect(wrong.message == "no service port 99 found for service \"web\"")
            #expect(try await cluster.get("\(services)/web:admin/proxy/").status == 503)
        }
    }

    @Test func `nodes are reached at their kubelet, or at another port of an address that is allowed`() async throws {
        try await withBackend { cluster, backend in
            let node: JSONValue = ["metadata": ["name": "n1"]]
            _ = try await cluster.post("/api/v1/nodes", node)
            let status: JSONValue = ["status": ["addresses": [["type": "InternalIP", "address": "192.168.7.7"]]]]
            _ = try await cluster.patch("/api/v1/nodes/n1/status", status)
            #expect(try await cluster.get("/api/v1/nodes/n1/proxy/metrics").text == "/metrics")
            _ = try await cluster.get("/api/v1/nodes/http:n1:9100/proxy/metrics")
            #expect(backend.dialed == ["kubelet://192.168.7.7:10250", "http://192.168.7.7:9100"])
            let local: JSONValue = ["status": ["addresses": [["type": "InternalIP", "address": "127.0.0.1"]]]]
            _ = try await cluster.patch("/api/v1/nodes/n1/status", local)
            #expect(try await cluster.get("/api/v1/nodes/n1:9100/proxy/").message == "address not allowed")
        }
    }

    @Test(arguments: [
        ("InternalIP", "127.0.0.1", "address not allowed"), ("InternalIP", "169.254.169.254", "address not allowed"),
        ("Hostname", "localhost", "address not allowed"), ("Hostname", "none.invalid", "lookup none.invalid: no such host"),
    ])
    func `the kubelet's own port is no way to the server's own interfaces either, nor is a name for them`(
        type: String,
        address: String,
        message: String
    ) async throws {
        try await withBackend { cluster, backend in
            _ = try await cluster.post("/api/v1/nodes", ["metadata": ["name": "n1"]])
            let status: JSONValue = ["status": ["addresses": [["type": .string(type), "address": .string(address)]]]]
            #expect(try await cluster.patch("/api/v1/nodes/n1/status", status).status == 200)
            for path in ["n1", "n1:10250", "https:n1:9100"] {
                let answer = try await cluster.get("/api/v1/nodes/\(path)/proxy/metrics")
                #expect(answer.status == 400)
                #expect(answer.message == message)
            }
            #expect(backend.dialed.isEmpty)
        }
    }

    @Test func `links to the server itself are its own, others are not`() {
        let links = LinkRewriting(prefix: "/p", host: "10.0.0.1:80")
        #expect(links.location("http://10.0.0.1:80/x?y=/z") == "/p/x?y=/z")
        #expect(links.location("https://10.0.0.1:80") == "/p/")
        #expect(links.location("http://10.0.0.1:8080/x") == "http://10.0.0.1:8080/x")
        #expect(links.location("//other/x") == "//other/x")
        #expect(links.location("x/y") == "x/y")
        #expect(links.location("/p/x") == "/p/x")
        #expect(links.location("/px") == "/p/px")
    }

    @Test(arguments: ["<a href", "<a href=", "<a href=\"/x", "<", "<a =>", "<a/ / href=/x", "<A HREF=/x>", "<img src='/i' usemap=\"#m\">"])
    func `pages of any shape pass`(text: String) {
        let links = LinkRewriting(prefix: "/p")
        let out = String(decoding: links.page(Array(text.utf8)), as: UTF8.self)
        #expect(out == text || out.contains("/p/"))
    }

    /// A pod may send what it likes: tags that never end, a megabyte of them, are passed on in one reading.
    @Test(.timeLimit(.minutes(1)), arguments: ["<a ", "<a b=\"", "<script>", "<a x=/"])
    func `a page of unclosed tags takes no quadratic time`(piece: String) {
        let page = Array(String(repeating: piece, count: (1 << 20) / piece.utf8.count).utf8)
        #expect(LinkRewriting(prefix: "/p").page(page) == page)
    }
}
