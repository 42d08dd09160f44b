import APIClient
import APIModel
import APITypes
import Access
import HTTPTransport

/// Finds out whether a server is the cluster that a token and a hash of its authority's key belong to.
public struct ClusterDiscovery: Sendable {
    private let server: String
    private let token: BootstrapToken
    private let hashes: [String]

    /// Asks the server at a URL. The authority's public key must have one of `hashes` (`sha256:…`); none given trusts the
    /// token's signature alone.
    public init(server: String, token: BootstrapToken, hashes: [String]) {
        self.server = server
        self.token = token
        self.hashes = hashes
    }

    /// The authority's certificate, PEM. Nothing secret is sent before it is known.
    public func authorityPEM() async throws -> String {
        let transport = try HTTPClient(configuration: HTTPClientConfiguration(url: server, tls: TLSClient(isInsecure: true)))
        let client = APIClient(transport: transport, userAgent: "apus-agent")
        let map: ConfigMap
        do {
            map = try await client.get(namespace: JoinAuthorizer.clusterInfo.namespace, name: JoinAuthorizer.clusterInfo.name)
        } catch {
            await transport.shutDown()
            throw error
        }
        await transport.shutDown()
        return try check(map.data)
    }

    /// Checks what the server says; the authority's certificate when all is well.
    func check(_ data: [String: String]) throws -> String {
        guard let content = data[ClusterInfo.contentKey], let pem = ClusterInfo.authorityPEM(content) else {
            throw JoinError("\(server) tells no authority: is it a cluster of apus or kubeadm?", isFinal: true)
        }
        if !hashes.isEmpty {
            let hash = try CertificateAuthority.publicKeyHash(pem)
            guard hashes.contains(hash) else {
                throw JoinError("the authority of \(server) has the hash \(hash), not \(hashes.joined(separator: " or "))", isFinal: true)
            }
        }
        guard let signature = data[ClusterInfo.signaturePrefix + token.id] else {
            // The server signs a moment after the token was made.
            throw JoinError("\(server) does not know the token \(token.id), or it has expired: apus token create")
        }
        guard signature == ClusterInfo.signature(content, token: token) else {
            throw JoinError("the signature of \(server) does not fit the token \(token.id)", isFinal: true)
        }
        return pem
    }
}
