import APIModel
import FoundationEssentials
import Testing
import Values

@testable import APIServer

/// A table for each kind: each rule with the change of a sound object that breaks it, and what upstream's server said to it.
///
/// `Tools/compare-kinds --rules` writes the table from the answers of a real server; the sound objects are its bases.
@Suite struct KindRuleTests {
    private struct Rule {
        let resource: String
        let base: Int
        let verb: String
        let path: [JSONValue]
        /// Nil takes the field away.
        let value: JSONValue?
        let causes: [JSONValue]

        init?(_ line: JSONValue) {
            guard let resource = line["kind"]?.string, let base = line["base"]?.int, let verb = line["verb"]?.string,
                let path = line["path"]?.array, let causes = line["causes"]?.array
            else { return nil }
            (self.resource, self.base, self.verb, self.path, self.causes) = (resource, Int(base), verb, path, causes)
            value = line["value"]
        }

        var words: String {
            let place = path.map { $0.string ?? $0.int.map(String.init) ?? "" }.joined(separator: ".")
            return "\(resource) \(verb) \(place) = \(value.map { String(decoding: $0.encoded(), as: UTF8.self) } ?? "<removed>")"
        }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func rules() throws -> [Rule] {
        let text = try String(contentsOf: root.appending(path: "Tests/kinds/rules.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").compactMap { Rule(try JSONParser.parse(Array($0.utf8))) }
    }

    /// The sound objects by resource and number in their file.
    private static func bases() throws -> [String: [Int: JSONValue]] {
        let folder = root.appending(path: "Tools/compare-kinds/bases")
        var bases: [String: [Int: JSONValue]] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() where file.hasSuffix(".yaml") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for (number, document) in try YAML.parseAll(Array(text.utf8)).filter({ $0 != .null }).enumerated() {
                guard let kind = kind(of: document) else { continue }
                bases[kind.groupResource.description, default: [:]][number] = document
            }
        }
        return bases
    }

    private static func kind(of object: JSONValue) -> KindDescriptor? {
        let parts = (object["apiVersion"]?.string ?? "").split(separator: "/").map(String.init)
        return TestKinds.all.first { $0.kind == object["kind"]?.string && $0.group == (parts.count == 2 ? parts[0] : "") }
    }

    private static func collection(_ kind: KindDescriptor, _ object: JSONValue) -> String {
        let version = object["apiVersion"]?.string ?? ""
        let prefix = version.contains("/") ? "/apis/\(version)" : "/api/\(version)"
        return prefix + (kind.namespaced ? "/namespaces/kinds" : "") + "/\(kind.plural)"
    }

    private static func prepare(_ cluster: TestCluster) async throws {
        _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "kinds"]])
        for name in ["default", "robot"] {
            _ = try await cluster.post("/api/v1/namespaces/kinds/serviceaccounts", ["metadata": ["name": .string(name)]])
        }
        _ = try await cluster.post("/apis/scheduling.k8s.io/v1/priorityclasses", ["metadata": ["name": "weighty"], "value": 1000])
        _ = try await cluster.post("/apis/node.k8s.io/v1/runtimeclasses", ["metadata": ["name": "sandboxed"], "handler": "runsc"])
    }

    /// What the server says to the broken object, a list of field, reason and message.
    private static func answer(_ rule: Rule, _ base: JSONValue, _ stored: JSONValue?, _ cluster: TestCluster) async throws -> [JSONValue] {
        guard let kind = kind(of: base) else { return ["no such kind"] }
        var object = stored ?? base
        if rule.verb == "status" { object["status"] = base["status"] }
        object.change(rule.path[...], to: rule.value)
        let place = collection(kind, base)
        let name = base.value(at: ["metadata", "name"])?.string ?? ""
        func send() async throws -> TestCluster.Answer {
            switch rule.verb {
            case "create": try await cluster.post("\(place)?dryRun=All", object)
            case "status": try await cluster.put("\(place)/\(name)/status?dryRun=All", object)
            default: try await cluster.put("\(place)/\(name)?dryRun=All", object)
            }
        }
        var reply = try await send()
        // The server itself writes the status of some kinds (flow schemas, CRDs) at any time.
        for _ in 0..<5 where reply.status == 409 && rule.verb != "create" {
            let now = try await cluster.get("\(place)/\(name)").json
            object.set(now.value(at: ["metadata", "resourceVersion"]) ?? .null, at: ["metadata", "resourceVersion"])
            reply = try await send()
        }
        guard reply.status == 422 else { return [.string("\(reply.status) \(reply.message)")] }
        return (reply["details", "causes"]?.array ?? []).map { [$0["field"] ?? "", $0["reason"] ?? "", $0["message"] ?? ""] }
    }

    @Test func `each rule of each kind is broken in upstream's words`() async throws {
        let (rules, bases) = (try Self.rules(), try Self.bases())
        #expect(rules.count > 2000)
        try await withCluster { cluster in
            try await Self.prepare(cluster)
            var failures: [String] = []
            for (resource, all) in Dictionary(grouping: rules, by: \.resource).sorted(by: { $0.key < $1.key }) {
                for (number, some) in Dictionary(grouping: all, by: \.base).sorted(by: { $0.key < $1.key }) {
                    let base = try #require(bases[resource]?[number], "\(resource) \(number)")
                    failures += try await Self.failures(some, base, cluster)
                }
            }
            #expect(failures.isEmpty, "\(failures.count) of \(rules.count):\n\(failures.prefix(20).joined(separator: "\n"))")
        }
    }

    /// New objects first: what is stored must not stand in their way.
    private static func failures(_ rules: [Rule], _ base: JSONValue, _ cluster: TestCluster) async throws -> [String] {
        guard let kind = kind(of: base) else { return ["no such kind: \(base)"] }
        var failures: [String] = []
        func check(_ rule: Rule, _ stored: JSONValue?) async throws {
            let found = try await answer(rule, base, stored, cluster)
            if found != rule.causes { failures.append("\(rule.words)\n    expected \(rule.causes)\n    found \(found)") }
        }
        for rule in rules where rule.verb == "create" { try await check(rule, nil) }
        let others = rules.filter { $0.verb != "create" }
        guard !others.isEmpty else { return failures }
        let place = "\(collection(kind, base))/\(base.value(at: ["metadata", "name"])?.string ?? "")"
        _ = try await cluster.post(collection(kind, base), base)
        var stored = try await cluster.get(place).json
        for field in ["uid", "managedFields"] { stored.remove(at: ["metadata", field]) }
        for rule in others { try await check(rule, stored) }
        if stored.value(at: ["metadata", "finalizers"]) != nil {
            _ = try await cluster.patch(place, ["metadata": ["finalizers": .null]])
        }
        _ = try await cluster.delete(place, ["gracePeriodSeconds": 0, "propagationPolicy": "Background"])
        return failures
    }
}

extension JSONValue {
    /// Sets or takes away what stands at a path of keys and places in lists.
    fileprivate mutating func change(_ path: ArraySlice<JSONValue>, to value: JSONValue?) {
        guard let key = path.first else { return }
        let rest = path.dropFirst()
        if let index = key.int, case .array(var elements) = self, elements.indices.contains(Int(index)) {
            if !rest.isEmpty {
                elements[Int(index)].change(rest, to: value)
            } else if let value {
                elements[Int(index)] = value
            } else {
                elements.remove(at: Int(index))
            }
            self = .array(elements)
        } else if let name = key.string {
            if rest.isEmpty {
                self[name] = value
            } else if var inner = self[name] {
                inner.change(rest, to: value)
                self[name] = inner
            }
        }
    }
}
