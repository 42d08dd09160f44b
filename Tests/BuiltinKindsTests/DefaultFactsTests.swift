import APIModel
import Foundation
import Schema
import Testing
import Values

@testable import BuiltinKinds

/// Defaulting of every kind against what upstream's does: to a bare object, and to one that has one of everything.
@Suite struct DefaultFactsTests {
    /// What is to be added, by path.
    struct Facts {
        var kind = ""
        var isFilled = false
        var values: [String: JSONValue] = [:]
    }

    static func read() throws -> [Facts] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden/BuiltinKinds/defaults.txt")
        var all: [Facts] = []
        var templates: [Bool: [String: JSONValue]] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("= ") {
                let words = line.dropFirst(2).split(separator: " ")
                all.append(Facts(kind: words.dropLast().joined(separator: " "), isFilled: words.last == "filled"))
                continue
            }
            let last = all.count - 1
            if line.hasPrefix("@") {
                for (path, value) in templates[all[last].isFilled] ?? [:] { all[last].values["\(line.dropFirst())\(path)"] = value }
                continue
            }
            let parts = line.split(separator: "\t", maxSplits: 1)
            let value = try JSONParser.parse(String(parts[1]))
            if all[last].kind == "template" { templates[all[last].isFilled, default: [:]][String(parts[0])] = value }
            all[last].values[String(parts[0])] = value
        }
        return all.filter { $0.kind != "template" }
    }

    @Test func `every kind gets upstream's defaults`() throws {
        var differences: [String] = []
        for facts in try Self.read() {
            let words = facts.kind.split(separator: " ").map(String.init)
            let apiVersion = words[0].split(separator: "/").map(String.init)
            let (group, version) = (apiVersion.count == 2 ? apiVersion[0] : "", apiVersion.last ?? "")
            guard
                let kind = BuiltinKinds.descriptors().first(where: { $0.group == group && $0.kind == words[1] }),
                let schema = kind.versions.first(where: { $0.name == version })?.schema, kind.storageVersion == version
            else { continue }
            let given: JSONValue = facts.isFilled ? Self.filled(schema, depth: 0) : Self.bare(facts.values.keys)
            var object = given
            object["kind"] = .string(words[1])
            object["apiVersion"] = .string(words[0])
            object["metadata"] = [:]
            let known = object
            schema.applyDefaults(&object)
            kind.hooks.defaults(&object)
            var added: [String: JSONValue] = [:]
            Self.collect(object, known, "", &added)
            for (path, value) in facts.values where !path.hasPrefix("metadata") {
                guard let own = added.removeValue(forKey: path) else {
                    if !Self.isEmpty(value) { differences.append("\(facts.kind) \(facts.isFilled): lacks \(path) = \(value)") }
                    continue
                }
                if own != value { differences.append("\(facts.kind) \(facts.isFilled): \(path) is \(own), not \(value)") }
            }
            for (path, value) in added where !Self.isEmpty(value) && !Self.isLeftOut(path) {
                differences.append("\(facts.kind) \(facts.isFilled): adds \(path) = \(value)")
            }
        }
        #expect(differences.isEmpty, "\(differences.sorted().joined(separator: "\n"))")
    }

    private static let deepest = 20

    /// What upstream's table leaves out: the types of embedded objects, and what its conversion of daemon sets adds.
    private static func isLeftOut(_ path: String) -> Bool {
        [
            "spec.volumeClaimTemplates[].apiVersion", "spec.volumeClaimTemplates[].kind",
            "metadata.annotations.deprecated.daemonset.template.generation",
        ].contains(path)
    }

    private static func isEmpty(_ value: JSONValue) -> Bool { [.null, [:], [], "", 0, false].contains(value) }

    /// The parents of what is added, which are structs in upstream's types.
    private static func bare(_ paths: some Sequence<String>) -> JSONValue {
        var object: JSONValue = [:]
        for path in paths {
            let keys = path.split(separator: ".").map(String.init).dropLast().prefix { !$0.hasSuffix("[]") }
            if !keys.isEmpty, object.value(at: Array(keys)) == nil { object.set([:], at: Array(keys)) }
        }
        return object
    }

    /// One of every list and struct, all the way down.
    private static func filled(_ node: SchemaNode, depth: Int) -> JSONValue {
        if depth > deepest { return [:] }
        switch node.shape {
        case .object:
            var object: JSONValue = [:]
            for field in node.fields where field.name != "metadata" || depth > 2 {
                let value = filled(field.node, depth: depth + 1)
                if !value.isNull { object[field.name] = value }
            }
            return object
        case .list:
            guard let element = node.element else { return [] }
            let value = filled(element, depth: depth + 1)
            return value.isNull ? .null : [value]
        default: return .null
        }
    }

    private static func collect(_ new: JSONValue, _ old: JSONValue?, _ path: String, _ added: inout [String: JSONValue]) {
        switch new {
        case .object(let object):
            if object.isEmpty, old == nil { added[path] = new }
            for (key, value) in object { collect(value, old?[key], path.isEmpty ? key : "\(path).\(key)", &added) }
        case .array(let list):
            if let first = list.first, first.object == nil, old == nil {
                for (index, item) in list.enumerated() { added[index == 0 ? "\(path)[]" : "\(path)[\(index)]"] = item }
            } else {
                for (index, item) in list.enumerated() { collect(item, old?.array?.dropFirst(index).first, "\(path)[]", &added) }
            }
        default: if old == nil { added[path] = new }
        }
    }
}
