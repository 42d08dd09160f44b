import Channels
import Testing
import Values

@testable import APIServer

@Suite("Definitions that go, come back and change")
struct CustomResourceRenewalTests {
    private static let widgets = "/apis/apus.test/v1/namespaces/default/widgets"
    private static let path = "\(Samples.definitions)/widgets.apus.test"

    private static var definition: JSONValue { Samples.definition(schema: Samples.schema(["a": ["type": "string"]])) }

    /// What people do to a definition that does not go: on 2026-11-21 the forgotten cleanup then deleted the objects of the
    /// definition that was made in its place.
    @Test func `a definition made anew loses nothing to the deletion of the one before`() async throws {
        let clock = ManualClock()
        try await withCluster(clock: clock) { cluster in
            try await cluster.install(Self.definition)
            var held = Samples.object("held", [:])
            held.set(["apus.test/held"], at: ["metadata", "finalizers"])
            #expect(try await cluster.post(Self.widgets, held).status == 201)
            #expect(try await cluster.delete(Self.path).status == 200)
            try await cluster.waitFor("the object to be asked to go") {
                try await cluster.get("\(Self.widgets)/held")["metadata", "deletionTimestamp"] != nil
            }
            #expect(try await cluster.patch(Self.path, ["metadata": ["finalizers": .null]]).status == 200)
            try await cluster.waitFor("the definition to go") { try await cluster.get(Self.path).status == 404 }

            try await cluster.install(Self.definition)
            #expect(try await cluster.post(Self.widgets, Samples.object("new", [:])).status == 201)
            // As long as the former deletion had patience, and then some.
            for _ in 0..<80 {
                clock.advance(by: .seconds(1))
                try await ContinuousClock().sleep(for: .milliseconds(5))
            }
            #expect(try await cluster.condition("widgets.apus.test", "Terminating") == nil)
            #expect(try await cluster.get("\(Self.widgets)/new")["metadata", "deletionTimestamp"] == nil)
            #expect(try await cluster.get(Self.path)["metadata", "deletionTimestamp"] == nil)

            // And it can be deleted itself.
            #expect(try await cluster.patch("\(Self.widgets)/held", ["metadata": ["finalizers": .null]]).status == 200)
            #expect(try await cluster.delete(Self.path).status == 200)
            try await cluster.waitFor("the second definition to go") {
                clock.advance(by: .seconds(1))
                return try await cluster.get(Self.path).status == 404
            }
        }
    }

