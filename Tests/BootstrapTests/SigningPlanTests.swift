import APITypes
import Crypto
import SwiftASN1
import Testing
import Units
import X509

@testable import Bootstrap

@Suite struct SigningPlanTests {
    private static let now = Timestamp(unixSeconds: 1_790_000_000)
    private static let services = [CIDR("10.96.0.0/12")].compactMap { $0 }

    private func request(
        _ signer: ClusterSigner,
        node: String = "n2",
        organizations: [String] = ["system:nodes"],
        names: [String] = [],
        addresses: [String] = [],
        usages: [String]? = nil,
        by user: String = "system:bootstrap:abcdef",
        groups: [String] = ["system:bootstrappers"]
    ) throws -> APITypes.CertificateSigningRequest {
        let wanted = CertificateRequest(
            commonName: "system:node:\(node)",
            organizations: organizations,
            usage: signer == .kubeletServing ? .server : .client,
            dnsNames: names,
            addresses: addresses.compactMap { IPAddress($0) }
        )
        var object = APITypes.CertificateSigningRequest(name: "csr-1")
        object.spec.request = Array(try KeyPair.request(wanted).requestPEM.utf8)
        object.spec.signerName = signer.rawValue
        object.spec.usages = usages ?? ["digital signature", signer == .kubeletServing ? "server auth" : "client auth"]
        object.spec.username = user
        object.spec.groups = groups
        return object
    }

    private func serving(
        node: String = "n2",
        _ names: [String],
        _ addresses: [String],
        by user: String = "system:node:n2"
    ) throws -> APITypes.CertificateSigningRequest {
        try request(.kubeletServing, node: node, names: names, addresses: addresses, by: user, groups: ["system:nodes"])
    }

    private func node(_ name: String, _ address: String) -> Node {
        var node = Node(name: name)
        node.status.addresses = [("InternalIP", address), ("Hostname", name)].map { type, text in
            NodeAddress {
                $0.type = type
                $0.address = text
            }
        }
        return node
    }

    private func decide(_ object: APITypes.CertificateSigningRequest, _ nodes: [Node] = []) -> SigningPlan.Decision {
        SigningPlan.decide(object, nodes: nodes, services: Self.services)
    }

    private func approved(_ object: APITypes.CertificateSigningRequest) -> APITypes.CertificateSigningRequest {
        var object = object
        object.status.conditions = [
            CertificateSigningRequestCondition {
                $0.type = "Approved"
                $0.status = "True"
                $0.lastUpdateTime = Self.now
            }
        ]
        return object
    }

    @Test func `a token's request is approved when it may, a node's own renewal likewise`() throws {
        guard case .approveIfAllowed("nodeclient", let message) = decide(try request(.kubeletClient)) else {
            Issue.record("not up for approval")
            return
        }
        #expect(message == "Auto approving kubelet client certificate after SubjectAccessReview.")
        guard case .approveIfAllowed("selfnodeclient", _) = decide(try request(.kubeletClient, by: "system:node:n2")) else {
            Issue.record("no renewal")
            return
        }
    }

    @Test func `requests that ask for more are left to people, and never signed`() throws {
        let wrong: [(APITypes.CertificateSigningRequest, String)] = [
            (try request(.kubeletClient, organizations: ["system:masters"]), "subject organization is not system:nodes"),
            (try request(.kubeletClient, organizations: ["system:nodes", "system:masters"]), "subject organization is not system:nodes"),
            (try request(.kubeletClient, names: ["a"]), "DNS subjectAltNames are not allowed"),
            (try request(.kubeletClient, addresses: ["192.0.2.1"]), "IP subjectAltNames are not allowed"),
            (
                try request(.kubeletClient, usages: ["digital signature", "client auth", "server auth"]),
                "usages did not match [client auth digital signature key encipherment]"
            ),
            (try request(.kubeletServing), "DNS or IP subjectAltName is required"),
            (
                try request(.client, organizations: ["system:masters"]),
                "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
            ),
            (try request(.client, usages: ["server auth"]), "invalid usage for client certificate: server auth"),
        ]
        for (object, problem) in wrong {
            #expect(decide(object) == .none)
            #expect(decide(approved(object)) == .fail(message: problem))
        }
        #expect(decide(approved(try request(.client))) == .sign)
        #expect(decide(try request(.client)) == .none)
    }

    @Test func `a node serves under its own name and addresses only`() throws {
        let nodes = [node("n1", "192.0.2.1"), node("n2", "192.0.2.2"), node("n3", "127.0.0.1"), node("n4", "10.96.0.1")]
        guard case .approve = decide(try serving(["n2"], ["192.0.2.2"]), nodes) else {
            Issue.record("its own certificate is refused")
            return
        }
        #expect(decide(try serving(["n2"], ["192.0.2.2"])) == .later)
        #expect(decide(try serving(["n2"], ["192.0.2.9"]), nodes) == .later)
        #expect(decide(try serving(["n2", "kubernetes"], ["192.0.2.2"]), nodes) == .none)
        #expect(decide(try serving(["n2"], ["192.0.2.2"], by: "system:node:n1"), nodes) == .none)
        #expect(decide(try serving(node: "n3", ["n3"], ["127.0.0.1"], by: "system:node:n3"), nodes) == .none)
        #expect(decide(try serving(node: "n4", ["n4"], ["10.96.0.1"], by: "system:node:n4"), nodes) == .none)
        let thief = [node("n1", "192.0.2.1"), node("n2", "192.0.2.1")]
        #expect(decide(try serving(["n2"], ["192.0.2.1"]), thief) == .none)
    }

