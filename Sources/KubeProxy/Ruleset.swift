/// The contents of one nftables table as a value. Names are unique within their sort; text is nft's own syntax.
public struct Ruleset: Sendable, Hashable {
    /// A set or map whose elements are all ours.
    public struct Elements: Sendable, Hashable {
        /// `set` or `map`.
        public var kind: String
        /// Its type and flags, such as `type ipv4_addr . inet_proto . inet_service : verdict;`.
        public var declaration: String
        /// Key to value; the value is empty in a set.
        public var members: [String: String] = [:]
    }

    /// A chain: a base chain when it has a header.
    public struct Chain: Sendable, Hashable {
        /// `type nat hook prerouting priority dstnat; policy accept;`, or empty.
        public var header = ""
        /// The rules in order.
        public var rules: [String] = []
    }

    /// `ip` or `ip6`.
    public var family: String
    /// The table's name.
    public var table: String
    /// Sets and maps by name.
    public var elements: [String: Elements] = [:]
    /// Sets that the kernel fills (session affinity), by name: their declaration.
    public var dynamicSets: [String: String] = [:]
    /// Chains by name.
    public var chains: [String: Chain] = [:]

    /// An empty table.
    public init(family: String = "ip", table: String) {
        self.family = family
        self.table = table
    }
}

/// What a table in the kernel holds, by name.
public struct TableNames: Sendable, Hashable {
    /// Chains.
    public var chains: Set<String> = []
    /// Sets.
    public var sets: Set<String> = []
    /// Maps.
    public var maps: Set<String> = []

    /// Reads the output of `nft list table`.
    public init(listing: String) {
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 3, words[2] == "{" else { continue }
            switch words[0] {
            case "chain": chains.insert(String(words[1]))
            case "set": sets.insert(String(words[1]))
            case "map": maps.insert(String(words[1]))
            default: continue
            }
        }
    }
}

extension Ruleset {
    /// The transaction that fills the table, whatever it holds now.
    ///
    /// Hooks that are there stay in place, so that no packet is missed: `existing` names what the table holds, nil
    /// when there is no table.
    public func fullScript(replacing existing: TableNames? = nil) -> String {
        var script = NFTScript(self)
        script.line("add table \(family) \(table) { comment \"service proxy of apus\" ; }")
        var old = Ruleset(family: family, table: table)
        if let existing {
            script.line("flush table \(family) \(table)")
            for name in existing.maps.union(existing.sets).sorted() {
                if let known = elements[name] { script.line("flush \(known.kind) \(family) \(table) \(name)") }
            }
            for name in existing.chains where chains[name] == nil { old.chains[name] = Chain() }
            for name in existing.sets where elements[name] == nil && dynamicSets[name] == nil { old.dynamicSets[name] = "" }
            for name in existing.maps where elements[name] == nil { old.elements[name] = Elements(kind: "map", declaration: "") }
        }
        script.write(from: old, to: self)
        return script.text
    }

    /// The transaction that makes the table anew: for tables that hold something incompatible.
    public func replacementScript() -> String {
        Self.removalScript(family: family, table: table) + fullScript()
    }

    /// The transaction that turns `old`, which the table holds now, into this; empty when nothing differs.
    public func updateScript(from old: Ruleset) -> String {
        var script = NFTScript(self)
        script.write(from: old, to: self)
        return script.text
    }

    /// The transaction that removes the table, there or not.
    public static func removalScript(family: String = "ip", table: String) -> String {
        "add table \(family) \(table)\ndelete table \(family) \(table)\n"
    }
}

/// Writes the steps of one transaction in an order that never refers to what is not there.
private struct NFTScript {
    private(set) var text = ""
    private let place: String

    init(_ ruleset: Ruleset) { place = "\(ruleset.family) \(ruleset.table)" }

    mutating func line(_ line: String) { text += line + "\n" }

    mutating func write(from old: Ruleset, to new: Ruleset) {
        // A set whose declaration changed is made anew; what refers to it is rewritten, so it can be deleted first.
        for (name, declaration) in new.dynamicSets.sorted(by: { $0.key < $1.key }) where old.dynamicSets[name] == nil {
            line("add set \(place) \(name) { \(declaration) }")
        }
        for (name, set) in new.elements.sorted(by: { $0.key < $1.key }) where old.elements[name] == nil {
            line("add \(set.kind) \(place) \(name) { \(set.declaration) }")
        }
        let changed = new.chains.filter { old.chains[$0.key] != $0.value }.sorted { $0.key < $1.key }
        for (name, chain) in changed where old.chains[name] == nil {
            line("add chain \(place) \(name)" + (chain.header.isEmpty ? "" : " { \(chain.header) }"))
        }
        for (name, chain) in changed {
            if old.chains[name] != nil { line("flush chain \(place) \(name)") }
            for rule in chain.rules { line("add rule \(place) \(name) \(rule)") }
        }
        for (name, set) in new.elements.sorted(by: { $0.key < $1.key }) {
            writeElements(name, from: old.elements[name]?.members ?? [:], to: set.members)
        }
        for (name, set) in old.elements.sorted(by: { $0.key < $1.key }) where new.elements[name] == nil {
            line("delete \(set.kind) \(place) \(name)")
        }
        // All are emptied before any is deleted: they may refer to one another.
        let gone = old.chains.keys.filter { new.chains[$0] == nil }.sorted()
        for name in gone { line("flush chain \(place) \(name)") }
        for name in gone { line("delete chain \(place) \(name)") }
        for name in old.dynamicSets.keys.sorted() where new.dynamicSets[name] == nil {
            line("delete set \(place) \(name)")
        }
    }

    private mutating func writeElements(_ name: String, from old: [String: String], to new: [String: String]) {
        let removed = old.filter { new[$0.key] != $0.value }.keys.sorted()
        if !removed.isEmpty { line("delete element \(place) \(name) { \(removed.joined(separator: ", ")) }") }
        let added = new.filter { old[$0.key] != $0.value }.sorted { $0.key < $1.key }
        guard !added.isEmpty else { return }
        let list = added.map { $0.value.isEmpty ? $0.key : "\($0.key) : \($0.value)" }.joined(separator: ", ")
        line("add element \(place) \(name) { \(list) }")
    }
}
