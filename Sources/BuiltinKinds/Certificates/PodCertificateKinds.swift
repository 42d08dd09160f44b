import APIModel
import FoundationEssentials
import PodKinds
import Schema
import SwiftASN1
import Units
import Values
import X509

/// The rules of certificates for pods.
enum PodCertificateKinds {
    static let request = PodCertificateRequestHooks()

    fileprivate static let spec = FieldPath("spec")
    fileprivate static let shortest: Int64 = 60 * 60
    fileprivate static let longest: Int64 = 91 * 24 * 60 * 60
    fileprivate static let longestOfOurs: Int64 = 24 * 60 * 60
    fileprivate static let largestPart = 10 * 1024
    fileprivate static let longestUID = 128
    fileprivate static let annotationsLimit = 256 * 1024
}

/// The behaviour of requests for pod certificates: what is asked for never changes, and is answered once.
struct PodCertificateRequestHooks: KindHooks {
    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        let (spec, path) = (object["spec"] ?? [:], PodCertificateKinds.spec)
        SignerName.check(spec.text("signerName"), path.child("signerName"), &issues)
        annotations(spec, path.child("unverifiedUserAnnotations"), &issues)
        for (name, uid) in [("podName", "podUID"), ("serviceAccountName", "serviceAccountUID"), ("nodeName", "nodeUID")] {
            issues.subdomain(spec.text(name), path.child(name))
            let text = spec.text(uid)
            if text.isEmpty { issues.invalid(path.child(uid), "", "must not be empty") }
            let limit = PodCertificateKinds.longestUID
            if text.utf8.count > limit { issues.append(.tooLong(path.child(uid), maximum: limit)) }
        }
        guard let seconds = spec["maxExpirationSeconds"]?.int else {
            issues.required(path.child("maxExpirationSeconds"), "must be set")
            return issues
        }
        let domain = spec.text("signerName").prefix { $0 != "/" }
        let isOurs = domain == "kubernetes.io" || domain.hasSuffix(".kubernetes.io")
        let most = isOurs ? PodCertificateKinds.longestOfOurs : PodCertificateKinds.longest
        if !(PodCertificateKinds.shortest...most).contains(seconds) {
            let words = "must be in the range [\(PodCertificateKinds.shortest), \(most)]"
            issues.invalid(path.child("maxExpirationSeconds"), .integer(seconds), words)
        }
        key(spec, path, &issues)
        return issues
    }

    private func annotations(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let annotations = spec["unverifiedUserAnnotations"]?.object else { return }
        var size = 0
        for (key, value) in annotations {
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
            let key = key.lowercased()
            let before = issues.count
            if key.isEmpty { issues.required(path) } else { issues.qualifiedName(key, path) }
            if issues.count == before, !key.contains("/") {
                issues.invalid(path, .string(key), "must be a domain-prefixed key (such as \"acme.io/foo\")")
            }
        }
        let limit = PodCertificateKinds.annotationsLimit
        if size > limit { issues.append(.tooLong(path, maximum: limit)) }
    }

    private func key(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = ["stubPKCS10Request", "pkixPublicKey", "proofOfPossession"].map { Base64.decode(spec.text($0)) ?? [] }
        switch given.map(\.isEmpty) {
        case [false, true, true]: stub(given[0], path.child("stubPKCS10Request"), &issues)
        case [true, false, false]: plain(given[1], given[2], spec, path, &issues)
        default:
            let words = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set"
            issues.append(FieldIssue(kind: .invalid, path: path, detail: words))
        }
    }

    private func stub(_ bytes: [UInt8], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let limit = PodCertificateKinds.largestPart
        if bytes.count > limit { return issues.append(.tooLong(path, maximum: limit)) }
        guard let request = try? CertificateSigningRequest(derEncoded: bytes) else {
            return issues.append(FieldIssue(kind: .invalid, path: path, detail: "must be a valid PKCS#10 CSR"))
        }
        guard let key = RequestedKey(request.publicKey) else {
            let words = "unknown public key type; supported types are Ed25519, ECDSA, and RSA"
            return issues.append(FieldIssue(kind: .invalid, path: path, detail: words))
        }
        if let bits = key.oddModulus {
            return issues.invalid(path, .string("\(bits)-bit modulus"), "RSA keys must have modulus size 3072 or 4096")
        }
        if !request.publicKey.isValidSignature(request.signature, for: request) {
            issues.append(FieldIssue(kind: .invalid, path: path, detail: "invalid signature"))
        }
    }

    private func plain(_ bytes: [UInt8], _ proof: [UInt8], _ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (place, proofPlace) = (path.child("pkixPublicKey"), path.child("proofOfPossession"))
        let limit = PodCertificateKinds.largestPart
        if bytes.count > limit { return issues.append(.tooLong(place, maximum: limit)) }
        if proof.count > limit { return issues.append(.tooLong(proofPlace, maximum: limit)) }
        guard let key = try? Certificate.PublicKey(derEncoded: bytes) else {
            return issues.invalid(place, spec["pkixPublicKey"], "must be a valid PKIX-serialized public key")
        }
        guard let key = RequestedKey(key) else {
            let words = "unknown public key type; supported types are Ed25519, ECDSA, and RSA"
            return issues.invalid(place, spec["pkixPublicKey"], words)
        }
        if let bits = key.oddModulus {
            return issues.invalid(place, .string("\(bits)-bit modulus"), "RSA keys must have modulus size 3072 or 4096")
        }
        if !key.verifies(proof, of: spec.text("podUID")) {
            let words = "could not verify proof-of-possession signature"
            issues.append(FieldIssue(kind: .invalid, path: proofPlace, detail: words))
        }
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        issues.immutable(object["spec"], old["spec"], PodCertificateKinds.spec)
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        PodCertificateAnswer(object, old: old, now: context.now).check(&issues)
        return issues
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        PlainRows.podCertificateRequest(TableRow(object: object, now: now))
    }
}

