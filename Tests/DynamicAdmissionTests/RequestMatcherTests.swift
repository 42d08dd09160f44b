import APIModel
import Access
import Testing
import Values

@testable import DynamicAdmission

/// Kinds and namespaces for the tests: two versions of one resource, and whatever namespaces a test names.
struct TestWorld: AdmissionKinds, ClusterLookup {
    static let v1 = GroupVersionResource(group: "apus.test", version: "v1", resource: "widgets")
    static let v2 = GroupVersionResource(group: "apus.test", version: "v2", resource: "widgets")

    var namespaces: [String: [String: JSONValue]] = ["default": ["tier": "low"]]

    func equivalents(of resource: GroupVersionResource, subresource: String) -> [GroupVersionResource] {
        resource.groupResource == Self.v1.groupResource ? [Self.v1, Self.v2] : []
    }
    func kind(of resource: GroupVersionResource, subresource: String) -> GroupVersionKind? {
        resource.groupVersion.kind(resource.resource == "widgets" ? "Widget" : "ConfigMap")
    }
    func convert(_ object: JSONValue, to kind: GroupVersionKind, of resource: GroupVersionResource) async throws(APIError) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(kind.apiVersion)
        return object
    }
    func decode(_ object: JSONValue, as kind: GroupVersionKind, of resource: GroupVersionResource) throws(APIError) -> JSONValue { object }

    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue? {
        guard resource == .core("namespaces"), let labels = namespaces[name] else { return nil }
        return ["metadata": ["name": .string(name), "labels": .object(JSONObject(labels.map { ($0.key, $0.value) }))]]
    }
    func currentObject(_ resource: GroupResource, namespace: String, name: String) async -> JSONValue? {
        object(resource, namespace: namespace, name: name)
    }
    func objects(_ resource: GroupResource, namespace: String?, field: String, equals value: String) -> [JSONValue] { [] }
    func objects(_ resource: GroupResource, namespace: String?) -> [JSONValue] { [] }

    var matcher: RequestMatcher { RequestMatcher(kinds: self, lookup: self) }
}

extension AdmissionRequest {
    /// A request for the tests.
    static func test(
        _ operation: Operation = .create,
        _ resource: GroupVersionResource = GroupVersionResource(group: "", version: "v1", resource: "configmaps"),
        kind: String = "ConfigMap",
        subresource: String = "",
        namespace: String = "default",
        name: String = "a",
        object: JSONValue? = ["metadata": ["name": "a"]],
        oldObject: JSONValue? = nil
    ) -> AdmissionRequest {
        AdmissionRequest(
            operation: operation,
            kind: resource.groupVersion.kind(kind),
            resource: resource,
            subresource: subresource,
            namespace: namespace,
            name: name,
            user: UserIdentity(name: "jane", uid: "7", groups: ["dev"], extra: ["scope": ["a", "b"]]),
            options: ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"],
            object: object,
            oldObject: oldObject
        )
    }
}

@Suite struct RequestMatcherTests {
    private func criteria(_ rule: JSONValue, _ members: JSONValue = [:]) -> MatchCriteria {
        var webhook = members
        webhook["rules"] = [rule]
        return MatchCriteria(webhook: webhook)
    }

