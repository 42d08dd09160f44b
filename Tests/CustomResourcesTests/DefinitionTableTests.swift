import APIModel
import Channels
import FoundationEssentials
import Schema
import Testing
import Units
import Values

@testable import CustomResources

/// Definitions beside what Kubernetes 1.36's own server said of them: keywords, structure, defaults, paths, names, and rules
/// near the cost limits. The definitions are ours, the answers were asked of upstream.
@Suite struct DefinitionTableTests {
    @Test func `definitions are refused for upstream's reasons`() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden/CustomResources/definitions.jsonl")
        let lines = [UInt8](try Data(contentsOf: url)).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count > 300)
        var differences: [String] = []
        for line in lines {
            let row = try JSONParser.parse(Array(line))
            let definition = try #require(row["definition"])
            let expected = row["causes"]?.array?.compactMap(\.string) ?? []
            let actual = Self.issues(of: definition)
            guard actual != expected else { continue }
            let (extra, missing) = (actual.filter { !expected.contains($0) }, expected.filter { !actual.contains($0) })
            let versions = definition.value(at: ["spec", "versions"]) ?? .null
            differences.append("\(versions)\n  ours alone: \(extra)\n  upstream's alone: \(missing)")
        }
        #expect(differences.isEmpty, "\(differences.count) differences\n\(differences.joined(separator: "\n"))")
    }

    /// The issues of a new definition, after the defaults.
    private static func issues(of definition: JSONValue) -> [String] {
        var object = definition
        object["apiVersion"] = "apiextensions.k8s.io/v1"
        object["kind"] = "CustomResourceDefinition"
        object.set("u", at: ["metadata", "uid"])
        let hooks = DefinitionHooks()
        let context = HookContext(now: Timestamp(unixSeconds: 0), random: SeededRandom(seed: 1))
        hooks.defaults(&object)
        hooks.prepareForCreate(&object, context)
        return hooks.validate(object, context).map(\.message)
    }
}
