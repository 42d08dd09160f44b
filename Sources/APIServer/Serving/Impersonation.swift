import Access
import HTTPTransport
import Schema

/// Whom the headers of a request ask to act as.
struct Impersonation: Sendable {
    private static let extraPrefix = "impersonate-extra-"

    var name = ""
    var uid = ""
    var groups: [String] = []
    /// Further facts, by keys in lower case, sorted.
    var extra: [(key: String, values: [String])] = []

    init(_ request: HTTPRequest) {
        name = request.headers["impersonate-user"] ?? ""
        uid = request.headers["impersonate-uid"] ?? ""
        groups = request.headers.all("impersonate-group")
        var found: [String: [String]] = [:]
        for field in request.headers {
            let header = field.name.lowercased()
            guard header.hasPrefix(Self.extraPrefix) else { continue }
            found[PercentCoding.decoded(header.dropFirst(Self.extraPrefix.count)), default: []].append(field.value)
        }
        extra = found.sorted { $0.key < $1.key }.map { (key: $0.key, values: $0.value) }
    }

    var isEmpty: Bool { name.isEmpty && uid.isEmpty && groups.isEmpty && extra.isEmpty }

    /// The user, with the groups that go with his name when none are asked for.
    var user: UserIdentity {
        var groups = groups
        let prefix = UserIdentity.serviceAccountPrefix
        let parts = name.hasPrefix(prefix) ? name.dropFirst(prefix.count).split(separator: ":") : []
        if groups.isEmpty, parts.count == 2 {
            groups = [UserIdentity.serviceAccountsGroup, "\(UserIdentity.serviceAccountsGroup):\(parts[0])"]
        }
        if name == UserIdentity.anonymous.name, !groups.contains(UserIdentity.unauthenticatedGroup) {
            groups.append(UserIdentity.unauthenticatedGroup)
        }
        let facts = Dictionary(extra.map { ($0.key, $0.values) }) { first, _ in first }
        return UserIdentity(name: name, uid: uid, groups: groups, extra: facts).authenticated()
    }

    /// How upstream's refusal prints what was asked for.
    var goText: String {
        func list(_ values: [String]) -> String { "[]string{\(values.map { GoQuote.quote($0) }.joined(separator: ", "))}" }
        let facts = extra.map { "\(GoQuote.quote($0.key)):\(list($0.values))" }.joined(separator: ", ")
        return "&user.DefaultInfo{Name:\(GoQuote.quote(name)), UID:\(GoQuote.quote(uid)), "
            + "Groups:\(groups.isEmpty ? "[]string(nil)" : list(groups)), "
            + "Extra:map[string][]string\(extra.isEmpty ? "(nil)" : "{\(facts)}")}"
    }
}
