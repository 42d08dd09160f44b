import APIModel
import APITypes
import BuiltinKinds
import Channels
import Schema
import Testing
import Units
import Values

/// One built-in kind under test, treated as the server treats it: the schema's defaults, then the hooks.
struct Subject {
    let descriptor: KindDescriptor

    init(_ resource: String) throws {
        let known = BuiltinKinds.descriptors().first { $0.groupResource.description == resource }
        descriptor = known ?? Self.unserved(resource)
    }

    /// A kind of a version that is not served by default: it has hooks, and no schema.
    private static func unserved(_ resource: String) -> KindDescriptor {
        let parts = resource.split(separator: ".", maxSplits: 1).map(String.init)
        let (plural, group) = (parts[0], parts.count == 2 ? parts[1] : "")
        let name = GroupResource(group: group, resource: plural)
        return KindDescriptor(
            group: group,
            kind: plural,
            plural: plural,
            namespaced: false,
            verbs: [],
            versions: [],
            storageVersion: "",
            hooks: BuiltinKinds.hooks(for: name)
        )
    }

    static let now = Timestamp(unixSeconds: 1_700_000_000)

    func context(_ subresource: String = "") -> HookContext {
        HookContext(now: Self.now, random: SeededRandom(seed: 7), namespace: "default", subresource: subresource)
    }

    /// The object with its defaults.
    func completed(_ object: JSONValue) -> JSONValue {
        var object = object
        descriptor.storageSchema?.applyDefaults(&object)
        descriptor.hooks.defaults(&object)
        return object
    }

    /// The object as it is about to be stored.
    func created(_ object: JSONValue) -> JSONValue {
        var object = completed(object)
        descriptor.hooks.prepareForCreate(&object, context())
        return object
    }

    /// What is wrong with a new object.
    func problems(_ object: JSONValue) -> [String] {
        descriptor.hooks.validate(created(object), context()).map(\.message)
    }

    /// What is wrong with a change.
    func problems(_ object: JSONValue, from old: JSONValue, _ subresource: String = "") -> [String] {
        descriptor.hooks.validateUpdate(completed(object), old: completed(old), context(subresource)).map(\.message)
    }

    /// What is wrong with a change of the status.
    func statusProblems(_ object: JSONValue, from old: JSONValue) -> [String] {
        descriptor.hooks.validateStatusUpdate(object, old: old, context("status")).map(\.message)
    }

    /// The warnings about a new object.
    func warnings(_ object: JSONValue) -> [String] { descriptor.hooks.warnings(created(object), old: nil) }

    /// The row of a table.
    func row(_ object: JSONValue) -> [JSONValue]? { descriptor.hooks.cells(object, now: Self.now) }
}

/// An object from YAML.
func yaml(_ text: String) throws -> JSONValue { try YAML.parse(Array(text.utf8)) }

/// An object with one value changed; nil removes it.
func with(_ object: JSONValue, _ path: String, _ value: JSONValue?) -> JSONValue {
    var object = object
    // A dot inside a key is written as `~`.
    let keys: [String] = path.split(separator: ".").map { key in String(key.map { $0 == "~" ? "." : $0 }) }
    if let value { object.set(value, at: keys) } else { object.remove(at: keys) }
    return object
}

/// One thing that breaks a rule, and what is said about it.
struct Broken: CustomTestStringConvertible, Sendable {
    let path: String
    let value: JSONValue?
    let message: String

    init(_ path: String, _ value: JSONValue?, _ message: String) {
        self.path = path
        self.value = value
        self.message = message
    }

    var testDescription: String { "\(path): \(message)" }
}
