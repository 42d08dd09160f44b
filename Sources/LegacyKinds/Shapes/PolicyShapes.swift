import Schema
import Values

extension LegacyShape {
    // MARK: PodDisruptionBudget

    private static let emptySelectorLabel = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"

    private static func marker(_ operation: String) -> JSONValue {
        ["matchExpressions": [["key": .string(emptySelectorLabel), "operator": .string(operation)]]]
    }

    /// An empty selector chose no pod; today it chooses all.
    static let disruptionBudget = LegacyShape(
        up: { object in
            guard var selector = object.value(at: ["spec", "selector"]) else { return }
            if selector.isBlankSelector {
                selector = marker("Exists")
            } else if selector == marker("DoesNotExist") {
                selector = [:]
            } else if let expressions = selector["matchExpressions"]?.array {
                // The label has a meaning of its own and may not be mixed with what users ask for.
                let own = expressions.filter { $0["key"]?.string != emptySelectorLabel }
                if own.count < expressions.count { selector["matchExpressions"] = own.isEmpty ? nil : .array(own) }
            }
            object.set(selector, at: ["spec", "selector"])
        },
        down: { object in
            guard let selector = object.value(at: ["spec", "selector"]) else { return }
            if selector == marker("Exists") {
                object.set([:], at: ["spec", "selector"])
            } else if selector.isBlankSelector {
                object.set(marker("DoesNotExist"), at: ["spec", "selector"])
            }
        }
    )

    // MARK: Webhook configurations

    /// What a webhook says of its side effects is stored as it is: today's version shows words that it does not take.
    static let validatingWebhooks = LegacyShape(defaults: { object in object.forEach(at: ["webhooks"], webhook) })

    static let mutatingWebhooks = LegacyShape(defaults: { object in
        object.forEach(at: ["webhooks"]) { hook in
            webhook(&hook)
            hook.fill(["reinvocationPolicy"], "Never")
        }
    })

    private static func webhook(_ hook: inout JSONValue) {
        hook.fill(["failurePolicy"], "Ignore")
        hook.fill(["matchPolicy"], "Exact")
        hook.fill(["sideEffects"], "Unknown")
        hook.fill(["timeoutSeconds"], 30)
        if hook["admissionReviewVersions"]?.array?.isEmpty ?? true { hook["admissionReviewVersions"] = ["v1beta1"] }
    }

    // MARK: CertificateSigningRequest

    /// The signer was guessed from the request.
    static let certificateRequest = LegacyShape(defaults: { object in
        guard object["spec"]?.object != nil else { return }
        object.fill(["spec", "usages"], ["digital signature", "key encipherment"])
        if object.value(at: ["spec", "signerName"])?.string?.isEmpty ?? true {
            object.set(.string(signer(object["spec"] ?? [:])), at: ["spec", "signerName"])
        }
        object.forEach(at: ["status", "conditions"]) { $0.fill(["status"], "True") }
    })

    private static func signer(_ spec: JSONValue) -> String {
        let usages = Set(spec["usages"]?.array?.compactMap(\.string) ?? [])
        guard let text = spec["request"]?.string, let subject = CertificateSubject(request: text), subject.isNode else {
            return "kubernetes.io/legacy-unknown"
        }
        let optional: Set<String> = ["key encipherment"]
        switch usages.subtracting(optional) {
        case ["digital signature", "client auth"]: return "kubernetes.io/kube-apiserver-client-kubelet"
        case ["digital signature", "server auth"]: return "kubernetes.io/kubelet-serving"
        default: return "kubernetes.io/legacy-unknown"
        }
    }
}

/// As much of a certificate request's subject as it takes to recognise a kubelet: the names are looked for in the bytes.
private struct CertificateSubject {
    private let bytes: [UInt8]

    /// From the base64 of a PEM block, as the API carries it; nil when it is none.
    init?(request: String) {
        guard let pem = Base64.decode(request) else { return nil }
        let lines = String(decoding: pem, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard lines.first?.hasPrefix("-----BEGIN") == true else { return nil }
        let body = lines.filter { !$0.hasPrefix("-----") }.joined()
        guard let der = Base64.decode(body) else { return nil }
        bytes = der
    }

    var isNode: Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.contains("system:nodes") && text.contains("system:node:")
    }
}

extension JSONValue {
    /// A selector without any requirement.
    fileprivate var isBlankSelector: Bool {
        guard let members = object else { return false }
        return members.allSatisfy { $0.value.isNull || $0.value.array?.isEmpty == true || $0.value.object?.isEmpty == true }
    }
}
