import APIModel
import Testing
import Values

@testable import Access

/// Who may have devices with admin access, and who may write which part of a claim's status. The words are upstream's.
@Suite struct DeviceClaimAdmissionTests {
    /// Lets users do what is listed, as `user verb resource/subresource namespace/name`.
    private struct Rights: Authorizer {
        let given: Set<String>

        func authorize(_ asked: RequestAttributes) async -> AuthorizationDecision {
            let words = "\(asked.user.name) \(asked.verb) \(asked.resource)/\(asked.subresource) \(asked.namespace)/\(asked.name)"
            return given.contains(words) && asked.apiGroup == "resource.k8s.io" ? .allow(reason: "") : .noOpinion(reason: "")
        }
    }

    private static func refusal(
        _ resource: String,
        _ object: JSONValue,
        old: JSONValue? = nil,
        namespace labels: JSONValue = [:],
        rights: Set<String>? = nil,
        user: UserIdentity = UserIdentity(name: "bob"),
        isPatch: Bool = false
    ) async -> APIError? {
        let namespace: JSONValue = ["metadata": ["name": "n", "labels": labels]]
        let plugin = DeviceClaimAdmission(
            lookup: FixedLookup(all: ["namespaces//n": namespace]),
            authorizer: rights.map { Rights(given: $0) }
        )
        var request = AdmissionRequest(
            operation: old == nil ? .create : .update,
            kind: GroupVersionKind(group: "resource.k8s.io", version: "v1", kind: "ResourceClaim"),
            resource: GroupVersionResource(group: "resource.k8s.io", version: "v1", resource: resource),
            subresource: old == nil ? "" : "status",
            namespace: "n",
            name: "c",
            user: user,
            object: object,
            oldObject: old
        )
        request.isPatch = isPatch
        guard plugin.handles(request) else { return nil }
        do {
            try await plugin.validate(request)
            return nil
        } catch { return error }
    }

    private static let admin: JSONValue = ["resource.kubernetes.io/admin-access": "true"]
    private static let words =
        "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace"

    private static func claim(_ requests: JSONValue) -> JSONValue {
        ["metadata": ["name": "c"], "spec": ["devices": ["requests": requests]]]
    }

    @Test func `admin access is asked for in namespaces with the label alone`() async {
        let asks: JSONValue = [
            ["name": "one", "exactly": ["deviceClassName": "c"]],
            ["name": "two", "exactly": ["deviceClassName": "c", "adminAccess": true]],
        ]
        let refused = await Self.refusal("resourceclaims", Self.claim(asks))
        #expect(refused?.code == 422)
        let place = "spec.devices.requests[1].adminAccess"
        #expect(refused?.message == "ResourceClaim.resource.k8s.io \"c\" is invalid: \(place): Forbidden: \(Self.words)")
        #expect(await Self.refusal("resourceclaims", Self.claim(asks), namespace: Self.admin) == nil)
        #expect(await Self.refusal("resourceclaims", Self.claim(asks), namespace: ["resource.kubernetes.io/admin-access": "yes"]) != nil)
        for harmless: JSONValue in [[], [["name": "a", "exactly": ["adminAccess": false]]], [["name": "a", "firstAvailable": []]]] {
            #expect(await Self.refusal("resourceclaims", Self.claim(harmless)) == nil)
        }
        // Versions before v1 ask in the request itself.
        #expect(await Self.refusal("resourceclaims", Self.claim([["name": "a", "adminAccess": true]])) != nil)
    }

    @Test func `templates ask like claims`() async {
        let claim = Self.claim([["name": "one", "exactly": ["adminAccess": true]]])
        let template: JSONValue = ["metadata": ["name": "c"], "spec": ["spec": claim["spec"] ?? [:]]]
        let refused = await Self.refusal("resourceclaimtemplates", template)
        #expect(refused?.details?.causes.map(\.field) == ["spec.devices.requests[0].adminAccess"])
        #expect(await Self.refusal("resourceclaimtemplates", template, namespace: Self.admin) == nil)
    }

    private static func allocated(admin: Bool) -> JSONValue {
        ["metadata": ["name": "c"], "status": ["allocation": ["devices": ["results": [["request": "one", "adminAccess": .bool(admin)]]]]]]
    }

    @Test func `admin access is granted in namespaces with the label alone, and stays`() async {
        let (with, without) = (Self.allocated(admin: true), Self.allocated(admin: false))
        let refused = await Self.refusal("resourceclaims", with, old: without)
        #expect(refused?.details?.causes.map(\.field) == ["status.allocation.devices.results[0].adminAccess"])
        #expect(refused?.details?.causes.map(\.message) == ["Forbidden: \(Self.words)"])
        #expect(await Self.refusal("resourceclaims", with, old: without, namespace: Self.admin) == nil)
        #expect(await Self.refusal("resourceclaims", with, old: with) == nil)
        #expect(await Self.refusal("resourceclaims", without, old: without) == nil)
    }

