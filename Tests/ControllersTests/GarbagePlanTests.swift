import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct OwnerGraphTests {
    func facts(
        _ uid: String,
        owners: [(String, Bool)] = [],
        namespace: String = "default",
        finalizers: [String] = [],
        deleting: Bool = false
    ) -> ObjectFacts {
        var metadata: JSONValue = ["name": .string("n-\(uid)"), "uid": .string(uid), "namespace": .string(namespace)]
        metadata.set(.array(finalizers.map { .string($0) }), at: ["finalizers"])
        if deleting { metadata.set("2026-01-01T00:00:00Z", at: ["deletionTimestamp"]) }
        let references = owners.map { uid, blocking -> JSONValue in
            [
                "apiVersion": "v1", "kind": "ConfigMap", "name": .string("n-\(uid)"), "uid": .string(uid),
                "blockOwnerDeletion": .bool(blocking),
            ]
        }
        metadata.set(.array(references), at: ["ownerReferences"])
        guard let facts = ObjectFacts(metadata: metadata) else { fatalError("test metadata is complete") }
        return facts
    }

    func see(_ graph: inout OwnerGraph, _ facts: ObjectFacts) -> [OwnerGraph.Action] {
        graph.observed(facts, resource: 0, apiVersion: "v1", kind: "ConfigMap")
    }

    @Test func `objects without relations are not held`() {
        var graph = OwnerGraph()
        #expect(see(&graph, facts("a")).isEmpty)
        #expect(graph.count == 0)
    }

    @Test func `an unknown owner is looked up, and its loss reaches the dependents`() {
        var graph = OwnerGraph()
        #expect(see(&graph, facts("child", owners: [("parent", true)])) == [.attemptDelete(ObjectUID("parent"))])
        #expect(graph.verified(ObjectUID("parent"), facts("parent"), resource: 0, apiVersion: "v1", kind: "ConfigMap").isEmpty)
        #expect(graph[ObjectUID("parent")]?.isObserved == true)
        #expect(graph.deleted(ObjectUID("parent")) == [.attemptDelete(ObjectUID("child"))])
        #expect(graph.deleted(ObjectUID("child")).isEmpty)
        #expect(graph.count == 0)
    }

    @Test func `foreground deletion waits for blocking dependents only`() {
        var graph = OwnerGraph()
        _ = see(&graph, facts("child", owners: [("parent", true)]))
        _ = see(&graph, facts("loose", owners: [("parent", false)]))
        let actions = see(&graph, facts("parent", finalizers: ["foregroundDeletion"], deleting: true))
        #expect(
            Set(actions) == [.attemptDelete(ObjectUID("child")), .attemptDelete(ObjectUID("loose")), .attemptDelete(ObjectUID("parent"))]
        )
        #expect(graph.blockingDependents(of: ObjectUID("parent")) == [ObjectUID("child")])
        #expect(graph.deleted(ObjectUID("child")) == [.attemptDelete(ObjectUID("parent"))])
        #expect(graph.blockingDependents(of: ObjectUID("parent")).isEmpty)
    }

    @Test func `orphaning is asked for once`() {
        var graph = OwnerGraph()
        _ = see(&graph, facts("child", owners: [("parent", true)]))
        #expect(see(&graph, facts("parent", finalizers: ["orphan"], deleting: true)) == [.attemptOrphan(ObjectUID("parent"))])
        #expect(see(&graph, facts("parent", finalizers: ["orphan"], deleting: true)).isEmpty)
        _ = see(&graph, facts("child"))
        #expect(graph[ObjectUID("child")] == nil)
    }

    @Test func `an owner in another namespace is reported and verified`() {
        var graph = OwnerGraph()
        _ = see(&graph, facts("grand", owners: [("x", false)], namespace: "other"))
        let actions = see(&graph, facts("child", owners: [("grand", true)]))
        #expect(
            actions == [.invalidNamespace(dependent: ObjectUID("child"), owner: ObjectUID("grand")), .attemptDelete(ObjectUID("child"))]
        )
    }

    @Test func `unblocking a reference lets the owner finish`() {
        var graph = OwnerGraph()
        _ = see(&graph, facts("child", owners: [("parent", true)]))
        _ = see(&graph, facts("parent", finalizers: ["foregroundDeletion"], deleting: true))
        #expect(see(&graph, facts("child", owners: [("parent", false)])).contains(.attemptDelete(ObjectUID("parent"))))
    }

    @Test func `the decision follows what is left of the owners`() {
        let child = facts("c", owners: [("a", true), ("b", true)])
        func decide(_ states: [GarbageDecision.OwnerState], dependents: Bool = false, cycle: Bool = false) -> GarbageDecision {
            GarbageDecision.decide(child, owners: states, hasDependents: dependents, dependentIsDeletingDependents: cycle)
        }
        #expect(decide([.solid, .solid]) == .keep)
        #expect(decide([.solid, .dangling]) == .dropReferences(["b"]))
        #expect(decide([.dangling, .dangling]) == .delete(policy: "Background", unblock: false))
        #expect(decide([.waiting, .dangling]) == .delete(policy: "Background", unblock: false))
        #expect(decide([.waiting, .dangling], dependents: true) == .delete(policy: "Foreground", unblock: false))
        #expect(decide([.waiting, .dangling], dependents: true, cycle: true) == .delete(policy: "Foreground", unblock: true))
        let orphaning = facts("o", owners: [("a", true)], finalizers: ["orphan"])
        #expect(
            GarbageDecision.decide(orphaning, owners: [.dangling], hasDependents: false, dependentIsDeletingDependents: false)
                == .delete(policy: "Orphan", unblock: false)
        )
    }

    @Test(
        arguments: [
            (#"{"kind":"Pod","metadata":{"name":"a","x":"}\"{"},"spec":{}}"#, #"{"name":"a","x":"}\"{"}"#),
            (#" { "apiVersion" : "v1" , "metadata" : { "name" : [1, {"metadata": 2}] } }"#, #"{ "name" : [1, {"metadata": 2}] }"#),
            (#"{"spec":{"metadata":{}}}"#, nil),
            (#"{"metadata":{"#, nil),
            ("", nil), ("[]", nil),
        ] as [(String, String?)]
    )
    func `metadata is found without decoding the rest`(_ row: (String, String?)) {
        let found = TopLevelField.find("metadata", in: Array(row.0.utf8)).map { String(decoding: $0, as: UTF8.self) }
        #expect(found?.trimmingSuffix(" ") == row.1)
    }

    @Test func `uids pack without loss`() {
        #expect(ObjectUID("00000000-0000-0000-0000-000000000001") != ObjectUID("00000000-0000-0000-0000-000000000010"))
        #expect(ObjectUID("a") != ObjectUID("b"))
        #expect(ObjectUID("a") == ObjectUID("a"))
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        var copy = self
        while copy.last == suffix { copy.removeLast() }
        return copy
    }
}

@Suite struct NamespaceProgressTests {
    @Test func `conditions tell what remains`() {
        var namespace = Namespace(name: "n")
        var progress = NamespaceProgress()
        let pods = GroupVersionResource(group: "", version: "v1", resource: "pods")
        progress.add(pods, namespace: "n", items: [["x/y"], []], grace: 30)
        #expect(progress.estimate == 30)
        #expect(progress.apply(to: &namespace, now: epoch))
        let messages = Dictionary(uniqueKeysWithValues: namespace.status.conditions.map { ($0.type, $0.message) })
        #expect(messages["NamespaceContentRemaining"] == "Some resources are remaining: pods. has 2 resource instances")
        #expect(
            messages["NamespaceFinalizersRemaining"]
                == "Some content in the namespace has finalizers remaining: x/y in 1 resource instances"
        )
        #expect(messages["NamespaceDeletionDiscoveryFailure"] == "All resources successfully discovered")
        #expect(!progress.apply(to: &namespace, now: epoch + .seconds(9)))
        #expect(NamespaceProgress().apply(to: &namespace, now: epoch))
        #expect(namespace.status.conditions.allSatisfy { $0.status == "False" })
    }
}