    @Test func `objects made while a definition goes do not hold it up`() async throws {
        let clock = ManualClock()
        try await withCluster(clock: clock) { cluster in
            for round in 0..<10 {
                try await cluster.install(Self.definition)
                let kept = try await cluster.get(Self.widgets)
                #expect(kept["items"]?.array?.isEmpty == true, "round \(round): \(kept.text)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            for number in 0..<200 {
                                let answer = try await cluster.post(Self.widgets, Samples.object("w\(writer)-\(number)", [:]))
                                if answer.status != 201 { return }
                            }
                        }
                    }
                    #expect(try await cluster.delete(Self.path).status == 200)
                    try await group.waitForAll()
                }
                try await cluster.waitFor("the definition to go") {
                    clock.advance(by: .milliseconds(20))
                    let found = try await cluster.get(Self.path)
                    // Then it has waited a minute for objects that nobody had asked to go.
                    #expect(!found.text.contains("InstanceDeletionCheck"))
                    return found.status == 404
                }
            }
        }
    }

    @Test func `a name that an update gives up goes to the definition that waits for it`() async throws {
        try await withCluster { cluster in
            var first = Self.definition
            first.set(["fo"], at: ["spec", "names", "shortNames"])
            var second = Samples.definition(kind: "Gadget", schema: Samples.schema([:]))
            second.set(["fo"], at: ["spec", "names", "shortNames"])
            try await cluster.install(first)
            #expect(try await cluster.post(Samples.definitions, second).status == 201)
            try await cluster.waitFor("the name to be refused") {
                try await cluster.condition("gadgets.apus.test", "NamesAccepted") == "False"
            }
            #expect(try await cluster.patch(Self.path, ["spec": ["names": ["shortNames": ["wi"]]]]).status == 200)
            try await cluster.waitFor("the name to be granted") {
                try await cluster.condition("gadgets.apus.test", "Established") == "True"
            }
            #expect(try await cluster.get("/apis/apus.test/v1/namespaces/default/gadgets").status == 200)
        }
    }

    @Test func `the answer to a change of a definition comes when the change is in force`() async throws {
        // Stands still while an answer is waited for, so that a busy machine has all the time it takes.
        let clock = ManualClock()
        try await withCluster(clock: clock) { cluster in
            for round in 0..<30 {
                #expect(try await cluster.post(Samples.definitions, Self.definition).status == 201)
                let first = try await cluster.post(Self.widgets, Samples.object("a", ["a": "1", "b": "2"]))
                #expect(first.status == 201 && first["spec"] == ["a": "1"], "round \(round): \(first.text)")
                #expect(try await cluster.condition("widgets.apus.test", "Established") == "True")
                let other = Samples.definition(schema: Samples.schema(["b": ["type": "string"]]))
                #expect(try await cluster.patch(Self.path, other).status == 200)
                let second = try await cluster.post(Self.widgets, Samples.object("b", ["a": "1", "b": "2"]))
                #expect(second.status == 201 && second["spec"] == ["b": "2"], "round \(round): \(second.text)")
                #expect(try await cluster.delete(Self.path).status == 200)
                let late = try await cluster.post(Self.widgets, Samples.object("c", [:]))
                #expect(late.status == 403 || late.status == 404 || late.status == 405, "round \(round): \(late.text)")
                try await cluster.waitFor("the definition to go") {
                    clock.advance(by: .milliseconds(20))
                    return try await cluster.get(Self.path).status == 404
                }
                #expect(try await cluster.get(Self.widgets).status == 404, "round \(round)")
            }
        }
    }

    @Test func `a document rendered while its definition went is not that of the next one like it`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Self.definition)
            let former = cluster.server.resources
            #expect(try await cluster.delete(Self.path).status == 200)
            try await cluster.waitFor("the definition to go") { try await cluster.get("/apis/apus.test/v1").status == 404 }
            // A request that began before the deletion was noticed.
            let document = "/openapi/v3/apis/apus.test/v1"
            #expect(cluster.server.openAPI.v3("apis/apus.test/v1", cluster.request("GET", document), former) == nil)
            #expect(cluster.server.openAPI.v2(cluster.request("GET", "/openapi/v2"), former) == nil)
            try await cluster.install(Self.definition)
            let shown = try await cluster.get(document)["components", "schemas", "test.apus.v1.Widget"]
            #expect(shown?.value(at: ["properties", "spec", "properties", "a", "type"]) == "string", "\(String(describing: shown))")
        }
    }

    @Test func `the document of a kind that goes is as before, and so is the next one like it`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Self.definition)
            var held = Samples.object("held", [:])
            held.set(["apus.test/held"], at: ["metadata", "finalizers"])
            #expect(try await cluster.post(Self.widgets, held).status == 201)
            #expect(try await cluster.delete(Self.path).status == 200)
            try await cluster.waitFor("the kind to be going") {
                try await cluster.get("/apis/apus.test/v1")["resources"]?.array?.first?["verbs"]?.array?.contains("create") == false
            }
            for form in ["application/json", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"] {
                #expect(try await cluster.get("/openapi/v3/apis/apus.test/v1", accept: form).status == 200)
            }
            let paths = try await cluster.get("/openapi/v3/apis/apus.test/v1")["paths"]
            #expect(paths?.value(at: ["/apis/apus.test/v1/namespaces/{namespace}/widgets", "post"]) != nil)
        }
    }
}
