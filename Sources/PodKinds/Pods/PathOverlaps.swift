import Schema
import Units
import Values

/// Files of one volume that would stand in each other's way.
package enum PathOverlaps {
    private struct Source: Equatable {
        var path: String
        /// What it comes from: the kind, and the name of one that has a name.
        let kind: String
        let name: String?

        init(_ path: String, _ kind: String = "", named name: String? = nil) {
            var path = path
            while path.hasSuffix("/") { path.removeLast() }
            self.path = path
            self.kind = kind
            self.name = name
        }

        var text: String {
            if kind.isEmpty { return GoQuote.quote(path) }
            return "\(GoQuote.quote(path)) (\(kind)\(name.map { " " + GoQuote.quote($0) } ?? ""))"
        }

        func overlaps(_ other: Source) -> Bool {
            if path.isEmpty || other.path.isEmpty { return false }
            let (shorter, longer) = path.utf8.count <= other.path.utf8.count ? (path.utf8, other.path.utf8) : (other.path.utf8, path.utf8)
            let next = longer.dropFirst(shorter.count).first
            return longer.starts(with: shorter) && (next == nil || next == UInt8(ascii: "/"))
        }
    }

    /// The warnings about a pod's volumes.
    package static func warnings(_ volumes: [JSONValue]) -> [String] {
        var warnings: [String] = []
        for volume in volumes {
            // Words are made for what there is to say, which in nearly every pod is nothing.
            var name: String { GoQuote.quote(volume.text("name")) }
            for field in ["configMap", "secret", "downwardAPI"] {
                guard let items = volume[field]?.list("items"), items.count > 1 else { continue }
                for overlap in overlaps(items.map { Source($0.text("path")) }) {
                    warnings.append("volume \(name) (\(words(field, volume))): overlapping paths: \(overlap)")
                }
            }
            guard let sources = volume["projected"]?.list("sources") else { continue }
            for source in sources where source.object?.isEmpty ?? true {
                warnings.append("volume \(name) (Projected) has no sources provided")
            }
            for overlap in overlaps(sources.flatMap(parts)) {
                warnings.append("volume \(name) (Projected): overlapping paths: \(overlap)")
            }
        }
        return warnings
    }

    private static func words(_ field: String, _ volume: JSONValue) -> String {
        switch field {
        case "configMap": "ConfigMap \(GoQuote.quote(volume["configMap"]?.text("name") ?? ""))"
        case "secret": "Secret \(GoQuote.quote(volume["secret"]?.text("secretName") ?? ""))"
        default: "DownwardAPI"
        }
    }

    private static func overlaps(_ sources: [Source]) -> [String] {
        var texts: [String] = []
        for (index, source) in sources.enumerated() {
            for other in sources[..<index] where source.overlaps(other) { texts.append("\(source.text) with \(other.text)") }
        }
        return texts
    }

    private static func parts(_ source: JSONValue) -> [Source] {
        for (field, word) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
            guard let part = source[field], part["items"] != nil else { continue }
            return part.list("items").map { Source($0.text("path"), word, named: part.text("name")) }
        }
        if let part = source["downwardAPI"], part["items"] != nil {
            return part.list("items").map { Source($0.text("path"), "DownwardAPI") }
        }
        if let token = source["serviceAccountToken"] { return [Source(token.text("path"), "ServiceAccountToken")] }
        if let bundle = source["clusterTrustBundle"] {
            let name = bundle["name"]?.string ?? bundle.text("signerName")
            return [Source(bundle.text("path"), "ClusterTrustBundle", named: name)]
        }
        guard let certificate = source["podCertificate"] else { return [] }
        let fields = [
            ("certificateChainPath", "PodCertificate chain"), ("keyPath", "PodCertificate key"),
            ("credentialBundlePath", "PodCertificate credential bundle"),
        ]
        return fields.compactMap { certificate.text($0.0).isEmpty ? nil : Source(certificate.text($0.0), $0.1) }
    }
}

/// Labels of nodes that have newer names.
package enum NodeLabels {
    private static let words = [
        "beta.kubernetes.io/arch": "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os": "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "failure-domain.beta.kubernetes.io/region": "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
        "failure-domain.beta.kubernetes.io/zone": "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        "beta.kubernetes.io/instance-type": "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
        "app.kubernetes.io/created-by": "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
        "node-role.kubernetes.io/master": "use \"node-role.kubernetes.io/control-plane\" instead",
    ]

    /// What to use instead, in upstream's words.
    package static func deprecation(_ key: String) -> String? { words[key] }

    /// The warnings about a node affinity.
    package static func warnings(affinity: JSONValue, _ path: FieldPath) -> [String] {
        var warnings: [String] = []
        let required = path.child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
        let terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]?.list("nodeSelectorTerms") ?? []
        for (index, term) in terms.enumerated() { warnings += self.warnings(term: term, required.index(index)) }
        let preferred = affinity.list("preferredDuringSchedulingIgnoredDuringExecution")
        for (index, term) in preferred.enumerated() {
            let place = path.child("preferredDuringSchedulingIgnoredDuringExecution").index(index).child("preference")
            warnings += self.warnings(term: term["preference"] ?? [:], place)
        }
        return warnings
    }

    /// The warnings about one term of a node selector.
    package static func warnings(term: JSONValue, _ path: FieldPath) -> [String] {
        term.list("matchExpressions").enumerated().compactMap { index, expression in
            let key = expression.text("key")
            return deprecation(key).map { "\(path.child("matchExpressions").index(index).child("key")): \(key) is \($0)" }
        }
    }
}