/// The answer to a request: issued, denied or failed, once and for all.
private struct PodCertificateAnswer {
    private let status: JSONValue
    private let before: JSONValue
    private let spec: JSONValue
    private let now: Timestamp

    private static let path = FieldPath("status")
    private static let chain = FieldPath("status.certificateChain")
    private static let answers = ["Issued", "Denied", "Failed"]
    private static let longestChain = 100 * 1024
    private static let skew: Double = 5 * 60
    private static let margin: Double = 10 * 60
    private static let shortestLife: Double = 60 * 60

    init(_ object: JSONValue, old: JSONValue, now: Timestamp) {
        status = object["status"] ?? [:]
        before = old["status"] ?? [:]
        spec = old["spec"] ?? [:]
        self.now = now
    }

    func check(_ issues: inout [FieldIssue]) {
        conditions(&issues)
        if !issues.isEmpty { return }
        if Self.answers.contains(where: { holds($0, before) }) {
            return unchanged(before, "immutable after PodCertificateRequest is issued, denied, or failed", &issues)
        }
        if holds("Denied", status) || holds("Failed", status) {
            let words = "non-condition status fields must be empty when denying or failing the PodCertificateRequest"
            return unchanged(["conditions": status["conditions"] ?? []], words, &issues)
        }
        if holds("Issued", status) { return issued(&issues) }
        let words = "status is immutable unless transitioning to \"Issued\", \"Denied\", or \"Failed\""
        unchanged(before, words, &issues)
    }

    private func conditions(_ issues: inout [FieldIssue]) {
        let conditions = status.list("conditions")
        var count = 0
        for (index, condition) in conditions.enumerated() {
            // Upstream writes the position as a step of its own here.
            let place = Self.path.child("conditions").child("[\(index)]")
            let type = condition.text("type")
            guard Self.answers.contains(type) else {
                issues.oneOf(type, Self.answers, place.child("type"))
                continue
            }
            count += 1
            if count > 1 {
                let words = "There may be at most one condition with type \"Issued\", \"Denied\", or \"Failed\""
                issues.invalid(place.child("type"), .string(type), words)
            }
            issues.oneOf(condition.text("status"), ["True"], place.child("status"))
        }
        ConditionValidation.check(conditions, Self.path.child("conditions"), &issues)
    }

    private func holds(_ type: String, _ status: JSONValue) -> Bool {
        status.list("conditions").contains { $0.text("type") == type && $0.text("status") == "True" }
    }

