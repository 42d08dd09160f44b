import APIModel
import Schema
import Testing
import Units
import Values

@testable import BuiltinKinds

/// The server asks the schema's structural check only where no hooks check the whole object. What the schema would say
/// of such a kind, its hooks have to say: shown for every field that is required and every word that is not allowed.
@Suite struct SchemaCoverageTests {
    /// The kinds whose hooks are the whole check; `ResourceTraits.validated` in the server.
    static let kinds = [
        "pods", "replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps",
        "jobs.batch", "cronjobs.batch", "services", "endpoints", "endpointslices.discovery.k8s.io", "nodes", "namespaces",
        "configmaps", "secrets", "serviceaccounts", "events", "leases.coordination.k8s.io", "persistentvolumes",
        "persistentvolumeclaims", "storageclasses.storage.k8s.io", "ingresses.networking.k8s.io",
        "resourcequotas",
    ]

    /// The kinds whose selector is read before their template.
    private static let selecting: Set<String> = ["deployments.apps", "replicasets.apps", "statefulsets.apps"]

    /// What upstream lets pass, though its types call it required or list the words: a zero value is as good as any
    /// (`lun`, `value`, `seconds`), a struct is never absent, a field is behind a gate that is off, or what is around it
    /// is refused as a whole.
    private static let tolerated: Set<String> = [
        "iscsi.lun: Required", "httpHeaders[].value: Required", "sysctls[].value: Required", "sleep.seconds: Required",
        "scaleIO.secretRef: Required", ".preference: Required", "podFailurePolicy.rules: Required", "lifecycle.stopSignal",
        "ephemeralContainers[].", "involvedObject: Required", "spec.configSource", "forZones[].name: Required",
    ]

    @Test(arguments: kinds) func `hooks miss what the schema would`(_ name: String) throws {
        let subject = try Subject(name)
        let schema = try #require(subject.descriptor.storageSchema)
        var object = Self.sample(schema, depth: 0)
        object["metadata"] = ["name": "x", "namespace": "default"]
        // A template is looked at only once its selector can be read.
        if Self.selecting.contains(name) { object.set(["matchLabels": ["a": "b"]], at: ["spec", "selector"]) }
        var missed: Set<String> = []
        for change in Self.changes(schema, object, []) {
            // All workloads check their template with the same code: one of them stands for all.
            if name != "deployments.apps", let place = change.path.firstIndex(of: "template"), change.path.count > place + 2 { continue }
            let sound = Self.alone(object, change.path)
            let broken = change.apply(sound)
            let before = Set(schema.validate(subject.created(sound), path: .root).map(\.message))
            let found = schema.validate(subject.created(broken), path: .root).filter {
                !$0.path.description.hasPrefix("metadata") && !$0.path.description.hasPrefix("status")
            }
            let new = found.filter { !before.contains($0.message) }
            guard !new.isEmpty else { continue }
            let own = Set(subject.problems(broken)).subtracting(subject.problems(sound))
            if own.isEmpty { missed.formUnion(new.map { Self.plain($0.message) }) }
        }
        missed = missed.filter { message in !Self.tolerated.contains { message.contains($0) } }
        #expect(missed.isEmpty, "\(name):\n\(missed.sorted().joined(separator: "\n"))")
    }

    /// Fields of which an object may have one: only the one that is looked at stays, for hooks check no more.
    private static let unions: [Set<String>] = [
        ["exec", "httpGet", "tcpSocket", "grpc", "sleep"],
        ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"],
        ["service", "resource"], ["port", "number"],
        [
            "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
            "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap",
            "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
            "csi", "ephemeral", "image", "local", "serviceAccountToken", "clusterTrustBundle", "podCertificate",
        ],
        ["onExitCodes", "onPodConditions"], ["dataSource", "dataSourceRef"],
    ]

    private static func alone(_ object: JSONValue, _ path: [String]) -> JSONValue {
        var object = object
        for (depth, key) in path.enumerated() {
            guard let union = unions.first(where: { $0.contains(key) }) else { continue }
            let parent = Array(path.prefix(depth))
            for other in union where other != key && object.value(at: parent + [other])?.object != nil {
                object.remove(at: parent + [other])
            }
        }
        return object
    }

    /// A path without positions, and what is wrong.
    private static func plain(_ message: String) -> String { message.replacing(/\[\d+\]/, with: "[]") }

    private struct Change {
        let path: [String]
        let value: JSONValue?

        func apply(_ object: JSONValue) -> JSONValue {
            var object = object
            if let value { object.set(value, at: path) } else { object.remove(at: path) }
            return object
        }
    }

    private static let deepest = 18

    /// One of everything, with words that are allowed.
    private static func sample(_ node: SchemaNode, depth: Int) -> JSONValue {
        if depth > deepest { return [:] }
        switch node.shape {
        case .object:
            var object: JSONValue = [:]
            for field in node.fields where field.name != "metadata" && field.name != "status" {
                var value = sample(field.node, depth: depth + 1)
                if let word = field.rare?.enumValues.first { value = .string(word) }
                // Probes are looked at in sidecars only.
                if field.name == "initContainers" { value.set("Always", at: ["0", "restartPolicy"]) }
                if !value.isNull { object[field.name] = value }
            }
            return object
        case .list: return node.element.map { [sample($0, depth: depth + 1)] } ?? []
        case .map: return node.element.map { ["a": sample($0, depth: depth + 1)] } ?? [:]
        case .string: return node.body.enumValues.first ?? "a"
        case .boolean: return true
        case .integer, .number, .intOrString: return 1
        case .bytes: return "YQ=="
        case .quantity: return "1"
        case .time: return "2026-01-01T00:00:00Z"
        case .microTime: return "2026-01-01T00:00:00.000000Z"
        case .duration: return "1s"
        default: return [:]
        }
    }

    /// Every way to leave a required field out, and every wrong word.
    private static func changes(_ node: SchemaNode, _ value: JSONValue, _ path: [String]) -> [Change] {
        var changes: [Change] = []
        switch value {
        case .object(let object):
            for (key, item) in object {
                if path.isEmpty, key == "metadata" { continue }
                let field = node.field(key)
                if field?.traits.contains(.required) == true { changes.append(Change(path: path + [key], value: nil)) }
                let words = (field?.rare?.enumValues.isEmpty ?? true) == false || field?.node.body.enumValues.isEmpty == false
                if words, item.string != nil { changes.append(Change(path: path + [key], value: "Wrong")) }
                if let below = field?.node ?? node.element { changes += self.changes(below, item, path + [key]) }
            }
        case .array(let list):
            guard let element = node.element, let first = list.first else { break }
            changes += self.changes(element, first, path + ["0"])
        default: break
        }
        return changes
    }
}
