import Values

/// What a `PriorityLevelConfiguration` says, as far as it matters to requests.
public struct PriorityLevelSpec: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// The uid of the object, empty while there is none.
    public var uid: String
    /// Requests of an exempt level never wait.
    public var isExempt: Bool
    /// The level's part of the server's seats, relative to those of the others.
    public var shares: Int
    /// How much of its seats others may use while it does not, in percent.
    public var lendablePercent: Int
    /// How many seats it may borrow, in percent of its own; nil is no limit.
    public var borrowingLimitPercent: Int?
    /// What happens to requests for which there is no seat.
    public var queuing: SeatQueues.Settings

    /// Reads an object. Nil when it is not one of this kind.
    public init?(_ object: JSONValue) {
        guard let name = object.value(at: ["metadata", "name"])?.string, !name.isEmpty, let spec = object["spec"] else { return nil }
        self.name = name
        uid = object.value(at: ["metadata", "uid"])?.string ?? ""
        isExempt = spec["type"]?.string == "Exempt"
        let part = spec[isExempt ? "exempt" : "limited"]
        shares = Self.clamp(part?["nominalConcurrencyShares"]?.int, isExempt ? 0 : 30, 0...Self.maxShares)
        lendablePercent = Self.clamp(part?["lendablePercent"]?.int, 0, 0...100)
        borrowingLimitPercent = part?["borrowingLimitPercent"]?.int.map { Self.clamp($0, 0, 0...Self.maxShares) }
        let response = part?["limitResponse"]
        guard !isExempt, response?["type"]?.string == "Queue" else {
            queuing = SeatQueues.Settings(queues: 0, handSize: 1, queueLength: 0)
            return
        }
        let queues = Self.clamp(response?.value(at: ["queuing", "queues"])?.int, 64, 1...Self.maxQueues)
        queuing = SeatQueues.Settings(
            queues: queues,
            handSize: Self.clamp(response?.value(at: ["queuing", "handSize"])?.int, 8, 1...queues),
            queueLength: Self.clamp(response?.value(at: ["queuing", "queueLengthLimit"])?.int, 50, 1...Self.maxQueueLength)
        )
    }

    /// How many of `nominal` seats others may use while they are not.
    func lendable(of nominal: Int) -> Int {
        Int((Double(nominal * lendablePercent) / 100).rounded())
    }

    private static let maxShares = 1 << 20
    private static let maxQueues = 10_000
    private static let maxQueueLength = 10_000

    private static func clamp(_ number: Int64?, _ standard: Int, _ range: ClosedRange<Int>) -> Int {
        min(max(number.map { Int(clamping: $0) } ?? standard, range.lowerBound), range.upperBound)
    }
}

/// What a `FlowSchema` says, made ready for fast matching.
public struct FlowSchemaSpec: Sendable, Hashable {
    /// What tells one flow from another within a schema.
    public enum Distinguisher: String, Sendable { case user = "ByUser", namespace = "ByNamespace", none = "" }

    /// Its name.
    public var name: String
    /// The uid of the object, empty while there is none.
    public var uid: String
    /// Lower is asked first.
    public var precedence: Int
    /// The priority level of its requests.
    public var level: String
    /// What tells flows apart.
    public var distinguisher: Distinguisher
    /// A request that matches one of these belongs here.
    let rules: [FlowRule]

    /// Reads an object. Nil when it is not one of this kind.
    public init?(_ object: JSONValue) {
        guard let name = object.value(at: ["metadata", "name"])?.string, !name.isEmpty, let spec = object["spec"] else { return nil }
        self.name = name
        uid = object.value(at: ["metadata", "uid"])?.string ?? ""
        precedence = spec["matchingPrecedence"]?.int.map { Int(clamping: $0) } ?? 1000
        level = spec.value(at: ["priorityLevelConfiguration", "name"])?.string ?? ""
        distinguisher = Distinguisher(rawValue: spec.value(at: ["distinguisherMethod", "type"])?.string ?? "") ?? .none
        rules = (spec["rules"]?.array ?? []).map(FlowRule.init)
    }

    /// Whether a request belongs here.
    public func matches(_ attributes: RequestAttributes) -> Bool {
        for rule in rules where rule.matches(attributes) { return true }
        return false
    }
}

