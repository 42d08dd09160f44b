import APIModel
import Access
import Channels
import Glibc
import HTTPTransport
import Testing
import Values

@testable import APIServer

/// The real kubectl, newest and oldest on this machine, against the server on a loopback port.
@Suite(.serialized) struct KubectlTests {
    private static let folder = "/usr/lib/google-cloud-sdk/bin"
    static let clients: [String] = {
        let known: [String] = [
            "\(folder)/kubectl.1.27", "\(folder)/kubectl.1.33", "/usr/bin/kubectl", "/usr/local/bin/kubectl",
        ]
        return known.filter { program in Glibc.access(program, X_OK) == 0 }
    }()

    private static let application = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: bjrdc-dev}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: hello-node, namespace: bjrdc-dev, labels: {app: hello-node}}
        spec:
          replicas: 2
          selector: {matchLabels: {app: hello-node}}
          template:
            metadata: {labels: {app: hello-node}}
            spec:
              containers: [{name: hello-node, image: "hello-node:v1", ports: [{containerPort: 8080}]}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: hello-node, namespace: bjrdc-dev}
        spec: {selector: {app: hello-node}, ports: [{port: 3000, targetPort: 8080}]}
        """

    /// Everybody who connects is the administrator.
    private struct AsAdmin: HTTPHandler {
        let server: APIServer

        func respond(to request: HTTPRequest) async -> HTTPResponse {
            var request = request
            request.peer.inProcessUser = TestCluster.admin
            return await server.respond(to: request)
        }
    }

    /// One kubectl with the server it talks to.
    private struct Kubectl: Sendable {
        let program: String
        let home: String
        let port: Int

        func callAsFunction(_ arguments: String...) async throws -> ChildResult {
            try await ChildProcess.run(
                [program, "--server=http://127.0.0.1:\(port)"] + arguments,
                environment: ["HOME": home, "PATH": "/usr/bin:/bin", "KUBECONFIG": "\(home)/none"]
            )
        }
    }

    private static func withKubectl(_ program: String, _ body: @Sendable @escaping (Kubectl, String) async throws -> Void) async throws {
        try await withCluster(key: TokenSigningKey()) { cluster in
            try await cluster.addServiceAccount()
            let http = try HTTPServer(
                configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0),
                handler: AsAdmin(server: cluster.server)
            )
            var template = Array("/tmp/apus-kubectl-XXXXXX".utf8CString)
            let home = try #require(mkdtemp(&template).map { String(cString: $0) })
            let file = home + "/app.yaml"
            let handle = try #require(fopen(file, "w"))
            fputs(application, handle)
            fclose(handle)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await http.run() }
                let kubectl = Kubectl(program: program, home: home, port: try await http.listeningPort())
                try await body(kubectl, file)
                group.cancelAll()
            }
            _ = try await ChildProcess.run(["/bin/rm", "-rf", home])
        }
    }

    @Test(arguments: clients) func `kubectl applies, looks at, changes and deletes`(_ program: String) async throws {
        try await Self.withKubectl(program) { kubectl, file in
            let applied = try await kubectl("apply", "-f", file)
            #expect(applied.succeeded, "\(applied.errorText)")
            #expect(applied.outputText.contains("deployment.apps/hello-node created"))
            let again = try await kubectl("apply", "-f", file)
            #expect(again.outputText.contains("service/hello-node unchanged"), "\(again.errorText)")
            let wide = try await kubectl("-n", "bjrdc-dev", "get", "deploy,svc", "-o", "wide")
            #expect(wide.outputText.contains("0/2"))
            #expect(wide.outputText.contains("3000/TCP"))
            let scaled = try await kubectl("-n", "bjrdc-dev", "scale", "deploy/hello-node", "--replicas=5")
            #expect(scaled.succeeded, "\(scaled.errorText)")
            let replicas = try await kubectl("-n", "bjrdc-dev", "get", "deploy", "hello-node", "-o", "jsonpath={.spec.replicas}")
            #expect(replicas.outputText == "5")
            let image = try await kubectl("-n", "bjrdc-dev", "set", "image", "deploy/hello-node", "hello-node=hello-node:v2")
            #expect(image.outputText.contains("image updated"), "\(image.errorText)")
            let server = try await kubectl("apply", "--server-side", "--force-conflicts", "-f", file)
            #expect(server.outputText.contains("serverside-applied"), "\(server.errorText)")
            let explained = try await kubectl("explain", "deployment.spec.replicas")
            #expect(explained.outputText.contains("<integer>"), "\(explained.errorText)")
            let described = try await kubectl("-n", "bjrdc-dev", "describe", "deployment", "hello-node")
            #expect(described.outputText.contains("StrategyType:"), "\(described.errorText)")
            let deleted = try await kubectl("delete", "-f", file, "--wait=false")
            #expect(deleted.succeeded, "\(deleted.errorText)")
        }
    }

    @Test(arguments: clients) func `kubectl's own generators and reviews`(_ program: String) async throws {
        try await Self.withKubectl(program) { kubectl, _ in
            for arguments in [
                ["create", "configmap", "cm", "--from-literal=a=b"], ["create", "secret", "generic", "s", "--from-literal=p=q"],
                ["create", "deployment", "d", "--image=x", "--replicas=2"], ["create", "job", "j", "--image=x"],
                ["create", "ingress", "i", "--rule=foo.com/bar=svc:80"], ["create", "token", "default"], ["auth", "can-i", "list", "pods"],
                ["run", "web", "--image=nginx"], ["label", "cm", "cm", "x=y"], ["annotate", "cm", "cm", "n=1"],
                ["expose", "deploy", "d", "--port=80", "--type=NodePort"], ["delete", "pod", "web", "--now"], ["get", "cs"],
                ["api-resources"], ["api-versions"], ["version"], ["get", "all", "-A"], ["get", "--raw", "/"], ["cluster-info"],
            ] {
                let result = try await ChildProcess.run(
                    [program, "--server=http://127.0.0.1:\(kubectl.port)"] + arguments,
                    environment: ["HOME": kubectl.home, "PATH": "/usr/bin:/bin", "KUBECONFIG": "\(kubectl.home)/none"]
                )
                #expect(result.succeeded, "\(arguments): \(result.errorText)")
            }
            let wrong = try await kubectl("create", "configmap", "cm")
            #expect(wrong.errorText.contains("configmaps \"cm\" already exists"))
        }
    }
}