    private static let widget = AdmissionRequest.test(.create, TestWorld.v1, kind: "Widget")
    private static let everything: JSONValue = ["operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]]

    @Test(arguments: [
        ("*", "", true), ("*", "status", false), ("*/*", "", true), ("*/*", "status", true), ("configmaps", "", true),
        ("configmaps", "status", false), ("configmaps/*", "", true), ("configmaps/*", "status", true), ("*/status", "status", true),
        ("*/status", "", false), ("configmaps/status", "status", true), ("pods", "", false), ("pods/*", "status", false),
    ])
    func `resources of a rule name resources and subresources`(_ pattern: String, _ subresource: String, _ isMatch: Bool) async throws {
        var rule = Self.everything
        rule["resources"] = [.string(pattern)]
        let request = AdmissionRequest.test(.update, subresource: subresource)
        let matched = try await TestWorld().matcher.match(criteria(rule), request)
        #expect((matched != nil) == isMatch)
    }

    @Test func `operations, groups and versions have to be named, or all`() async throws {
        let world = TestWorld()
        for (member, right, wrong) in [("operations", "CREATE", "DELETE"), ("apiGroups", "", "apps"), ("apiVersions", "v1", "v2")] {
            for (value, isMatch) in [(right, true), (wrong, false), ("*", true)] {
                var rule = Self.everything
                rule[member] = [.string(value)]
                let matched = try await world.matcher.match(criteria(rule), .test())
                #expect((matched != nil) == isMatch, "\(member) \(value)")
            }
        }
    }

    @Test(arguments: [
        ("Namespaced", "configmaps", "default", true), ("Namespaced", "nodes", "", false), ("Namespaced", "namespaces", "", false),
        ("Cluster", "configmaps", "default", false), ("Cluster", "nodes", "", true), ("Cluster", "namespaces", "", true),
        ("*", "nodes", "", true), ("Galactic", "nodes", "", false),
    ])
    func `the scope of a rule tells where objects live`(
        _ scope: String,
        _ resource: String,
        _ namespace: String,
        _ isMatch: Bool
    ) async throws {
        var rule = Self.everything
        rule["scope"] = .string(scope)
        let resource = GroupVersionResource(group: "", version: "v1", resource: resource)
        let request = AdmissionRequest.test(.create, resource, namespace: namespace)
        #expect((try await TestWorld().matcher.match(criteria(rule), request) != nil) == isMatch)
    }

    @Test func `an equivalent rule matches other versions, an exact one does not`() async throws {
        var rule = Self.everything
        rule["apiVersions"] = ["v2"]
        let world = TestWorld()
        #expect(try await world.matcher.match(criteria(rule, ["matchPolicy": "Exact"]), Self.widget) == nil)
        let matched = try await world.matcher.match(criteria(rule, ["matchPolicy": "Equivalent"]), Self.widget)
        #expect(matched == MatchedResource(resource: TestWorld.v2, kind: TestWorld.v2.groupVersion.kind("Widget")))
        // The version asked for wins where several match.
        let all = try await world.matcher.match(criteria(Self.everything, ["matchPolicy": "Equivalent"]), Self.widget)
        #expect(all?.resource == TestWorld.v1)
    }

    @Test func `a selector of namespaces looks at the namespace, or at the object that is one`() async throws {
        let world = TestWorld()
        let selector: JSONValue = ["namespaceSelector": ["matchLabels": ["tier": "low"]]]
        #expect(try await world.matcher.match(criteria(Self.everything, selector), .test()) != nil)
        let other: JSONValue = ["namespaceSelector": ["matchLabels": ["tier": "high"]]]
        #expect(try await world.matcher.match(criteria(Self.everything, other), .test()) == nil)
        let namespaces = GroupVersionResource(group: "", version: "v1", resource: "namespaces")
        let object: JSONValue = ["metadata": ["name": "new", "labels": ["tier": "high"]]]
        let created = AdmissionRequest.test(.create, namespaces, namespace: "", name: "", object: object)
        #expect(created.objectNamespace == "new")
        #expect(try await world.matcher.match(criteria(Self.everything, other), created) != nil)
        // What is being deleted is looked up.
        let deleted = AdmissionRequest.test(.delete, namespaces, namespace: "", name: "default", object: nil, oldObject: object)
        #expect(try await world.matcher.match(criteria(Self.everything, selector), deleted) != nil)
        let node = AdmissionRequest.test(.create, GroupVersionResource(group: "", version: "v1", resource: "nodes"), namespace: "")
        #expect(try await world.matcher.match(criteria(Self.everything, other), node) != nil)
    }

    @Test func `a namespace that does not exist is an error only where a rule matches`() async throws {
        let request = AdmissionRequest.test(namespace: "gone")
        let selector: JSONValue = ["namespaceSelector": ["matchLabels": ["tier": "low"]]]
        let error = await #expect(throws: APIError.self) {
            try await TestWorld().matcher.match(criteria(Self.everything, selector), request)
        }
        #expect(error?.message == "namespaces \"gone\" not found")
        #expect(error?.code == 404)
        var rule = Self.everything
        rule["resources"] = ["pods"]
        #expect(try await TestWorld().matcher.match(criteria(rule, selector), request) == nil)
    }

    @Test func `a selector of objects looks at the new and at the old one`() async throws {
        let selector: JSONValue = ["objectSelector": ["matchLabels": ["watched": "yes"]]]
        let marked: JSONValue = ["metadata": ["name": "a", "labels": ["watched": "yes"]]]
        let plain: JSONValue = ["metadata": ["name": "a"]]
        for (new, old, isMatch) in [(marked, plain, true), (plain, marked, true), (plain, plain, false)] {
            let request = AdmissionRequest.test(.update, object: new, oldObject: old)
            #expect((try await TestWorld().matcher.match(criteria(Self.everything, selector), request) != nil) == isMatch)
        }
        let deleted = AdmissionRequest.test(.delete, object: nil, oldObject: marked)
        #expect(try await TestWorld().matcher.match(criteria(Self.everything, selector), deleted) != nil)
    }

    @Test func `a policy without rules is about everything but what it excludes, by name if it says so`() async throws {
        let all = MatchCriteria(matchResources: [:])
        #expect(try await TestWorld().matcher.match(all, .test()) != nil)
        var rule = Self.everything
        rule["resourceNames"] = ["a"]
        let excluding = MatchCriteria(matchResources: ["excludeResourceRules": [rule]])
        #expect(try await TestWorld().matcher.match(excluding, .test()) == nil)
        #expect(try await TestWorld().matcher.match(excluding, .test(name: "b")) != nil)
    }

    @Test func `nothing configured intercepts what configures admission`() {
        for kind in ["ValidatingWebhookConfiguration", "MutatingAdmissionPolicyBinding"] {
            let resource = GroupVersionResource(group: "admissionregistration.k8s.io", version: "v1", resource: "any")
            #expect(AdmissionRequest.test(.create, resource, kind: kind).isExemptFromConfiguredAdmission)
        }
        #expect(!AdmissionRequest.test().isExemptFromConfiguredAdmission)
    }
}
