import Schema
import Units
import Values

/// What is wrong with projected volumes.
package struct ProjectionValidation {
    private let path: FieldPath
    private var seen: Set<String> = []

    private static let shortest: Int64 = 600
    private static let longest: Int64 = 1 << 32
    private static let keyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"]
    private static let certificateRange: ClosedRange<Int64> = 3600...7_862_400
    private static let kubernetesCertificateLimit: Int64 = 86400

    private init(path: FieldPath) {
        self.path = path
    }

    /// Checks a projected volume.
    package static func check(_ projection: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        VolumeValidation.mode(projection["defaultMode"], path.child("defaultMode"), &issues)
        var check = ProjectionValidation(path: path)
        for (index, source) in projection.list("sources").enumerated() {
            check.source(source, path.child("sources").index(index), &issues)
        }
    }

    private mutating func source(_ source: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        for kind in ["secret", "configMap"] {
            guard let part = source[kind] else { continue }
            issues.need(part.text("name"), place.child(kind, "name"))
            for (index, item) in part.list("items").enumerated() {
                VolumeValidation.keyToPath(item, place.child(kind, "items").index(index), &issues)
                take(item.text("path"), reported: part.text("name"), &issues)
            }
        }
        for file in source["downwardAPI"]?.list("items") ?? [] {
            DownwardValidation.file(file, place.child("downwardAPI"), &issues)
            take(file.text("path"), &issues)
        }
        if let token = source["serviceAccountToken"] { self.token(token, place.child("serviceAccountToken"), &issues) }
        if let bundle = source["clusterTrustBundle"] { self.bundle(bundle, place.child("clusterTrustBundle"), &issues) }
        if let certificate = source["podCertificate"] { self.certificate(certificate, place.child("podCertificate"), &issues) }
        if (source.object?.count ?? 0) > 1 { issues.forbidden(place, "may not specify more than 1 volume type per source") }
    }

    private mutating func take(_ text: String, reported: String? = nil, _ issues: inout [FieldIssue]) {
        guard !text.isEmpty, !seen.insert(text).inserted else { return }
        issues.invalid(path, .string(reported ?? text), "conflicting duplicate paths")
    }

    private func token(_ token: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let seconds = token.number("expirationSeconds")
        if seconds < Self.shortest {
            issues.invalid(place.child("expirationSeconds"), .integer(seconds), "may not specify a duration less than 10 minutes")
        } else if seconds > Self.longest {
            issues.invalid(place.child("expirationSeconds"), .integer(seconds), "may not specify a duration larger than 2^32 seconds")
        }
        let file = token.text("path")
        if file.isEmpty { return issues.required(path.child("path")) }
        PathValidation.notReserved(file, path.child("path"), &issues)
    }

    private mutating func bundle(_ bundle: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let signer = bundle["signerName"]?.string
        switch (bundle["name"]?.string, signer) {
        case (.some, .some): issues.invalid(place, bundle, "only one of name and signerName may be used")
        case (let name?, nil):
            if name.isEmpty { issues.required(place.child("name"), "must be a valid object name") }
            if let selector = bundle["labelSelector"] {
                issues.invalid(place.child("labelSelector"), selector, "labelSelector must be unset if name is specified")
            }
        case (nil, let signer?):
            if signer.isEmpty { issues.required(place.child("signerName"), "must be a valid signer name") }
            SignerName.check(signer, place.child("signerName"), &issues)
            SelectorValidation.selector(bundle["labelSelector"], place.child("labelSelector"), &issues)
        case (nil, nil): issues.required(place, "either name or signerName must be specified")
        }
        let file = bundle.text("path")
        issues.need(file, place.child("path"))
        PathValidation.notReserved(file, place.child("path"), &issues)
        take(file, &issues)
    }

    private mutating func certificate(_ certificate: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let signer = certificate.text("signerName")
        SignerName.check(signer, place.child("signerName"), &issues)
        issues.oneOf(certificate.text("keyType"), Self.keyTypes, place.child("keyType"))
        if let seconds = certificate["maxExpirationSeconds"]?.int {
            let field = place.child("maxExpirationSeconds")
            let limit = signer.hasPrefix("kubernetes.io/") ? Self.kubernetesCertificateLimit : Self.certificateRange.upperBound
            if seconds < Self.certificateRange.lowerBound {
                issues.invalid(field, .integer(seconds), "if provided, maxExpirationSeconds must be >= \(Self.certificateRange.lowerBound)")
            }
            if seconds > limit { issues.invalid(field, .integer(seconds), "if provided, maxExpirationSeconds must be <= \(limit)") }
        }
        var hasPath = false
        for field in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
            let file = certificate.text(field)
            if file.isEmpty { continue }
            hasPath = true
            PathValidation.notReserved(file, place.child(field), &issues)
            take(file, &issues)
        }
        if !hasPath { issues.required(place, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath") }
    }
}

/// What is wrong with the name of a signer: a domain and a path below it.
package enum SignerName {
    private static let limit = 571
    private static let domainLimit = 253

    /// Reports the first label that is wrong: the others would only repeat it.
    private static func labels(_ text: String, by rule: (String) -> [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for label in text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) {
            let problems = rule(label)
            for problem in problems {
                issues.invalid(path, .string(text), "validating label \(GoQuote.quote(label)): \(problem)")
            }
            if !problems.isEmpty { return }
        }
    }

    package static func check(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if name.isEmpty { return issues.required(path) }
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !name.dropFirst(parts[0].count + 1).contains("/") else {
            return issues.invalid(path, .string(name), "must be a fully qualified domain and path of the form 'example.com/signer-name'")
        }
        let domain = parts[0]
        if domain.utf8.count > domainLimit { issues.append(.tooLong(path, maximum: domainLimit)) }
        labels(domain, by: Names.dns1123LabelIssues, path, &issues)
        if !domain.contains(".") {
            issues.invalid(path, .string(domain), "should be a domain with at least two segments separated by dots")
        }
        labels(parts[1], by: Names.dns1123SubdomainIssues, path, &issues)
        if name.utf8.count > limit { issues.append(.tooLong(path, maximum: limit)) }
    }
}
