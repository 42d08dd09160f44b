import Channels
import HTTPTransport
import Units
import Values

/// The token with which a machine joins a cluster: `id.secret`, kept as the Secret `bootstrap-token-ID` in `kube-system`.
public struct BootstrapToken: Sendable, Hashable, CustomStringConvertible {
    /// Six characters that everybody may know.
    public let id: String
    /// Sixteen characters that nobody else may know.
    public let secret: String

    /// The namespace of the Secrets.
    public static let namespace = "kube-system"
    /// What the Secrets' names begin with.
    public static let secretPrefix = "bootstrap-token-"
    /// The Secrets' type.
    public static let secretType = "bootstrap.kubernetes.io/token"
    /// The group of all who come with a token.
    public static let group = "system:bootstrappers"
    /// The group that may ask for a node's certificate, as kubeadm's tokens name it.
    public static let nodeGroup = "system:bootstrappers:kubeadm:default-node-token"
    /// What a token's user name begins with.
    public static let userPrefix = "system:bootstrap:"

    private static let idLength = 6
    private static let secretLength = 16
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")

    /// Reads `id.secret`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isPart(parts[0], Self.idLength), Self.isPart(parts[1], Self.secretLength) else { return nil }
        id = String(parts[0])
        secret = String(parts[1])
    }

    /// A new token.
    public init(random: any RandomSource) {
        func part(_ length: Int) -> String { String((0..<length).map { _ in Self.alphabet[random.below(Self.alphabet.count)] }) }
        id = part(Self.idLength)
        secret = part(Self.secretLength)
    }

    /// Whether a text can be a token's public half.
    public static func isID(_ text: String) -> Bool { isPart(text[...], idLength) }

    private static func isPart(_ text: Substring, _ length: Int) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }

    /// `id.secret`.
    public var description: String { "\(id).\(secret)" }

    /// The name of the Secret that holds it.
    public var secretName: String { Self.secretPrefix + id }
}

/// What the Secret of a bootstrap token says. Pure.
public struct BootstrapTokenRecord: Sendable, Hashable {
    /// What a token may be used for.
    public enum Usage: String, Sendable {
        /// To authenticate requests.
        case authentication = "usage-bootstrap-authentication"
        /// To sign what a joining machine reads before it trusts the server.
        case signing = "usage-bootstrap-signing"
    }

    /// The token's public half.
    public let id: String
    /// Its secret half.
    public let secret: String
    private let data: [String: String]

    /// Reads a Secret as JSON. Nil when it is none of a bootstrap token, or is going away.
    public init?(_ object: JSONValue) {
        guard object["type"]?.string == BootstrapToken.secretType, object.value(at: ["metadata", "deletionTimestamp"]) == nil,
            let encoded = object["data"]?.object
        else { return nil }
        var data: [String: String] = [:]
        for (key, value) in encoded {
            if let text = value.string, let bytes = Base64.decode(text) { data[key] = String(decoding: bytes, as: UTF8.self) }
        }
        guard let id = data["token-id"], let secret = data["token-secret"], !secret.isEmpty,
            object.value(at: ["metadata", "name"])?.string == BootstrapToken.secretPrefix + id
        else { return nil }
        self.id = id
        self.secret = secret
        self.data = data
    }

    /// Words for people.
    public var note: String { data["description"] ?? "" }

    /// Whether the token may be used so.
    public func allows(_ usage: Usage) -> Bool { data[usage.rawValue] == "true" }

    /// When it ends; nil for never.
    public var expiration: Timestamp? { data["expiration"].flatMap { Timestamp($0) } }

    /// Whether it has ended. What cannot be read has.
    public func hasExpired(at now: Timestamp) -> Bool {
        guard let text = data["expiration"], !text.isEmpty else { return false }
        guard let end = Timestamp(text) else { return true }
        return end <= now
    }

    /// The groups of who comes with it; nil when they are not ones a token may give.
    public var groups: [String]? {
        let extra = (data["auth-extra-groups"] ?? "").split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        guard extra.allSatisfy(Self.isGroup) else { return nil }
        return Set(extra + [BootstrapToken.group]).sorted()
    }

    /// The groups besides the one of all tokens.
    public var extraGroups: [String] { (groups ?? []).filter { $0 != BootstrapToken.group } }

    /// The usages by their short names, as people are shown them.
    public var usages: [String] {
        data.keys.filter { $0.hasPrefix("usage-bootstrap-") && data[$0] == "true" }.map { String($0.dropFirst(16)) }.sorted()
    }

    /// `system:bootstrappers:` and up to 256 small letters, digits, colons and dashes that end in a letter or digit.
    private static func isGroup(_ text: String) -> Bool {
        let prefix = BootstrapToken.group + ":"
        guard text.hasPrefix(prefix) else { return false }
        let rest = text.dropFirst(prefix.count).utf8
        func isWord(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard let last = rest.last, rest.count <= 256, isWord(last) else { return false }
        return rest.allSatisfy { isWord($0) || $0 == 0x3A || $0 == 0x2D }
    }
}

/// Knows machines that come with a bootstrap token: `system:bootstrap:ID` of the groups that the token's Secret names.
public struct BootstrapTokenAuthenticator: TokenAuthenticator {
    private let lookup: any ClusterLookup
    private let clock: any ClusterClock

    /// An authenticator that finds the Secrets through `lookup`.
    public init(lookup: any ClusterLookup, clock: any ClusterClock) {
        self.lookup = lookup
        self.clock = clock
    }

    /// The decision on one token. What is not of a token's form, or known, is left to others.
    public func authenticate(token text: String, audiences: [String]) async -> AuthenticationDecision {
        // A token is good for the API server alone.
        guard audiences.isEmpty, let token = BootstrapToken(text) else { return .none }
        let name = token.secretName
        var object = lookup.object(.core("secrets"), namespace: BootstrapToken.namespace, name: name)
        if object == nil { object = await lookup.currentObject(.core("secrets"), namespace: BootstrapToken.namespace, name: name) }
        guard let record = object.flatMap(BootstrapTokenRecord.init), record.id == token.id,
            Self.isSame(record.secret, token.secret), !record.hasExpired(at: clock.now), record.allows(.authentication),
            let groups = record.groups
        else { return .none }
        return .user(UserIdentity(name: BootstrapToken.userPrefix + record.id, groups: groups), audiences: [])
    }

    /// Compares without telling by its duration where two secrets differ.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
