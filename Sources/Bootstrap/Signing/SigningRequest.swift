import SwiftASN1
import Units
import X509

/// A certificate signing request, read: who the subject says it is, and whether it holds the key. Pure.
public struct SigningRequest: Sendable {
    /// The subject's common name.
    public let commonName: String
    /// The subject's organizations.
    public let organizations: [String]
    /// The DNS names asked for.
    public let dnsNames: [String]
    /// The addresses asked for.
    public let addresses: [IPAddress]
    /// Whether mail addresses are asked for.
    public let hasEmailAddresses: Bool
    /// Whether URIs are asked for.
    public let hasURIs: Bool
    let content: CertificateSigningRequest

    /// Larger requests are no requests of ours.
    private static let longest = 64 << 10

    /// Reads PEM. Throws a `PKIError` that says what is wrong.
    public init(pem: [UInt8]) throws {
        guard pem.count <= Self.longest else { throw PKIError("certificate request", "is longer than \(Self.longest) bytes") }
        do {
            let document = try PEMDocument(pemString: String(decoding: pem, as: UTF8.self))
            guard document.discriminator == "CERTIFICATE REQUEST" else {
                throw PKIError("certificate request", "PEM block type must be CERTIFICATE REQUEST")
            }
            content = try CertificateSigningRequest(derEncoded: document.derBytes)
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError("certificate request", "cannot be read: \(error)")
        }
        guard content.publicKey.isValidSignature(content.signature, for: content) else {
            throw PKIError("certificate request", "is not signed with its own key")
        }
        let subject = content.subject.flatMap { $0.map { ($0.type, String($0.value) ?? "") } }
        commonName = subject.last { $0.0 == .RDNAttributeType.commonName }?.1 ?? ""
        organizations = subject.filter { $0.0 == .RDNAttributeType.organizationName }.map(\.1)
        var names = Names()
        for name in try content.attributes.extensionRequest?.extensions.subjectAlternativeNames.map({ Array($0) }) ?? [] { names.add(name) }
        dnsNames = names.dns
        addresses = names.addresses
        hasEmailAddresses = names.hasEmail
        hasURIs = names.hasURI
    }

    private struct Names {
        var dns: [String] = []
        var addresses: [IPAddress] = []
        var hasEmail = false
        var hasURI = false

        mutating func add(_ name: GeneralName) {
            switch name {
            case .dnsName(let text): dns.append(text)
            case .ipAddress(let bytes): addresses += IPAddress(bytes: Array(bytes.bytes)).map { [$0] } ?? []
            case .rfc822Name: hasEmail = true
            case .uniformResourceIdentifier: hasURI = true
            // Names of other sorts are not carried over into the certificate.
            default: return
            }
        }
    }
}

/// The signers of the cluster's authority.
public enum ClusterSigner: String, Sendable, CaseIterable {
    /// Certificates with which clients show themselves to the API server.
    case client = "kubernetes.io/kube-apiserver-client"
    /// The same for kubelets.
    case kubeletClient = "kubernetes.io/kube-apiserver-client-kubelet"
    /// Certificates with which kubelets serve.
    case kubeletServing = "kubernetes.io/kubelet-serving"

    private static let nodes = ["system:nodes"]
    private static let nodePrefix = "system:node:"

    /// Why the signer does not sign a request; nil when it does. Worded as upstream words it.
    public func problem(_ request: SigningRequest, usages: [String]) -> String? {
        switch self {
        case .client: clientProblem(request, usages)
        case .kubeletClient: kubeletProblem(request, usages, role: "client auth") ?? namesProblem(request)
        case .kubeletServing: servingProblem(request) ?? kubeletProblem(request, usages, role: "server auth")
        }
    }

    private func clientProblem(_ request: SigningRequest, _ usages: [String]) -> String? {
        let optional: Set = ["digital signature", "key encipherment"]
        for usage in usages where usage != "client auth" && !optional.contains(usage) {
            return "invalid usage for client certificate: \(usage)"
        }
        guard usages.contains("client auth") else { return "missing required usage for client certificate: client auth" }
        guard !request.organizations.contains("system:masters") else {
            return "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
        }
        return nil
    }

    private func kubeletProblem(_ request: SigningRequest, _ usages: [String], role: String) -> String? {
        guard request.organizations == Self.nodes else { return "subject organization is not system:nodes" }
        guard request.commonName.hasPrefix(Self.nodePrefix) else {
            return "subject common name does not begin with system:node:"
        }
        let wanted: Set = ["digital signature", role]
        guard Set(usages).subtracting(["key encipherment"]) == wanted else {
            return "usages did not match [\(["digital signature", "key encipherment", role].sorted().joined(separator: " "))]"
        }
        return nil
    }

    private func namesProblem(_ request: SigningRequest) -> String? {
        if !request.dnsNames.isEmpty { return "DNS subjectAltNames are not allowed" }
        if request.hasEmailAddresses { return "Email subjectAltNames are not allowed" }
        if !request.addresses.isEmpty { return "IP subjectAltNames are not allowed" }
        return request.hasURIs ? "URI subjectAltNames are not allowed" : nil
    }

    private func servingProblem(_ request: SigningRequest) -> String? {
        if request.dnsNames.isEmpty, request.addresses.isEmpty { return "DNS or IP subjectAltName is required" }
        if request.hasEmailAddresses { return "Email subjectAltNames are not allowed" }
        return request.hasURIs ? "URI subjectAltNames are not allowed" : nil
    }
}