    private func unchanged(_ wanted: JSONValue, _ words: String, _ issues: inout [FieldIssue]) {
        if status != wanted { issues.invalid(Self.path, status, words) }
    }

    private func refuse(_ words: String, _ issues: inout [FieldIssue]) {
        issues.invalid(Self.chain, .string(status.text("certificateChain")), words)
    }

    private func issued(_ issues: inout [FieldIssue]) {
        let text = status.text("certificateChain")
        if text.utf8.count > Self.longestChain { return issues.append(.tooLong(Self.chain, maximum: Self.longestChain)) }
        let blocks = PEMBlock.all(in: text)
        guard let first = blocks.first else { return refuse("issued certificate chain must contain at least one certificate", &issues) }
        if first.type != "CERTIFICATE" {
            return refuse("issued certificate chain must consist entirely of CERTIFICATE PEM blocks", &issues)
        }
        guard let leaf = try? Certificate(derEncoded: first.bytes) else {
            return refuse("leaf certificate does not parse as valid X.509", &issues)
        }
        guard isForRequestedKey(leaf) else { return refuse("leaf certificate was not issued to the requested public key", &issues) }
        let count = issues.count
        times(leaf, &issues)
        if issues.count > count { return }
        for block in blocks.dropFirst() {
            if block.type != "CERTIFICATE" {
                return refuse("issued certificate chain must consist entirely of CERTFICATE PEM blocks", &issues)
            }
            if (try? Certificate(derEncoded: block.bytes)) == nil {
                return refuse("intermediate certificate does not parse as valid X.509", &issues)
            }
        }
    }

    private func isForRequestedKey(_ leaf: Certificate) -> Bool {
        if let bytes = Base64.decode(spec.text("stubPKCS10Request")), !bytes.isEmpty {
            return (try? CertificateSigningRequest(derEncoded: bytes))?.publicKey == leaf.publicKey
        }
        guard let bytes = Base64.decode(spec.text("pkixPublicKey")) else { return false }
        return (try? Certificate.PublicKey(derEncoded: bytes)) == leaf.publicKey
    }

    private func time(_ field: String) -> Double? {
        status[field]?.string.flatMap { Timestamp($0) }.map { Double($0.unixSeconds) }
    }

    private func times(_ leaf: Certificate, _ issues: inout [FieldIssue]) {
        let consistent = "must be present and consistent with the issued certificate"
        let fields = [
            ("notBefore", consistent), ("notAfter", consistent),
            ("beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"),
        ]
        for (field, words) in fields where time(field) == nil { issues.required(Self.path.child(field), words) }
        guard let start = time("notBefore"), let end = time("notAfter"), let refresh = time("beginRefreshAt") else { return }
        let refuse = { (field: String, words: String, issues: inout [FieldIssue]) in
            issues.invalid(Self.path.child(field), status[field], words)
        }
        let (first, last) = (leaf.notValidBefore.timeIntervalSince1970, leaf.notValidAfter.timeIntervalSince1970)
        if start != first { return refuse("notBefore", "must be set to the NotBefore time encoded in the leaf certificate", &issues) }
        if abs(start - Double(now.unixSeconds)) > Self.skew {
            return refuse("notBefore", "must be set to within 5 minutes of kube-apiserver's current time", &issues)
        }
        if end != last { return refuse("notAfter", "must be set to the NotAfter time encoded in the leaf certificate", &issues) }
        let most = spec.number("maxExpirationSeconds")
        let life = JSONValue.integer(Int64(last - first) * 1_000_000_000)
        if last - first < Self.shortestLife {
            return issues.invalid(Self.chain, life, "leaf certificate lifetime must be >= 1 hour")
        }
        if last - first > Double(most) {
            return issues.invalid(Self.chain, life, "leaf certificate lifetime must be <= spec.maxExpirationSeconds (\(most))")
        }
        if refresh < start + Self.margin {
            return refuse("beginRefreshAt", "must be at least 10 minutes after status.notBefore", &issues)
        }
        if refresh > end - Self.margin {
            refuse("beginRefreshAt", "must be at least 10 minutes before status.notAfter", &issues)
        }
    }
}
