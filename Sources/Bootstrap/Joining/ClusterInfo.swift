import APIClient
import Access
import Crypto
import FoundationEssentials
import Values

/// What a machine reads before it trusts the cluster: its address and authority, signed with every bootstrap token.
///
/// The ConfigMap `cluster-info` in `kube-public`, as kubeadm's: `kubeconfig` and a detached JSON Web Signature
/// (HS256) for each token under `jws-kubeconfig-ID`. Pure.
public enum ClusterInfo {
    /// The key of the kubeconfig.
    public static let contentKey = "kubeconfig"
    /// What the keys of signatures begin with.
    public static let signaturePrefix = "jws-kubeconfig-"

    /// The kubeconfig without credentials.
    public static func content(server: String, authorityPEM: String) -> String {
        let document: JSONValue = [
            "apiVersion": "v1",
            "clusters": [
                [
                    "cluster": ["certificate-authority-data": .string(Base64.encode(Array(authorityPEM.utf8))), "server": .string(server)],
                    "name": "",
                ]
            ],
            "contexts": .null, "current-context": "", "kind": "Config", "preferences": [:], "users": .null,
        ]
        return YAML.encode(document)
    }

    /// The authority's certificate in a kubeconfig; nil when there is none.
    public static func authorityPEM(_ content: String) -> String? {
        guard let document = try? YAML.parse(Array(content.utf8)),
            let data = document["clusters"]?.array?.first?.value(at: ["cluster", "certificate-authority-data"])?.string,
            let bytes = Base64.decode(data)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The signature of a content by a token.
    public static func signature(_ content: String, token: BootstrapToken) -> String {
        signature(content, id: token.id, secret: token.secret)
    }

    static func signature(_ content: String, id: String, secret: String) -> String {
        let header = Base64.encodeURL(Array("{\"alg\":\"HS256\",\"kid\":\"\(id)\"}".utf8))
        let signed = "\(header).\(Base64.encodeURL(Array(content.utf8)))"
        let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: Array(secret.utf8)))
        return "\(header)..\(Base64.encodeURL(Array(code)))"
    }

    /// The signatures of all tokens that may sign, by key.
    public static func signatures(_ content: String, tokens: [BootstrapTokenRecord]) -> [String: String] {
        var all: [String: String] = [:]
        for token in tokens where token.allows(.signing) {
            all[signaturePrefix + token.id] = signature(content, id: token.id, secret: token.secret)
        }
        return all
    }

    /// The data that the ConfigMap shall hold: what others put there stays.
    public static func data(_ present: [String: String], content: String, tokens: [BootstrapTokenRecord]) -> [String: String] {
        var data = present.filter { !$0.key.hasPrefix(signaturePrefix) }
        data[contentKey] = content
        return data.merging(signatures(content, tokens: tokens)) { $1 }
    }
}
