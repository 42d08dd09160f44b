import APIModel
import BuiltinKinds
import Channels
import LegacyKinds
import Schema
import Testing
import Units
import Values

/// An old version of a kind, on the way that the API server takes with it.
struct OldForm {
    let kind: KindDescriptor
    let version: KindVersion
    let today: KindDescriptor

    static let all: [KindDescriptor] = LegacyKinds.extend(BuiltinKinds.descriptors())

    init(_ apiVersion: String, _ plural: String) throws {
        let parsed = try #require(GroupVersion(apiVersion: apiVersion))
        kind = try #require(
            Self.all.last { $0.group == parsed.group && $0.plural == plural && $0.version(parsed.version) != nil && $0.storedAs != nil }
        )
        version = try #require(kind.version(parsed.version))
        let stored = try #require(kind.storedAs)
        today = try #require(Self.all.first { $0.groupResource == stored })
    }

    /// The object as decoding leaves it: in the old form, with all defaults.
    func decoded(_ yaml: String) throws -> (object: JSONValue, unknown: [String]) {
        var object = try YAML.parse(Array(yaml.utf8))
        let unknown = try version.schema.decode(&object)
        version.schema.applyDefaults(&object)
        kind.hooks.defaults(&object)
        return (object, unknown)
    }

    /// What is stored for a manifest.
    func stored(_ yaml: String) throws -> JSONValue {
        let (object, unknown) = try decoded(yaml)
        #expect(unknown.isEmpty)
        return try #require(version.conversion).toStorage(object)
    }

    /// What is wrong with the stored form.
    func issues(_ stored: JSONValue) -> [String] {
        var context = HookContext(now: Timestamp(unixSeconds: 1_700_000_000), random: SeededRandom(seed: 7))
        context.version = version.name
        return today.hooks.validate(stored, context).map { "\($0)" } + (today.storageSchema?.prunes(stored) ?? [])
    }
}

extension SchemaNode {
    /// The fields of `value` that the type does not have.
    func prunes(_ value: JSONValue) -> [String] {
        var value = value
        return prune(&value)
    }
}
