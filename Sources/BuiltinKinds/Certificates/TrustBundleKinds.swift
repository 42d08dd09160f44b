import PodKinds
import Schema
import SwiftASN1
import Units
import Values
import X509

/// The rules of trust bundles.
enum TrustBundleKinds {
    private static let limit = 1 << 20
    private static let path = FieldPath("spec.trustBundle")

    static let bundle = KindRules(
        name: .pathSegment,
        check: { object, issues in
            name(object, &issues)
            let signer = object["spec"]?.text("signerName") ?? ""
            if !signer.isEmpty { SignerName.check(signer, FieldPath("spec.signerName"), &issues) }
        },
        update: { object, old, issues in
            // An anchor that was readable once is not read again: parsers change.
            let (new, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
            if new["trustBundle"] != before["trustBundle"] { anchors(new.text("trustBundle"), &issues) }
            issues.immutable(new["signerName"], before["signerName"], FieldPath("spec.signerName"))
        },
        create: { object, issues in anchors(object["spec"]?.text("trustBundle") ?? "", &issues) },
        row: PlainRows.trustBundle
    )

    private static func name(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let name = object["metadata"]?.text("name") ?? ""
        let signer = object["spec"]?.text("signerName") ?? ""
        if name.isEmpty { return }
        let place = FieldPath("metadata.name")
        if signer.isEmpty {
            if name.contains(":") {
                return issues.invalid(place, .string(name), "ClusterTrustBundle without signer name must not have \":\" in its name")
            }
            return issues.subdomain(name, place)
        }
        let prefix = String(signer.map { $0 == "/" ? ":" : $0 }) + ":"
        guard name.hasPrefix(prefix) else {
            let words = "ClusterTrustBundle for signerName \(signer) must be named with prefix \(prefix)"
            return issues.invalid(place, .string(name), words)
        }
        for problem in Names.dns1123SubdomainIssues(String(name.dropFirst(prefix.count))) {
            issues.invalid(place, .string(name), problem)
        }
    }

    private static func anchors(_ text: String, _ issues: inout [FieldIssue]) {
        if text.utf8.count > limit { return issues.append(.tooLong(path, maximum: limit)) }
        let before = issues.count
        var known: [[UInt8]: [Int]] = [:]
        for (index, block) in PEMBlock.all(in: text).enumerated() {
            if let problem = problem(block) {
                refuse("entry \(index) \(problem)", &issues)
            } else {
                known[block.bytes, default: []].append(index)
            }
        }
        if issues.count > before { return }
        if known.isEmpty { refuse("at least one trust anchor must be provided", &issues) }
        for places in known.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            refuse("duplicate trust anchor (indices [\(places.map(String.init).joined(separator: " "))])", &issues)
        }
    }

    private static func refuse(_ words: String, _ issues: inout [FieldIssue]) { issues.invalid(path, "<value omitted>", words) }

    private static func problem(_ block: PEMBlock) -> String? {
        if block.type != "CERTIFICATE" { return "has bad block type: \(block.type)" }
        if block.hasHeaders { return "has PEM block headers" }
        guard let certificate = try? Certificate(derEncoded: block.bytes) else { return "does not parse as X.509" }
        switch try? certificate.extensions.basicConstraints {
        case .isCertificateAuthority: return nil
        case .notCertificateAuthority, nil: return "does not have the CA bit set"
        }
    }
}
