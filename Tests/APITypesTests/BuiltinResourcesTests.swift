import APIModel
import APITypes
import Schema
import Testing
import Values

@Suite struct BuiltinResourcesTests {
    static func find(_ group: String, _ resource: String) throws -> KindDescriptor {
        try #require(BuiltinResources.descriptor(GroupResource(group: group, resource: resource)))
    }

    @Test func `the table holds every type and decodes all of them`() {
        let table = BuiltinSchema.table()
        #expect(table.count == 1085)
        #expect(table.names == table.names.sorted())
        let fields = table.names.reduce(0) { $0 + BuiltinSchema.node($1).fields.count }
        #expect(fields == 4537)
        #expect(table.node("nope") == nil)
    }

    @Test func `pods are described as upstream describes them`() throws {
        let pods = try Self.find("", "pods")
        #expect(pods.kind == "Pod" && pods.listKind == "PodList" && pods.singular == "pod")
        #expect(pods.shortNames == ["po"] && pods.categories == ["all"] && pods.namespaced && pods.stored)
        #expect(pods.storageVersion == "v1" && pods.storageVersionHash == "xPOwRZ+Yhw8=")
        #expect(pods.subresource("exec")?.kind.kind == "PodExecOptions")
        #expect(pods.subresource("eviction")?.kind.group == "policy")
        #expect(pods.storageSchema?.field("spec") != nil)
        #expect(pods.versions[0].columns.map(\.name).prefix(5) == ["Name", "Ready", "Status", "Restarts", "Age"])
        let host = pods.selectableFields.first { $0.label == "spec.host" }
        #expect(host?.path == ["spec", "nodeName"])
        #expect(pods.selectableFields.first { $0.label == "status.podIPs" }?.matchable == false)
    }

    @Test func `every kind has a schema in every version and a storage version among them`() {
        for kind in BuiltinResources.all {
            #expect(!kind.versions.isEmpty)
            #expect(kind.version(kind.storageVersion) != nil, "\(kind.kind)")
            for version in kind.versions {
                #expect(version.schema.shape == .object, "\(kind.kind) \(version.name)")
                #expect(version.schema.body.kinds.contains { $0.kind == kind.kind }, "\(kind.kind) \(version.name)")
            }
        }
    }

    @Test func `kinds served in several versions are one descriptor`() throws {
        let scalers = try Self.find("autoscaling", "horizontalpodautoscalers")
        #expect(scalers.versions.map(\.name) == ["v2", "v1"])
        #expect(scalers.storageVersion == "v2")
        #expect(Set(BuiltinResources.all.map(\.groupResource)).count == BuiltinResources.all.count)
    }

    @Test func `virtual kinds are not stored`() throws {
        #expect(try !Self.find("authentication.k8s.io", "tokenreviews").stored)
        #expect(try !Self.find("", "bindings").stored)
        #expect(try !Self.find("authorization.k8s.io", "subjectaccessreviews").stored)
        #expect(try Self.find("", "configmaps").stored)
    }

    @Test func `groups list the versions that are on`() {
        let apps = BuiltinResources.groups.first { $0.name == "apps" }
        #expect(apps?.versions == ["v1"] && apps?.preferredVersion == "v1")
        #expect(BuiltinResources.groups.allSatisfy { $0.versions.contains($0.preferredVersion) })
        #expect(BuiltinResources.scaleColumns.map(\.name) == ["Name", "Desired", "Available", "Age"])
    }
}