    private static func status(_ driver: String, text: String = "x", node: String? = nil) -> JSONValue {
        var allocation: JSONValue = ["devices": ["results": [["request": "one", "driver": .string(driver)]]]]
        if let node {
            let fields: JSONValue = [["key": "metadata.name", "operator": "In", "values": [.string(node)]]]
            allocation["nodeSelector"] = ["nodeSelectorTerms": [["matchFields": fields]]]
        }
        let device: JSONValue = ["driver": .string(driver), "pool": "p", "device": "d", "data": .string(text)]
        return ["metadata": ["name": "c"], "status": ["allocation": allocation, "devices": [device]]]
    }

    private static let bare: JSONValue = ["metadata": ["name": "c"], "status": [:]]

    @Test func `who allocates needs the right to bind, who tells of devices that of their driver`() async {
        let group = "in API group \"resource.k8s.io\""
        let refused = await Self.refusal("resourceclaims", Self.status("d.io"), old: Self.bare, rights: [], isPatch: true)
        let binding =
            "Forbidden: changing status.allocation or status.reservedFor requires resource=\"resourceclaims/binding\", verb=\"patch\" "
            + "permission: resourceclaims.resource.k8s.io is forbidden: User \"bob\" cannot patch resource "
            + "\"resourceclaims/binding\" \(group) at the cluster scope"
        let driver =
            "Forbidden: changing status.devices requires resource=\"resourceclaims/driver\", verb=\"[arbitrary-node:patch]\" "
            + "permission: resourceclaims.resource.k8s.io \"d.io\" is forbidden: User \"bob\" cannot arbitrary-node:patch resource "
            + "\"resourceclaims/driver\" \(group) in the namespace \"n\""
        #expect(refused?.details?.causes.map(\.message) == [binding, driver])
        #expect(refused?.details?.causes.map(\.field) == ["status.allocation", "status.devices"])
        let both: Set = ["bob update resourceclaims/binding /", "bob arbitrary-node:update resourceclaims/driver n/d.io"]
        #expect(await Self.refusal("resourceclaims", Self.status("d.io"), old: Self.bare, rights: both) == nil)
        // The rights are those of the verb.
        #expect(await Self.refusal("resourceclaims", Self.status("d.io"), old: Self.bare, rights: both, isPatch: true) != nil)
    }

    @Test func `what stays needs no right`() async {
        let same = await Self.refusal("resourceclaims", Self.status("d.io"), old: Self.status("d.io"), rights: [])
        #expect(same == nil)
        let changed = await Self.refusal("resourceclaims", Self.status("d.io", text: "y"), old: Self.status("d.io"), rights: [])
        #expect(changed?.details?.causes.map(\.field) == ["status.devices"])
        // Another driver's device comes, one goes: both count.
        let moved = await Self.refusal(
            "resourceclaims",
            Self.status("e.io"),
            old: Self.status("d.io"),
            rights: ["bob update resourceclaims/binding /"]
        )
        #expect(moved?.details?.causes.count == 2)
        // Without an allocation the devices go anyway.
        let freed = await Self.refusal(
            "resourceclaims",
            Self.bare,
            old: Self.status("d.io"),
            rights: ["bob update resourceclaims/binding /"]
        )
        #expect(freed == nil)
    }

    @Test func `a driver on the allocated node has a right of its own`() async {
        let account = "system:serviceaccount:n:driver"
        let right: Set = ["\(account) associated-node:update resourceclaims/driver n/d.io"]
        func refusal(from node: String, allocatedOn other: String?) async -> String {
            let user = UserIdentity(name: account, extra: ["authentication.kubernetes.io/node-name": [node]])
            let (new, old) = (Self.status("d.io", text: "y", node: other), Self.status("d.io", node: other))
            return await Self.refusal("resourceclaims", new, old: old, rights: right, user: user)?.message ?? ""
        }
        #expect(await refusal(from: "a", allocatedOn: "a") == "")
        for other in ["b", nil] { #expect(await refusal(from: "a", allocatedOn: other).contains("verb=\"[arbitrary-node:update]\" ")) }
        let bound = UserIdentity(name: account, extra: ["authentication.kubernetes.io/node-name": ["a"]])
        let (new, old) = (Self.status("d.io", text: "y", node: "a"), Self.status("d.io", node: "a"))
        let refused = await Self.refusal("resourceclaims", new, old: old, rights: [], user: bound)
        #expect(refused?.message.contains("verb=\"[associated-node:update arbitrary-node:update]\" ") == true)
        #expect(refused?.message.contains("cannot associated-node:update resource") == true)
    }
}
