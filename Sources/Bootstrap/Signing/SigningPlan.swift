import APITypes
import Units

/// Decides what becomes of certificate signing requests. Pure.
public enum SigningPlan {
    /// What is to be done with one request.
    public enum Decision: Sendable, Equatable {
        /// Nothing: it is settled, of another signer, or waits for a person.
        case none
        /// A later look may decide otherwise: what it depends on is not known yet.
        case later
        /// Approve it when the requester may do this to the resource `certificatesigningrequests`.
        case approveIfAllowed(subresource: String, message: String)
        /// Approve it.
        case approve(message: String)
        /// Sign it.
        case sign
        /// Note that it cannot be signed.
        case fail(message: String)
    }

    /// The decision on one request. `nodes` are those known now.
    public static func decide(_ object: CertificateSigningRequest, nodes: [Node], services: [CIDR]) -> Decision {
        guard object.status.certificate.isEmpty, let signer = ClusterSigner(rawValue: object.spec.signerName) else { return .none }
        let conditions = Set(object.status.conditions.filter { $0.status != "False" }.map(\.type))
        guard !conditions.contains("Denied"), !conditions.contains("Failed") else { return .none }
        let request: SigningRequest
        do {
            request = try SigningRequest(pem: object.spec.request)
        } catch {
            return conditions.contains("Approved") ? .fail(message: "\(error)") : .none
        }
        let problem = signer.problem(request, usages: object.spec.usages)
        if conditions.contains("Approved") { return problem.map { .fail(message: $0) } ?? .sign }
        guard problem == nil else { return .none }
        switch signer {
        case .client: return .none
        case .kubeletClient: return client(object, request)
        case .kubeletServing: return serving(object, request, nodes, services)
        }
    }

    private static func client(_ object: CertificateSigningRequest, _ request: SigningRequest) -> Decision {
        if object.spec.username == request.commonName {
            return .approveIfAllowed(
                subresource: "selfnodeclient",
                message: "Auto approving self kubelet client certificate after SubjectAccessReview."
            )
        }
        return .approveIfAllowed(
            subresource: "nodeclient",
            message: "Auto approving kubelet client certificate after SubjectAccessReview."
        )
    }

    /// A node may serve under its own name and the addresses its Node shows, unless others show them too or they are not
    /// a node's to have: with them it could pass for somebody else.
    private static func serving(
        _ object: CertificateSigningRequest,
        _ request: SigningRequest,
        _ nodes: [Node],
        _ services: [CIDR]
    ) -> Decision {
        guard object.spec.username == request.commonName, object.spec.groups.contains("system:nodes") else { return .none }
        let name = String(request.commonName.dropFirst("system:node:".count))
        guard let node = nodes.first(where: { $0.name == name }) else { return .later }
        let names = Set([name] + addresses(of: node, ["Hostname", "InternalDNS"]))
        guard request.dnsNames.allSatisfy(names.contains) else { return .none }
        let own = Set(addresses(of: node, ["InternalIP", "ExternalIP"]).compactMap { IPAddress($0) })
        guard request.addresses.allSatisfy(own.contains) else { return .later }
        let others = nodes.filter { $0.name != name }
        let foreignAddresses = Set(others.flatMap { addresses(of: $0, ["InternalIP", "ExternalIP"]) }.compactMap { IPAddress($0) })
        let foreignNames = Set(others.flatMap { [$0.name] + addresses(of: $0, ["Hostname", "InternalDNS"]) })
        let isOwn = request.addresses.allSatisfy { address in
            !foreignAddresses.contains(address) && !address.isLoopback && !services.contains { $0.contains(address) }
        }
        guard isOwn, request.dnsNames.allSatisfy({ !foreignNames.contains($0) && $0 != "localhost" }) else { return .none }
        return .approve(message: "Auto approving kubelet serving certificate: its names are the node's own.")
    }

    private static func addresses(of node: Node, _ types: Set<String>) -> [String] {
        node.status.addresses.filter { types.contains($0.type) }.map(\.address)
    }

    // MARK: cleaning

    private static let approvedLifetime = Duration.seconds(3600)
    private static let deniedLifetime = Duration.seconds(3600)
    private static let pendingLifetime = Duration.seconds(24 * 3600)

    /// When a request has served its purpose, by upstream's times.
    public static func expiry(_ object: CertificateSigningRequest) -> Timestamp? {
        let conditions = object.status.conditions.filter { $0.status != "False" }
        func last(_ type: String) -> Timestamp? {
            conditions.filter { $0.type == type }.compactMap { $0.lastUpdateTime ?? object.metadata.creationTimestamp }.max()
        }
        if let denied = last("Denied") ?? last("Failed") { return denied + deniedLifetime }
        if let approved = last("Approved") { return approved + approvedLifetime }
        return object.metadata.creationTimestamp.map { $0 + pendingLifetime }
    }
}
