import APIModel
import HTTPTransport
import Testing
import Values

@testable import Access

@Suite struct AuthorizerTests {
    private static let node = UserIdentity(name: "system:node:n1", groups: ["system:nodes", "system:authenticated"])

    private func ask(
        _ authorizer: any Authorizer,
        _ user: UserIdentity,
        _ verb: String,
        _ resource: String,
        group: String = "",
        subresource: String = "",
        namespace: String = "",
        name: String = "",
        field: String = ""
    ) async -> Bool {
        await authorizer.authorize(
            RequestAttributes(
                user: user,
                verb: verb,
                apiGroup: group,
                resource: resource,
                subresource: subresource,
                namespace: namespace,
                name: name,
                fieldSelector: field
            )
        ).isAllowed
    }

    @Test func `masters may do everything, others nothing`() async {
        let authorizer = AuthorizerChain([PrivilegedGroupAuthorizer(), BasicAuthorizer()])
        #expect(await ask(authorizer, UserIdentity(name: "a", groups: ["system:masters"]), "delete", "nodes"))
        #expect(await !ask(authorizer, UserIdentity(name: "a", groups: ["system:authenticated"]), "get", "pods"))
    }

    @Test func `health is shown to whoever came through authentication`() async {
        let authorizer = BasicAuthorizer()
        func sees(_ path: String, _ user: UserIdentity) async -> Bool {
            await authorizer.authorize(RequestAttributes(user: user, verb: "get", path: path)).isAllowed
        }
        let known = UserIdentity(name: "a", groups: ["system:authenticated"])
        for path in ["/healthz", "/livez", "/readyz", "/version"] {
            #expect(await sees(path, .anonymous), "\(path)")
            #expect(await sees(path, known), "\(path)")
            #expect(await !sees(path, UserIdentity(name: "a")), "\(path): a review names no groups")
        }
        #expect(await sees("/apis", known))
        #expect(await !sees("/apis", .anonymous))
    }

    @Test func `components have their roles`() async {
        let authorizer = ComponentAuthorizer()
        let scheduler = UserIdentity(name: "system:kube-scheduler")
        #expect(await ask(authorizer, scheduler, "create", "pods", subresource: "binding", namespace: "x"))
        #expect(await ask(authorizer, scheduler, "watch", "pods"))
        #expect(await !ask(authorizer, scheduler, "create", "pods", namespace: "x"))
        #expect(await !ask(authorizer, scheduler, "get", "secrets", namespace: "x"))
        let proxy = UserIdentity(name: "system:kube-proxy")
        #expect(await ask(authorizer, proxy, "list", "endpointslices", group: "discovery.k8s.io"))
        #expect(await !ask(authorizer, proxy, "update", "services", namespace: "x"))
        let controllers = UserIdentity(name: "system:kube-controller-manager")
        #expect(await ask(authorizer, controllers, "delete", "pods", namespace: "x"))
        #expect(await !ask(authorizer, controllers, "impersonate", "users"))
        let certificates = UserIdentity(name: "system:serviceaccount:kube-system:certificate-controller")
        for (signer, may) in [("kubernetes.io/kubelet-serving", true), ("kubernetes.io/kube-apiserver-client", false)] {
            #expect(await ask(authorizer, certificates, "approve", "signers", group: "certificates.k8s.io", name: signer) == may)
        }
    }

