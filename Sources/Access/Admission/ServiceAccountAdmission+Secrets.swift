import APIModel
import Values

/// What an account that limits its pods' secrets lets them refer to.
struct MountableSecrets {
    private let account: String
    private let secrets: Set<String>
    private let pullSecrets: Set<String>
    private static let annotation = "kubernetes.io/enforce-mountable-secrets"
    /// What Go's `strconv.ParseBool` takes for true.
    private static let truths: Set<String> = ["1", "t", "T", "TRUE", "true", "True"]

    /// Nil when the account sets no limit.
    init?(_ account: JSONValue) {
        guard let value = account.value(at: ["metadata", "annotations", Self.annotation])?.string, Self.truths.contains(value) else {
            return nil
        }
        self.account = account.value(at: ["metadata", "name"])?.string ?? ""
        secrets = Self.names(account["secrets"])
        pullSecrets = Self.names(account["imagePullSecrets"])
    }

    private static func names(_ list: JSONValue?) -> Set<String> { Set((list?.array ?? []).compactMap { $0["name"]?.string }) }

    /// The first reference of a new pod that is not allowed, in words.
    func problem(of pod: JSONValue) -> String? {
        let spec = pod["spec"] ?? [:]
        for volume in spec["volumes"]?.array ?? [] {
            guard let secret = volume["secret"]?.object else { continue }
            let name = secret["secretName"]?.string ?? ""
            if !secrets.contains(name) { return words("volume with secret.secretName=\"\(name)\" is", "secret") }
        }
        for (list, kind) in [("initContainers", "init container"), ("containers", "container")] {
            if let problem = problem(ofContainers: spec[list], kind) { return problem }
        }
        for (index, reference) in (spec["imagePullSecrets"]?.array ?? []).enumerated() {
            let name = reference["name"]?.string ?? ""
            if !pullSecrets.contains(name) { return words("imagePullSecrets[\(index)].name=\"\(name)\" is", "imagePullSecret") }
        }
        return nil
    }

    /// The first reference of containers that is not allowed, in words.
    func problem(ofContainers containers: JSONValue?, _ kind: String) -> String? {
        for container in containers?.array ?? [] {
            let owner = "\(kind) \(container["name"]?.string ?? "")"
            for variable in container["env"]?.array ?? [] {
                guard let key = variable.value(at: ["valueFrom", "secretKeyRef"])?.object else { continue }
                let name = key["name"]?.string ?? ""
                let place = "with envVar \(variable["name"]?.string ?? "")"
                if !secrets.contains(name) { return words("\(owner) \(place) referencing secret.secretName=\"\(name)\" is", "secret") }
            }
            for source in container["envFrom"]?.array ?? [] {
                guard let reference = source["secretRef"]?.object else { continue }
                let name = reference["name"]?.string ?? ""
                if !secrets.contains(name) { return words("\(owner) with envFrom referencing secret.secretName=\"\(name)\" is", "secret") }
            }
        }
        return nil
    }

    private func words(_ start: String, _ what: String) -> String {
        "\(start) not allowed because service account \(account) does not reference that \(what)"
    }
}