    @Test func `settled and damaged requests are left alone`() throws {
        var denied = try request(.kubeletClient)
        denied.status.conditions = [
            CertificateSigningRequestCondition {
                $0.type = "Denied"; $0.status = "True"
            }
        ]
        #expect(decide(denied) == .none)
        var issued = approved(try request(.kubeletClient))
        #expect(decide(issued) == .sign)
        issued.status.certificate = [1]
        #expect(decide(issued) == .none)
        var foreign = try request(.kubeletClient)
        foreign.spec.signerName = "example.com/mine"
        #expect(decide(approved(foreign)) == .none)
        for bytes in [[], Array("nonsense".utf8), [UInt8](repeating: 65, count: 100_000)] as [[UInt8]] {
            var damaged = try request(.kubeletClient)
            damaged.spec.request = bytes
            #expect(decide(damaged) == .none)
            guard case .fail = decide(approved(damaged)) else {
                Issue.record("a damaged request is not failed")
                return
            }
        }
    }

    @Test func `a request that another key signed is refused`() throws {
        let good = try APITypes.CertificateSigningRequest.bytes(common: "system:node:a")
        var der = try PEMDocument(pemString: String(decoding: good, as: UTF8.self)).derBytes
        // A letter of the common name, which the signature covers.
        let index = try #require(der.firstRange(of: Array("node:a".utf8))).lowerBound + 5
        der[index] = UInt8(ascii: "b")
        let forged = PEMDocument(type: "CERTIFICATE REQUEST", derBytes: der).pemString
        #expect(throws: PKIError.self) { try SigningRequest(pem: Array(forged.utf8)) }
        #expect(try SigningRequest(pem: good).commonName == "system:node:a")
    }

    @Test func `what is signed carries the request's names, the authority's limits and no more`() throws {
        let pair = try CertificateAuthority.make(commonName: "kubernetes", now: Self.now)
        let authority = try CertificateAuthority(pair, subject: "ca")
        let wanted = CertificateRequest(
            commonName: "system:node:n2",
            organizations: ["system:nodes"],
            usage: .server,
            dnsNames: ["n2"],
            addresses: [try #require(IPAddress("192.0.2.2"))]
        )
        let (key, request) = try KeyPair.request(wanted)
        let pem = try authority.sign(
            try SigningRequest(pem: Array(request.utf8)),
            usages: ["digital signature", "server auth"],
            lifetime: .seconds(3600),
            now: Self.now
        )
        let signed = KeyPair(certificatePEM: pem, keyPEM: key)
        try signed.checkKey(subject: "n2")
        #expect(try signed.matches(wanted, of: authority, subject: "n2"))
        #expect(try signed.validity(subject: "n2").until == Self.now + .seconds(3600))
        let certificate = try KeyPair.certificate(pem, subject: "n2")
        #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
        #expect(try certificate.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
        let other = try CertificateAuthority(CertificateAuthority.make(commonName: "kubernetes", now: Self.now), subject: "ca")
        #expect(try !signed.matches(wanted, of: other, subject: "n2"))
        #expect(try authority.publicKeyHash != other.publicKeyHash)
    }

    @Test func `a certificate says nothing of its key's usage when the request does not: Go refuses an empty word`() throws {
        let authority = try CertificateAuthority(CertificateAuthority.make(commonName: "kubernetes", now: Self.now), subject: "ca")
        let request = try SigningRequest(pem: APITypes.CertificateSigningRequest.bytes(common: "jane"))
        func signed(_ usages: [String]) throws -> Certificate.Extensions {
            let pem = try authority.sign(request, usages: usages, lifetime: .seconds(3600), now: Self.now)
            return try KeyPair.certificate(pem, subject: "jane").extensions
        }
        let plain = try signed(["client auth"])
        #expect(try plain.keyUsage == nil)
        #expect(try plain.extendedKeyUsage == ExtendedKeyUsage([.clientAuth]))
        #expect(try signed(["client auth", "key encipherment"]).keyUsage == KeyUsage(keyEncipherment: true))
    }

    @Test func `requests are cleared away when they have served`() throws {
        var object = try request(.kubeletClient)
        object.metadata.creationTimestamp = Self.now
        #expect(SigningPlan.expiry(object) == Self.now + .seconds(24 * 3600))
        #expect(SigningPlan.expiry(approved(object)) == Self.now + .seconds(3600))
    }
}

extension APITypes.CertificateSigningRequest {
    static func bytes(common: String) throws -> [UInt8] {
        Array(try KeyPair.request(CertificateRequest(commonName: common, usage: .client)).requestPEM.utf8)
    }
}
