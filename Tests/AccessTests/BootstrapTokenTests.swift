import APIModel
import Channels
import HTTPTransport
import Testing
import Units
import Values

@testable import Access

@Suite struct BootstrapTokenTests {
    private static let token = "abcdef.0123456789abcdef"

    private func secret(_ change: (inout [String: String]) -> Void = { _ in }) -> JSONValue {
        var data = [
            "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true", "auth-extra-groups": BootstrapToken.nodeGroup,
        ]
        change(&data)
        var encoded: JSONObject = [:]
        for (key, value) in data { encoded[key] = .string(Base64.encode(Array(value.utf8))) }
        return [
            "metadata": ["name": "bootstrap-token-abcdef", "namespace": "kube-system"], "type": "bootstrap.kubernetes.io/token",
            "data": .object(encoded),
        ]
    }

    private func user(_ secret: JSONValue, _ token: String = BootstrapTokenTests.token, audiences: [String] = []) async -> UserIdentity? {
        let lookup = FixedLookup(all: ["secrets/kube-system/bootstrap-token-abcdef": secret])
        let authenticator = BootstrapTokenAuthenticator(lookup: lookup, clock: ManualClock(start: Timestamp(unixSeconds: 1_790_000_000)))
        guard case .user(let user, _) = await authenticator.authenticate(token: token, audiences: audiences) else { return nil }
        return user
    }

    @Test func `a known token is a bootstrapper with the groups of its Secret`() async throws {
        let user = try #require(await user(secret()))
        #expect(user.name == "system:bootstrap:abcdef")
        #expect(user.groups == ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"])
        #expect(await self.user(secret { $0["auth-extra-groups"] = nil })?.groups == ["system:bootstrappers"])
    }

    @Test func `wrong, expired, unusable and foreign tokens are nobody`() async {
        #expect(await user(secret(), "abcdef.0123456789abcdeg") == nil)
        #expect(await user(secret(), "ghijkl.0123456789abcdef") == nil)
        #expect(await user(secret { $0["token-id"] = "zzzzzz" }) == nil)
        #expect(await user(secret { $0["usage-bootstrap-authentication"] = "false" }) == nil)
        #expect(await user(secret { $0["auth-extra-groups"] = "system:masters" }) == nil)
        #expect(await user(secret { $0["auth-extra-groups"] = "system:bootstrappers:a,system:bootstrappers:Bad" }) == nil)
        #expect(await user(secret { $0["expiration"] = "2026-01-01T00:00:00Z" }) == nil)
        #expect(await user(secret { $0["expiration"] = "soon" }) == nil)
        #expect(await user(secret { $0["expiration"] = "2036-01-01T00:00:00Z" }) != nil)
        #expect(await user(secret(), Self.token, audiences: ["vault"]) == nil)
        var other = secret()
        other["type"] = "Opaque"
        #expect(await user(other) == nil)
        var going = secret()
        going.set("2026-01-01T00:00:00Z", at: ["metadata", "deletionTimestamp"])
        #expect(await user(going) == nil)
    }

    @Test func `only texts of the form are tokens`() {
        for text in [
            "", "abcdef", "abcdef.", "abcdef.0123456789abcde", "Abcdef.0123456789abcdef", "abcdef.0123456789abcdef.x",
            "abcdéf.0123456789abcdef",
        ] {
            #expect(BootstrapToken(text) == nil)
        }
        let made = BootstrapToken(random: SeededRandom(seed: 7))
        #expect(BootstrapToken(made.description) == made)
        #expect(made != BootstrapToken(random: SeededRandom(seed: 8)))
    }

    @Test func `a token asks for certificates and a node looks at nodes, no more`() async {
        func may(
            _ groups: [String],
            _ verb: String,
            _ resource: String,
            group: String = "",
            subresource: String = "",
            namespace: String = "",
            name: String = ""
        ) async -> Bool {
            let user = UserIdentity(name: groups.contains("system:nodes") ? "system:node:n1" : "someone", groups: groups)
            let attributes = RequestAttributes(
                user: user,
                verb: verb,
                apiGroup: group,
                resource: resource,
                subresource: subresource,
                namespace: namespace,
                name: name
            )
            return await JoinAuthorizer().authorize(attributes).isAllowed
        }
        let requests = "certificatesigningrequests"
        let certificates = "certificates.k8s.io"
        #expect(await may([BootstrapToken.nodeGroup], "create", requests, group: certificates))
        #expect(await may([BootstrapToken.nodeGroup], "create", requests, group: certificates, subresource: "nodeclient"))
        #expect(await !may([BootstrapToken.nodeGroup], "create", requests, group: certificates, subresource: "selfnodeclient"))
        #expect(await !may([BootstrapToken.nodeGroup], "update", requests, group: certificates, subresource: "approval"))
        #expect(await !may([BootstrapToken.group], "create", requests, group: certificates))
        #expect(await !may([BootstrapToken.nodeGroup], "list", "nodes"))
        #expect(await may(["system:unauthenticated"], "get", "configmaps", namespace: "kube-public", name: "cluster-info"))
        #expect(await !may(["system:unauthenticated"], "get", "configmaps", namespace: "kube-public", name: "other"))
        #expect(await !may(["system:unauthenticated"], "list", "configmaps", namespace: "kube-public", name: "cluster-info"))
        #expect(await may(["system:nodes"], "watch", "nodes"))
        #expect(await !may(["system:nodes"], "delete", "nodes", name: "n2"))
        #expect(await may(["system:nodes"], "create", requests, group: certificates, subresource: "selfnodeclient"))
        #expect(await !may(["system:nodes"], "create", requests, group: certificates, subresource: "nodeclient"))
        let slices = "discovery.k8s.io"
        #expect(await may(["system:nodes"], "update", "endpointslices", group: slices, namespace: "kube-system", name: "kube-dns-n1"))
        #expect(await !may(["system:nodes"], "update", "endpointslices", group: slices, namespace: "kube-system", name: "kube-dns-n2"))
        #expect(await !may(["system:nodes"], "create", "endpointslices", group: slices, namespace: "default"))
        #expect(await may(["system:nodes"], "get", "configmaps", namespace: "kube-system", name: "apus-cluster"))
        #expect(await !may(["system:authenticated"], "get", "configmaps", namespace: "kube-system", name: "apus-cluster"))
    }
}
