import APIModel
import Testing
import Values

@testable import Access

@Suite struct RBACTests {
    private static let group = "rbac.authorization.k8s.io"

    private static func lookup(_ more: [String: JSONValue] = [:]) -> FixedLookup {
        var all = more
        for entry in BootstrapPolicy.entries() { all["\(entry.resource)/\(entry.namespace)/\(entry.name)"] = entry.object }
        return FixedLookup(all: all)
    }

    private static func role(_ name: String, _ rules: JSONValue, namespace: String = "") -> (String, JSONValue) {
        let resource = namespace.isEmpty ? "clusterroles" : "roles"
        var metadata: JSONValue = ["name": .string(name)]
        if !namespace.isEmpty { metadata["namespace"] = .string(namespace) }
        return ("\(resource).\(group)/\(namespace)/\(name)", ["metadata": metadata, "rules": rules])
    }

    private static func binding(
        _ name: String,
        _ kind: String,
        _ role: String,
        _ subjects: JSONValue,
        namespace: String = ""
    ) -> (String, JSONValue) {
        let resource = namespace.isEmpty ? "clusterrolebindings" : "rolebindings"
        var metadata: JSONValue = ["name": .string(name)]
        if !namespace.isEmpty { metadata["namespace"] = .string(namespace) }
        return (
            "\(resource).\(group)/\(namespace)/\(name)",
            ["metadata": metadata, "roleRef": ["kind": .string(kind), "name": .string(role)], "subjects": subjects]
        )
    }

    private static func request(
        _ user: UserIdentity,
        _ verb: String,
        _ resource: String,
        in namespace: String = "",
        group: String = "",
        subresource: String = "",
        name: String = ""
    ) -> RequestAttributes {
        RequestAttributes(
            user: user,
            verb: verb,
            apiGroup: group,
            resource: resource,
            subresource: subresource,
            namespace: namespace,
            name: name
        )
    }

    @Test func `every default role and binding is there`() {
        let entries = BootstrapPolicy.entries()
        #expect(entries.count == 133)
        #expect(entries.contains { $0.name == "cluster-admin" && $0.resource.resource == "clusterroles" })
        let names = entries.map { "\($0.resource)/\($0.namespace)/\($0.name)" }
        #expect(Set(names).count == names.count)
    }

