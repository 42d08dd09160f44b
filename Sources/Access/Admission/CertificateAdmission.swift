import APIModel
import Schema
import SwiftASN1
import Units
import Values
import X509

/// Who may decide about requests for certificates, sign them, and vouch for roots: those who may `approve`, `sign` or
/// `attest` for the signer. Upstream's CertificateApproval, CertificateSigning and ClusterTrustBundleAttest.
public struct CertificateAdmission: Admission {
    private let authorizer: any Authorizer
    private static let group = "certificates.k8s.io"

    /// A plugin that asks `authorizer`.
    public init(authorizer: any Authorizer) {
        self.authorizer = authorizer
    }

    /// The plugins' name.
    public var name: String { "CertificateApproval" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        guard request.resource.group == Self.group else { return false }
        switch (request.resource.resource, request.subresource, request.operation) {
        case ("certificatesigningrequests", "approval", .update), ("certificatesigningrequests", "status", .update),
            ("clustertrustbundles", "", .create), ("clustertrustbundles", "", .update):
            return true
        default: return false
        }
    }

    /// Refuses who may not.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        let old = request.oldObject
        if request.resource.resource == "clustertrustbundles" {
            let signer = Self.signer(request.object)
            if signer.isEmpty || request.operation == .update && Self.changesOwnersOnly(request) { return }
            if await may("attest", signer, request.user) { return }
            throw request.forbidden("user not permitted to attest for signerName \(GoQuote.quote(signer))")
        }
        // The stored signer counts: a request may try to change it.
        let signer = Self.signer(old)
        if request.subresource == "approval" {
            if await may("approve", signer, request.user) { return }
            throw request.forbidden("user not permitted to approve requests with signerName \(GoQuote.quote(signer))")
        }
        if Self.same(request, ["status", "certificate"]), Self.same(request, ["status", "conditions"]) { return }
        if await may("sign", signer, request.user) { return }
        throw request.forbidden("user not permitted to sign requests with signerName \(GoQuote.quote(signer))")
    }

    private static func signer(_ object: JSONValue?) -> String { object?.value(at: ["spec", "signerName"])?.string ?? "" }

    private static func same(_ request: AdmissionRequest, _ path: [String]) -> Bool {
        func shown(_ object: JSONValue?) -> JSONValue? {
            let value = object?.value(at: path)
            return value == .null || value == [] || value == "" ? nil : value
        }
        return shown(request.object) == shown(request.oldObject)
    }

    /// Whether the collection of garbage alone writes here.
    private static func changesOwnersOnly(_ request: AdmissionRequest) -> Bool {
        func rest(_ object: JSONValue?) -> JSONValue? {
            var object = object
            for field in ["ownerReferences", "finalizers", "resourceVersion", "managedFields"] { object?.remove(at: ["metadata", field]) }
            return object
        }
        return rest(request.object) == rest(request.oldObject)
    }

    /// For the signer itself, or for all signers of its domain.
    private func may(_ verb: String, _ signer: String, _ user: UserIdentity) async -> Bool {
        let domain = signer.prefix { $0 != "/" }
        for name in [signer, "\(domain)/*"] {
            let attributes = RequestAttributes(
                user: user,
                verb: verb,
                apiGroup: Self.group,
                apiVersion: "*",
                resource: "signers",
                name: name
            )
            if await authorizer.authorize(attributes).isAllowed { return true }
        }
        return false
    }
}

/// Nobody asks the signer of clients' certificates for one of the group that may do everything.
public struct CertificateSubjectRestriction: Admission {
    private static let signer = "kubernetes.io/kube-apiserver-client"
    private static let longestRequest = 64 << 10

    /// The plugin.
    public init() {}

    /// The plugin's name.
    public var name: String { "CertificateSubjectRestriction" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .create && request.resource.group == "certificates.k8s.io" && request.subresource.isEmpty
            && request.resource.resource == "certificatesigningrequests"
    }

    /// Refuses such a request.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object, object.value(at: ["spec", "signerName"])?.string == Self.signer,
            let text = object.value(at: ["spec", "request"])?.string, let groups = Self.organizations(text)
        else { return }
        guard groups.contains(UserIdentity.mastersGroup) else { return }
        throw request.forbidden("use of \(Self.signer) signer with system:masters group is not allowed")
    }

    /// The organizations that a request in PEM, in base64, names; nil when it cannot be read, which validation has said.
    private static func organizations(_ encoded: String) -> [String]? {
        guard let bytes = Base64.decode(encoded), bytes.count <= longestRequest,
            let document = try? PEMDocument(pemString: String(decoding: bytes, as: UTF8.self)),
            let parsed = try? CertificateSigningRequest(derEncoded: document.derBytes)
        else { return nil }
        return parsed.subject.flatMap { name in
            name.filter { $0.type == .RDNAttributeType.organizationName }.map { String($0.value) ?? "" }
        }
    }
}