/// Some subjects and what they do.
struct FlowRule: Sendable, Hashable {
    private let users: NameSet
    private let groups: NameSet
    /// Service accounts by namespace; the names, or all.
    private let accounts: [String: NameSet]
    private let resources: [ResourceRule]
    private let paths: [PathRule]

    init(_ rule: JSONValue) {
        var users: [String] = []
        var groups: [String] = []
        var accounts: [String: [String]] = [:]
        for subject in rule["subjects"]?.array ?? [] {
            switch subject["kind"]?.string {
            case "User": users.append(subject.value(at: ["user", "name"])?.string ?? "")
            case "Group": groups.append(subject.value(at: ["group", "name"])?.string ?? "")
            case "ServiceAccount":
                let namespace = subject.value(at: ["serviceAccount", "namespace"])?.string ?? ""
                accounts[namespace, default: []].append(subject.value(at: ["serviceAccount", "name"])?.string ?? "")
            default: break
            }
        }
        self.users = NameSet(users)
        self.groups = NameSet(groups)
        self.accounts = accounts.mapValues { NameSet($0) }
        resources = (rule["resourceRules"]?.array ?? []).map(ResourceRule.init)
        paths = (rule["nonResourceRules"]?.array ?? []).map(PathRule.init)
    }

    func matches(_ attributes: RequestAttributes) -> Bool {
        guard isAbout(attributes.user) else { return false }
        if attributes.isResourceRequest {
            for rule in resources where rule.matches(attributes) { return true }
            return false
        }
        for rule in paths where rule.matches(attributes) { return true }
        return false
    }

    private func isAbout(_ user: UserIdentity) -> Bool {
        if users.has(user.name) || groups.isEverything && !user.groups.isEmpty { return true }
        if !groups.isEmpty {
            for group in user.groups where groups.has(group) { return true }
        }
        guard !accounts.isEmpty, user.name.hasPrefix(UserIdentity.serviceAccountPrefix) else { return false }
        let parts = user.name.dropFirst(UserIdentity.serviceAccountPrefix.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let names = accounts[String(parts[0])] else { return false }
        return names.has(String(parts[1]))
    }

    private struct ResourceRule: Sendable, Hashable {
        let verbs: NameSet
        let groups: NameSet
        let resources: NameSet
        let namespaces: NameSet
        let isClusterScoped: Bool

        init(_ rule: JSONValue) {
            verbs = NameSet(rule["verbs"])
            groups = NameSet(rule["apiGroups"])
            resources = NameSet(rule["resources"])
            namespaces = NameSet(rule["namespaces"])
            isClusterScoped = rule["clusterScope"]?.bool ?? false
        }

        func matches(_ attributes: RequestAttributes) -> Bool {
            guard verbs.has(attributes.verb), groups.has(attributes.apiGroup) else { return false }
            guard attributes.namespace.isEmpty ? isClusterScoped : namespaces.has(attributes.namespace) else { return false }
            if resources.isEverything { return true }
            let name = attributes.subresource.isEmpty ? attributes.resource : "\(attributes.resource)/\(attributes.subresource)"
            return resources.has(name)
        }
    }

    private struct PathRule: Sendable, Hashable {
        let verbs: NameSet
        let paths: NameSet
        let prefixes: [String]

        init(_ rule: JSONValue) {
            verbs = NameSet(rule["verbs"])
            paths = NameSet(rule["nonResourceURLs"])
            prefixes = (rule["nonResourceURLs"]?.array ?? []).compactMap { item in
                guard let text = item.string, text.hasSuffix("*"), text != "*" else { return nil }
                return String(text.dropLast())
            }
        }

        func matches(_ attributes: RequestAttributes) -> Bool {
            guard verbs.has(attributes.verb) else { return false }
            if paths.has(attributes.path) { return true }
            for prefix in prefixes where attributes.path.hasPrefix(prefix) { return true }
            return false
        }
    }
}

/// Names, or everything.
struct NameSet: Sendable, Hashable {
    let isEverything: Bool
    /// Few names are compared one by one, which is faster than hashing.
    private let names: [String]

    init(_ names: [String]) {
        isEverything = names.contains("*")
        self.names = isEverything ? [] : names
    }

    init(_ list: JSONValue?) {
        self.init((list?.array ?? []).compactMap(\.string))
    }

    var isEmpty: Bool { !isEverything && names.isEmpty }

    func has(_ name: String) -> Bool {
        if isEverything { return true }
        for known in names where known == name { return true }
        return false
    }
}
