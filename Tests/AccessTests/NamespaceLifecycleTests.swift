import APIModel
import Synchronization
import Testing
import Values

@testable import Access

/// A cache that is a moment behind its store.
private final class LaggingLookup: ClusterLookup {
    struct State: Sendable {
        var cached: JSONValue?
        var stored: JSONValue?
        var looks = 0
    }

    let state = Mutex(State())

    func set(cached: JSONValue?, stored: JSONValue?) {
        state.withLock { $0 = State(cached: cached, stored: stored) }
    }

    var looks: Int { state.withLock { $0.looks } }

    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue? { state.withLock { $0.cached } }

    func currentObject(_ resource: GroupResource, namespace: String, name: String) async -> JSONValue? {
        state.withLock { state in
            state.looks += 1
            return state.stored
        }
    }

    func objects(_ resource: GroupResource, namespace: String?, field: String, equals value: String) -> [JSONValue] { [] }
    func objects(_ resource: GroupResource, namespace: String?) -> [JSONValue] { [] }
}

@Suite struct NamespaceLifecycleTests {
    private let lookup = LaggingLookup()

    private static func namespace(_ uid: String, isGoing: Bool = false) -> JSONValue {
        ["metadata": ["name": "n", "uid": .string(uid)], "status": ["phase": isGoing ? "Terminating" : "Active"]]
    }

    /// What the plugin says to an object that is created in the namespace; empty when nothing.
    private func creation(_ plugin: NamespaceLifecycle) async -> String {
        var request = AdmissionRequest(
            operation: .create,
            kind: GroupVersionKind(group: "", version: "v1", kind: "ConfigMap"),
            resource: GroupVersionResource(group: "", version: "v1", resource: "configmaps"),
            namespace: "n",
            name: "a",
            user: UserIdentity(name: "u"),
            object: ["metadata": ["name": "a"]],
            oldObject: nil
        )
        do {
            try await plugin.mutate(&request)
            return ""
        } catch {
            return error.message
        }
    }

    private func delete(_ plugin: NamespaceLifecycle, _ namespace: JSONValue, isDryRun: Bool = false) async throws {
        var request = AdmissionRequest(
            operation: .delete,
            kind: GroupVersionKind(group: "", version: "v1", kind: "Namespace"),
            resource: GroupVersionResource(group: "", version: "v1", resource: "namespaces"),
            namespace: "n",
            name: "n",
            user: UserIdentity(name: "u"),
            isDryRun: isDryRun,
            object: nil,
            oldObject: namespace
        )
        try await plugin.mutate(&request)
    }

    @Test func `nothing is created after a namespace was deleted, though the cache does not know of it yet`() async throws {
        let plugin = NamespaceLifecycle(lookup: lookup)
        lookup.set(cached: Self.namespace("1"), stored: Self.namespace("1", isGoing: true))
        try await delete(plugin, Self.namespace("1"))
        #expect(await creation(plugin).hasSuffix("because it is being terminated"))
        lookup.set(cached: Self.namespace("1"), stored: nil)
        #expect(await creation(plugin) == "namespaces \"n\" not found")
    }

    @Test func `a namespace that was made anew takes objects, though the cache has the one before`() async throws {
        let plugin = NamespaceLifecycle(lookup: lookup)
        lookup.set(cached: Self.namespace("1", isGoing: true), stored: Self.namespace("2"))
        #expect(await creation(plugin) == "")
    }

    @Test func `the cache is believed of a namespace that nobody has asked to go`() async throws {
        let plugin = NamespaceLifecycle(lookup: lookup)
        lookup.set(cached: Self.namespace("1"), stored: nil)
        #expect(await creation(plugin) == "")
        try await delete(plugin, Self.namespace("1"), isDryRun: true)
        #expect(await creation(plugin) == "" && lookup.looks == 0)
        // The one that was asked to go is gone, and the cache knows the new one.
        try await delete(plugin, Self.namespace("0"))
        #expect(await creation(plugin) == "" && lookup.looks == 0)
    }
}