    @Test func `a node has its own`() async {
        let pod: JSONValue = [
            "metadata": ["name": "p", "namespace": "ns"],
            "spec": [
                "nodeName": "n1", "serviceAccountName": "sa",
                "volumes": [
                    ["name": "s", "secret": ["secretName": "mounted"]],
                    ["name": "c", "projected": ["sources": [["configMap": ["name": "root"]]]]],
                    ["name": "v", "persistentVolumeClaim": ["claimName": "claim"]],
                ],
                "containers": [["env": [["name": "E", "valueFrom": ["secretKeyRef": ["name": "key", "key": "k"]]]]]],
            ],
        ]
        let authorizer = NodeAuthorizer(
            lookup: FixedLookup(all: [
                "pods/ns/p": pod,
                "persistentvolumeclaims/ns/claim": [
                    "metadata": ["name": "claim", "namespace": "ns"], "spec": ["volumeName": "disk"],
                ],
            ])
        )
        let node = Self.node
        for secret in ["mounted", "key"] {
            #expect(await ask(authorizer, node, "get", "secrets", namespace: "ns", name: secret))
        }
        #expect(await !ask(authorizer, node, "get", "secrets", namespace: "ns", name: "other"))
        #expect(await !ask(authorizer, node, "list", "secrets", namespace: "ns"))
        #expect(await !ask(authorizer, node, "update", "secrets", namespace: "ns", name: "key"))
        #expect(await ask(authorizer, node, "watch", "configmaps", namespace: "ns", name: "root"))
        #expect(await ask(authorizer, node, "get", "persistentvolumeclaims", namespace: "ns", name: "claim"))
        #expect(await ask(authorizer, node, "get", "persistentvolumes", name: "disk"))
        #expect(await !ask(authorizer, node, "get", "persistentvolumes", name: "other"))
        #expect(await ask(authorizer, node, "create", "serviceaccounts", subresource: "token", namespace: "ns", name: "sa"))
        #expect(await !ask(authorizer, node, "create", "serviceaccounts", subresource: "token", namespace: "ns", name: "x"))
        #expect(await ask(authorizer, node, "update", "leases", group: "coordination.k8s.io", namespace: "kube-node-lease", name: "n1"))
        #expect(await !ask(authorizer, node, "update", "leases", group: "coordination.k8s.io", namespace: "kube-node-lease", name: "n2"))
        #expect(await ask(authorizer, node, "watch", "nodes", name: "n1"))
        #expect(await !ask(authorizer, node, "list", "nodes"))
        #expect(await ask(authorizer, node, "list", "pods", field: "spec.nodeName=n1"))
        #expect(await !ask(authorizer, node, "list", "pods", field: "spec.nodeName=n2"))
        #expect(await ask(authorizer, node, "list", "services"))
        let stranger = UserIdentity(name: "system:node:n1", groups: [])
        #expect(await !ask(authorizer, stranger, "list", "services"))
    }

    @Test func `rules match resources, names and paths`() {
        let user = UserIdentity(name: "u")
        let rule = PolicyRule(["get"], groups: [""], resources: ["pods", "*/scale"], names: ["a"])
        #expect(rule.allows(RequestAttributes(user: user, verb: "get", apiGroup: "", resource: "pods", name: "a")))
        #expect(!rule.allows(RequestAttributes(user: user, verb: "get", apiGroup: "", resource: "pods", name: "b")))
        #expect(rule.allows(RequestAttributes(user: user, verb: "get", apiGroup: "", resource: "x", subresource: "scale", name: "a")))
        let paths = PolicyRule(["get"], paths: ["/healthz/*"])
        #expect(paths.allows(RequestAttributes(user: user, verb: "get", path: "/healthz/etcd")))
        #expect(!paths.allows(RequestAttributes(user: user, verb: "get", path: "/metrics")))
    }

    @Test func `a front proxy names the user in headers`() async {
        let authenticator = RequestHeaderAuthenticator(allowedNames: ["proxy"])
        var request = HTTPRequest(path: "/")
        request.headers.append("X-Remote-User", "carol")
        request.headers.append("X-Remote-Group", "ops")
        request.headers.append("X-Remote-Extra-Team", "blue")
        #expect(await authenticator.authenticate(request) == .none)
        request.peer.proxyCertificate = ClientIdentity(commonName: "other")
        #expect(await authenticator.authenticate(request) == .none)
        request.peer.proxyCertificate = ClientIdentity(commonName: "proxy")
        let carol = UserIdentity(name: "carol", groups: ["ops"], extra: ["team": ["blue"]])
        #expect(await authenticator.authenticate(request) == .user(carol, audiences: []))
    }

    @Test func `the first authenticator that knows the user wins`() async {
        let chain = AuthenticatorChain([InProcessAuthenticator(), ClientCertificateAuthenticator(), BearerTokenAuthenticator([])])
        var request = HTTPRequest(path: "/")
        #expect(await chain.authenticate(request) == .none)
        request.peer = Peer(clientCertificate: ClientIdentity(commonName: "bob", organizations: ["dev"]))
        #expect(
            await chain.authenticate(request)
                == .user(UserIdentity(name: "bob", groups: ["dev", "system:authenticated"]), audiences: [])
        )
        request.peer = Peer(clientCertificate: ClientIdentity(commonName: "bob", fingerprint: "00AB"))
        let known = UserIdentity(
            name: "bob",
            groups: ["system:authenticated"],
            extra: ["authentication.kubernetes.io/credential-id": ["X509SHA256=00ab"]]
        )
        #expect(await chain.authenticate(request) == .user(known, audiences: []))
        request.peer = Peer()
        request.headers.append("Authorization", "Bearer x")
        #expect(await chain.authenticate(request) == .failed(reason: "invalid bearer token"))
    }
}
