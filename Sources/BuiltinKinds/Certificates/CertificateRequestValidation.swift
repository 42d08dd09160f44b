import PodKinds
import Schema
import SwiftASN1
import Units
import Values
import X509

/// What is wrong with requests for certificates.
///
/// Source: pkg/apis/certificates/validation.
struct CertificateRequestValidation {
    /// The part of a request that a writer may change.
    enum Part { case object, status, approval }

    private let object: JSONValue
    private let old: JSONValue?
    private let part: Part

    private static let usages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
        "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
        "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
    ]
    private static let shortest: Int64 = 600
    private static let legacySigner = "kubernetes.io/legacy-unknown"
    private static let conditions = FieldPath("status.conditions")
    private static let certificate = FieldPath("status.certificate")

    /// Prepares to check a request that replaces `old`, or a new one.
    init(_ object: JSONValue, old: JSONValue? = nil, part: Part = .object) {
        self.object = object
        self.old = old
        self.part = part
    }

    /// Checks everything; what was stored before there was a rule may stay.
    func check(_ issues: inout [FieldIssue]) {
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        if let problem = Self.requestProblem(spec.text("request")) {
            issues.invalid(path.child("request"), spec["request"] ?? "", problem)
        }
        usages(spec, path.child("usages"), &issues)
        let signer = spec.text("signerName")
        if signer == Self.legacySigner, old?["spec"]?.text("signerName") != Self.legacySigner {
            issues.invalid(path.child("signerName"), .string(signer), "the legacy signerName is not allowed via this API version")
        } else {
            SignerName.check(signer, path.child("signerName"), &issues)
        }
        if let seconds = spec["expirationSeconds"]?.int, seconds < Self.shortest {
            let words = "may not specify a duration less than 600 seconds (10 minutes)"
            issues.invalid(path.child("expirationSeconds"), .integer(seconds), words)
        }
        let status = object["status"] ?? [:]
        conditions(status.list("conditions"), &issues)
        let certificate = status.text("certificate")
        let before = old?["status"]?.text("certificate") ?? ""
        if old == nil || (certificate != before && Self.certificateProblem(before) == nil),
            let problem = Self.certificateProblem(certificate)
        {
            issues.invalid(Self.certificate, "<certificate data>", problem)
        }
        if let old { update(status, old["status"] ?? [:], &issues) }
    }

    private func usages(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = spec.texts("usages")
        let before = old?["spec"]?.texts("usages") ?? []
        if given.isEmpty { issues.required(path) }
        if before.allSatisfy(Self.usages.contains) {
            for (index, usage) in given.enumerated() { issues.oneOf(usage, Self.usages, path.index(index)) }
        }
        guard Set(before).count == before.count else { return }
        var seen: Set<String> = []
        for (index, usage) in given.enumerated() where !seen.insert(usage).inserted {
            issues.append(.duplicate(path.index(index), .string(usage)))
        }
    }

    private func conditions(_ conditions: [JSONValue], _ issues: inout [FieldIssue]) {
        let before = (old?["status"]?.list("conditions") ?? []).map { $0.text("type") }
        let allowsBoth = before.contains("Approved") && before.contains("Denied")
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let place = Self.conditions.index(index)
            let type = condition.text("type")
            if !before.contains("") { issues.need(type, place.child("type")) }
            let isTrueOnly = ["Approved", "Denied", "Failed"].contains(type)
            issues.choice(condition.text("status"), isTrueOnly ? ["True"] : ["False", "True", "Unknown"], place.child("status"))
            let other = ["Approved": "Denied", "Denied": "Approved"][type]
            if !allowsBoth, let other, seen.contains(other) {
                issues.invalid(Self.conditions, .string(type), "Approved and Denied conditions are mutually exclusive")
            }
            if !seen.insert(type).inserted, Set(before).count == before.count {
                issues.append(.duplicate(place.child("type"), .string(type)))
            }
        }
    }

    private func update(_ status: JSONValue, _ before: JSONValue, _ issues: inout [FieldIssue]) {
        let all = { (status: JSONValue, type: String) in status.list("conditions").filter { $0.text("type") == type } }
        for type in ["Approved", "Denied", "Failed"] where all(status, type).count < all(before, type).count {
            issues.forbidden(Self.conditions, "updates may not remove a condition of type \"\(type)\"")
        }
        if part != .approval {
            for type in ["Approved", "Denied"] {
                let (new, known) = (all(status, type), all(before, type))
                if new.count > known.count {
                    issues.forbidden(Self.conditions, "updates may not add a condition of type \"\(type)\"")
                } else if new.count == known.count, new != known {
                    let difference = SpecDifference.text(.array(known), .array(new), as: "[certificates.CertificateSigningRequestCondition")
                    issues.forbidden(Self.conditions, "updates may not modify a condition of type \"\(type)\"\(difference)")
                }
            }
        }
        let known = before.text("certificate")
        guard status.text("certificate") != known else { return }
        if part != .status {
            issues.forbidden(Self.certificate, "updates may not set certificate content")
        } else if !known.isEmpty {
            issues.forbidden(Self.certificate, "updates may not modify existing certificate content")
        }
    }

    // MARK: What is inside

    /// A request is one PEM block, signed with the key it names.
    private static func requestProblem(_ text: String) -> String? {
        guard let bytes = Base64.decode(text), let block = PEMBlock.all(in: String(decoding: bytes, as: UTF8.self)).first,
            block.type == "CERTIFICATE REQUEST"
        else { return "PEM block type must be CERTIFICATE REQUEST" }
        guard let request = try? CertificateSigningRequest(derEncoded: block.bytes) else {
            return "x509: malformed certificate request"
        }
        return request.publicKey.isValidSignature(request.signature, for: request) ? nil : "x509: invalid signature in certificate request"
    }

    private static func certificateProblem(_ text: String) -> String? {
        if text.isEmpty { return nil }
        let blocks = PEMBlock.all(in: String(decoding: Base64.decode(text) ?? [], as: UTF8.self))
        for block in blocks {
            if block.type != "CERTIFICATE" {
                return "only CERTIFICATE PEM blocks are allowed, found \(GoQuote.quote(block.type))"
            }
            if block.hasHeaders { return "no PEM block headers are permitted" }
            if block.bytes.isEmpty { return "found CERTIFICATE PEM block containing 0 certificates" }
            if (try? Certificate(derEncoded: block.bytes)) == nil { return "x509: malformed certificate" }
        }
        return blocks.isEmpty ? "must contain at least one CERTIFICATE PEM block" : nil
    }
}