    @Test func `a binding in a namespace holds there and nowhere else`() async {
        let (roleKey, role) = Self.role(
            "reader",
            [["apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]]],
            namespace: "a"
        )
        let subjects: JSONValue = [["kind": "ServiceAccount", "name": "app"], ["kind": "Group", "name": "ops"]]
        let (bindingKey, binding) = Self.binding("reader", "Role", "reader", subjects, namespace: "a")
        let authorizer = RBACAuthorizer(lookup: Self.lookup([roleKey: role, bindingKey: binding]))
        let account = UserIdentity(name: "system:serviceaccount:a:app", groups: ["system:serviceaccounts"])
        let allowed = await authorizer.authorize(Self.request(account, "list", "pods", in: "a"))
        #expect(allowed == .allow(reason: "RBAC: allowed by RoleBinding \"reader/a\" of Role \"reader\" to ServiceAccount \"app/a\""))
        #expect(await authorizer.authorize(Self.request(account, "get", "pods", in: "a", subresource: "log")).isAllowed)
        #expect(!(await authorizer.authorize(Self.request(account, "get", "pods", in: "a", subresource: "exec")).isAllowed))
        #expect(!(await authorizer.authorize(Self.request(account, "list", "pods", in: "b")).isAllowed))
        #expect(!(await authorizer.authorize(Self.request(account, "list", "pods")).isAllowed))
        #expect(!(await authorizer.authorize(Self.request(account, "delete", "pods", in: "a")).isAllowed))
        #expect(await authorizer.authorize(Self.request(UserIdentity(name: "x", groups: ["ops"]), "get", "pods", in: "a")).isAllowed)
        #expect(!(await authorizer.authorize(Self.request(UserIdentity(name: "x"), "get", "pods", in: "a")).isAllowed))
    }

    @Test func `a role that gathers others grants what is stored in it, no more`() async throws {
        let (key, binding) = Self.binding("v", "ClusterRole", "view", [["kind": "User", "name": "viewer"]], namespace: "a")
        var lookup = Self.lookup([key: binding])
        let viewer = UserIdentity(name: "viewer")
        let pods = Self.request(viewer, "list", "pods", in: "a")
        #expect(!(await RBACAuthorizer(lookup: lookup).authorize(pods).isAllowed))
        // What its controller wrote.
        let view = "clusterroles.\(Self.group)//view"
        lookup.all[view]?["rules"] = [["apiGroups": [""], "resources": ["pods"], "verbs": ["list"]]]
        let authorizer = RBACAuthorizer(lookup: lookup)
        #expect(await authorizer.authorize(pods).isAllowed)
        #expect(!(await authorizer.authorize(Self.request(viewer, "list", "services", in: "a")).isAllowed))
        #expect(authorizer.rules(ofRole: "ClusterRole", "view", in: "a")?.count == 1)
        #expect(lookup.all[view]?["aggregationRule"]?.object != nil)
    }

    @Test func `the reason names the subject that matched, of the first binding that allows`() async {
        let subjects: JSONValue = [
            ["kind": "User", "name": "other"], ["kind": "Group", "name": "ops"], ["kind": "User", "name": "jane \"j\""],
            ["kind": "ServiceAccount", "name": "app", "namespace": "b"],
        ]
        let (roleKey, role) = Self.role("reader", [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]])
        let (cluster, clusterBinding) = Self.binding("everywhere", "ClusterRole", "reader", subjects)
        let (local, localBinding) = Self.binding("here", "ClusterRole", "reader", [["kind": "User", "name": "other"]], namespace: "a")
        let authorizer = RBACAuthorizer(lookup: Self.lookup([roleKey: role, cluster: clusterBinding, local: localBinding]))
        func reason(_ name: String, _ groups: [String] = []) async -> String {
            await authorizer.authorize(Self.request(UserIdentity(name: name, groups: groups), "get", "pods", in: "a")).reason
        }
        let start = "RBAC: allowed by ClusterRoleBinding \"everywhere\" of ClusterRole \"reader\" to"
        #expect(await reason("other") == "\(start) User \"other\"")
        #expect(await reason("x", ["ops"]) == "\(start) Group \"ops\"")
        #expect(await reason("jane \"j\"") == "\(start) User \"jane \\\"j\\\"\"")
        #expect(await reason("jane \"j\"", ["ops"]) == "\(start) Group \"ops\"")
        #expect(await reason("system:serviceaccount:b:app") == "\(start) ServiceAccount \"app/b\"")
    }

    @Test func `a binding to a role that does not exist is told of`() async {
        let jane: JSONValue = [["kind": "User", "name": "jane"]]
        let (one, first) = Self.binding("one", "ClusterRole", "gone", jane)
        let (two, second) = Self.binding("two", "Role", "lost", jane, namespace: "a")
        let authorizer = RBACAuthorizer(lookup: Self.lookup([one: first, two: second]))
        func reason(_ user: String, in namespace: String) async -> String {
            await authorizer.authorize(Self.request(UserIdentity(name: user), "get", "pods", in: namespace)).reason
        }
        let cluster = "clusterrole.\(Self.group) \"gone\" not found"
        #expect(await reason("jane", in: "b") == "RBAC: \(cluster)")
        #expect(await reason("jane", in: "a") == "RBAC: [\(cluster), role.\(Self.group) \"lost\" not found]")
        #expect(await reason("john", in: "a").isEmpty)
    }

    @Test func `the defaults let everyone find their way, and controllers do their work`() async {
        let authorizer = RBACAuthorizer(lookup: Self.lookup())
        let jane = UserIdentity(name: "jane", groups: ["system:authenticated"])
        #expect(await authorizer.authorize(RequestAttributes(user: jane, verb: "get", path: "/apis/apps/v1")).isAllowed)
        #expect(
            await authorizer.authorize(Self.request(jane, "create", "selfsubjectaccessreviews", group: "authorization.k8s.io")).isAllowed
        )
        #expect(!(await authorizer.authorize(RequestAttributes(user: jane, verb: "get", path: "/metrics")).isAllowed))
        let scheduler = UserIdentity(name: "system:kube-scheduler", groups: ["system:authenticated"])
        #expect(await authorizer.authorize(Self.request(scheduler, "create", "pods", in: "a", subresource: "binding")).isAllowed)
        let gc = UserIdentity(name: "system:serviceaccount:kube-system:generic-garbage-collector")
        #expect(await authorizer.authorize(Self.request(gc, "delete", "pods", in: "a")).isAllowed)
        let anonymous = UserIdentity.anonymous
        #expect(await authorizer.authorize(RequestAttributes(user: anonymous, verb: "get", path: "/livez")).isAllowed)
    }

    @Test func `rules are broken down and covered part by part`() {
        let owned = [
            PolicyRule(["get", "list"], groups: [""], resources: ["pods"]), PolicyRule(["*"], groups: ["apps"], resources: ["*/scale"]),
            PolicyRule(["get"], groups: [""], resources: ["secrets"], names: ["a"]), PolicyRule(["get"], paths: ["/healthz/*"]),
        ]
        func missing(_ rule: PolicyRule) -> Int { RuleCoverage.missing([rule], from: owned).count }
        #expect(missing(PolicyRule(["get"], groups: [""], resources: ["pods"], names: ["x"])) == 0)
        #expect(missing(PolicyRule(["get", "watch"], groups: [""], resources: ["pods"])) == 1)
        #expect(missing(PolicyRule(["update"], groups: ["apps"], resources: ["deployments/scale"])) == 0)
        #expect(missing(PolicyRule(["get"], groups: [""], resources: ["secrets"])) == 1)
        #expect(missing(PolicyRule(["get"], groups: [""], resources: ["secrets"], names: ["a", "b"])) == 1)
        #expect(missing(PolicyRule(["*"], groups: [""], resources: ["pods"])) == 1)
        #expect(missing(PolicyRule(["get"], paths: ["/healthz/etcd"])) == 0)
        #expect(missing(PolicyRule(["get"], paths: ["/metrics"])) == 1)
    }

    private func write(_ user: UserIdentity, _ resource: String, _ object: JSONValue, namespace: String) -> AdmissionRequest {
        AdmissionRequest(
            operation: .create,
            kind: GroupVersionKind(group: Self.group, version: "v1", kind: "Role"),
            resource: GroupVersionResource(group: Self.group, version: "v1", resource: resource),
            namespace: namespace,
            name: "new",
            user: user,
            object: object
        )
    }

    @Test func `nobody gives away what he does not have`() async throws {
        let (key, binding) = Self.binding("ad", "ClusterRole", "admin", [["kind": "User", "name": "boss"]], namespace: "a")
        let held: JSONValue = [["apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list"]]]
        var lookup = Self.lookup([key: binding])
        for name in ["admin", "view"] { lookup.all["clusterroles.\(Self.group)//\(name)"]?["rules"] = held }
        let authorizer = RBACAuthorizer(lookup: lookup)
        let plugin = RoleEscalation(authorizer: authorizer, others: authorizer)
        let boss = UserIdentity(name: "boss")
        let modest: JSONValue = ["rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]]
        try await plugin.validate(write(boss, "roles", modest, namespace: "a"))
        let greedy: JSONValue = ["rules": [["apiGroups": [""], "resources": ["nodes"], "verbs": ["delete"]]]]
        await #expect(throws: APIError.self) { try await plugin.validate(self.write(boss, "roles", greedy, namespace: "a")) }
        do throws(APIError) {
            try await plugin.validate(write(boss, "roles", greedy, namespace: "a"))
        } catch {
            #expect(error.code == 403)
            #expect(error.message.contains("is attempting to grant RBAC permissions not currently held:\n"))
            #expect(error.message.hasSuffix("{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"delete\"]}"))
        }
        let view: JSONValue = ["roleRef": ["kind": "ClusterRole", "name": "view"], "subjects": [["kind": "User", "name": "x"]]]
        try await plugin.validate(write(boss, "rolebindings", view, namespace: "a"))
        let all: JSONValue = [
            "roleRef": ["kind": "ClusterRole", "name": "cluster-admin"], "subjects": [["kind": "User", "name": "boss"]],
        ]
        await #expect(throws: APIError.self) { try await plugin.validate(self.write(boss, "rolebindings", all, namespace: "a")) }
        #expect(!plugin.handles(write(UserIdentity(name: "m", groups: ["system:masters"]), "roles", greedy, namespace: "a")))
    }
}
