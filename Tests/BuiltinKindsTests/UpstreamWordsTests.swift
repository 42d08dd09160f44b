import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

/// Rules and words that once differed from what a real server of v1.36.2 says; found by `Tools/compare-kinds`.
@Suite struct UpstreamWordsTests {
    /// A kind, a sound object of it, and what breaks it with all that is said then, in order.
    struct Said: CustomTestStringConvertible, Sendable {
        let kind: String
        let object: String
        let path: String
        let value: JSONValue?
        let words: [String]

        init(_ kind: String, _ object: String, _ path: String, _ value: JSONValue?, _ words: String...) {
            self.kind = kind
            self.object = object
            self.path = path
            self.value = value
            self.words = words
        }

        var testDescription: String { "\(kind) \(path)" }
    }

    private static let pod = "{metadata: {name: p}, spec: {volumes: [{name: v, emptyDir: {}}], containers: [{name: c, image: i}]}}"
    private static let volume =
        "{metadata: {name: p}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: s, path: /x}}}"
    private static let scaler =
        "{metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}}}"
    private static let attachment = "{metadata: {name: a}, spec: {attacher: csi.example.com, nodeName: n1, source: {}}}"

    private static let volumes = [
        Said(
            "pods",
            pod,
            "spec.volumes.0.cephfs",
            ["monitors": ["a"]],
            "spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0.downwardAPI",
            [:],
            "spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "gcePersistentDisk": [:]],
            "spec.volumes[0].persistentDisk.pdName: Required value"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "rbd": [:]],
            "spec.volumes[0].rbd.monitors: Required value",
            "spec.volumes[0].rbd.image: Required value"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "quobyte": [:]],
            "spec.volumes[0].quobyte.registry: Required value: must be a host:port pair or multiple pairs separated by commas",
            "spec.volumes[0].quobyte.volume: Required value"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "flocker": ["datasetName": "x", "datasetUUID": "y"]],
            "spec.volumes[0].flocker: Invalid value: \"resource\": datasetName and datasetUUID can not be specified simultaneously"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "cinder": ["volumeID": "x", "secretRef": [:]]],
            "spec.volumes[0].cinder.secretRef.name: Required value"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "iscsi": ["targetPortal": "a", "iqn": "iqn.2001-04.com.example:x", "initiatorName": "x"]],
            "spec.volumes[0].iscsi.initiatorname: Invalid value: \"x\": must be valid format starting with iqn, eui, or naa"
        ),
        Said(
            "pods",
            pod,
            "spec.volumes.0",
            ["name": "v", "iscsi": ["targetPortal": "a", "iqn": "iqn.2001"]],
            "spec.volumes[0].iscsi.iqn: Invalid value: \"iqn.2001\": must be valid format"
        ),
        Said("persistentvolumes", volume, "spec.flexVolume", [:], "spec.flexVolume.driver: Required value"),
        Said(
            "persistentvolumes",
            volume,
            "spec.capacity",
            ["cpu": "1"],
            "spec.capacity: Unsupported value: {\"cpu\":\"1\"}: supported values: \"storage\""
        ),
        Said(
            "volumeattachments.storage.k8s.io",
            attachment,
            "spec.source.inlineVolumeSpec",
            ["capacity": ["storage": "1Gi"]],
            "spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes",
            "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes",
            "spec.source.inlineVolumeSpec.accessModes: Required value",
            "spec.source.inlineVolumeSpec: Required value: must specify a volume type"
        ),
    ]

    private static let pods = [
        Said(
            "pods",
            pod,
            "spec.resourceClaims",
            [["name": "x"]],
            "spec.resourceClaims[0]: Invalid value: {\"Name\":\"x\",\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}: "
                + "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        ),
        Said(
            "pods",
            pod,
            "spec.resources",
            ["requests": ["a.example/k": "2"]],
            "spec.resources.requests[a.example/k]: Unsupported value: \"a.example/k\": supported values: \"cpu\", \"hugepages-\", \"memory\"",
            "spec.resources.limits: Required value: Limit must be set for non overcommitable resources"
        ),
        Said(
            "pods",
            pod,
            "spec.securityContext",
            ["seLinuxChangePolicy": "MountOption"],
            "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: \"Recursive\""
        ),
        Said(
            "pods",
            pod,
            "spec.securityContext",
            ["seccompProfile": ["type": "Unconfined", "localhostProfile": "x"]],
            "spec.securityContext.seccompProfile.localhostProfile: Invalid value: "
                + "{\"Type\":\"Unconfined\",\"LocalhostProfile\":\"x\"}: can only be set when seccomp type is Localhost"
        ),
        Said(
            "pods",
            pod,
            "spec.tolerations",
            [["key": "a", "operator": "Lt", "value": "1"]],
            "spec.tolerations[0].operator: Unsupported value: \"Lt\": supported values: \"Equal\", \"Exists\", \"Lt\", \"Gt\""
        ),
        Said(
            "pods",
            pod,
            "spec.securityContext",
            ["windowsOptions": ["hostProcess": true]],
            "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"
        ),
        Said(
            "pods",
            pod,
            "spec.initContainers",
            [["name": "i", "image": "i", "restartPolicyRules": [["action": "Restart"]]]],
            "spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"
        ),
    ]

    private static let others = [
        Said(
            "horizontalpodautoscalers.autoscaling",
            scaler,
            "spec.scaleTargetRef.apiVersion",
            "v1",
            "spec.scaleTargetRef.apiVersion: Invalid value: \"v1\": apiVersion must specify API group"
        ),
        Said(
            "controllerrevisions.apps",
            "{metadata: {name: r}, data: {a: b}, revision: 1}",
            "data",
            nil,
            "data: Required value: data is mandatory"
        ),
        Said(
            "limitranges",
            "{metadata: {name: l}, spec: {limits: [{type: Container}]}}",
            "spec.limits.0.max",
            ["pods": "1"],
            "spec.limits[0].max[pods]: Invalid value: \"pods\": must be a standard resource for containers",
            "spec.limits[0].default[pods]: Invalid value: \"pods\": must be a standard resource for containers",
            "spec.limits[0].defaultRequest[pods]: Invalid value: \"pods\": must be a standard resource for containers"
        ),
        Said(
            "clusterroles.rbac.authorization.k8s.io",
            "{metadata: {name: r}}",
            "aggregationRule",
            ["clusterRoleSelectors": [["matchExpressions": [["key": "a", "operator": "Like"]]]]],
            "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator",
            "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector."
        ),
    ]

    @Test(arguments: volumes + pods + others) func `what is said of a new object`(_ said: Said) throws {
        #expect(try Subject(said.kind).problems(with(yaml(said.object), said.path, said.value)) == said.words)
    }

    @Test func `a workload without a selector is asked for it, and its labels match nothing`() throws {
        let object = with(try yaml(WorkloadTests.deployment), "spec.selector", .null)
        #expect(
            try Subject("deployments.apps").problems(object) == [
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
            ]
        )
    }

    @Test func `a template is not checked while its selector cannot be read`() throws {
        var object = with(
            try yaml(WorkloadTests.deployment),
            "spec.selector",
            ["matchExpressions": [["key": "app", "operator": "Like"]]]
        )
        object = with(object, "spec.template.spec.containers", nil)
        let found = try Subject("deployments.apps").problems(object)
        #expect(
            found.last
                == "spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Like\"}]}: invalid label selector"
        )
        #expect(!found.contains { $0.contains("containers") })
    }

    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("host:5000/x", "Always"),
        ("Bad_Value!", "IfNotPresent"), ("a..b", "IfNotPresent"), ("host.example/a/b-c__d:v1", "IfNotPresent"), ("UPPER/x", "Always"),
        ("x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "IfNotPresent"),
    ])
    func `what is no image has no tag`(_ image: String, _ policy: String) {
        #expect(PodSpecDefaults.pullPolicy(image) == policy)
    }

    @Test func `profiles named by annotations become fields, with a warning`() throws {
        let pods = try Subject("pods")
        let key = "container.apparmor.security.beta.kubernetes.io/c"
        let object = with(try yaml(Self.pod), "metadata.annotations", [key: "localhost/mine"])
        let created = pods.created(object)
        #expect(
            created["spec"]?.list("containers").first?["securityContext"]?["appArmorProfile"]
                == ["type": "Localhost", "localhostProfile": "mine"]
        )
        #expect(
            pods.warnings(object) == [
                "metadata.annotations[\(key)]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
            ]
        )
        let same = with(object, "spec.securityContext", ["appArmorProfile": ["type": "Localhost", "localhostProfile": "mine"]])
        #expect(pods.created(same)["spec"]?.list("containers").first?["securityContext"] == nil)
        #expect(pods.warnings(same) == [])
    }

    @Test func `fields behind gates that are off are dropped`() throws {
        let lease = try Subject("leases.coordination.k8s.io").created(
            yaml("{metadata: {name: l}, spec: {strategy: x, preferredHolder: y}}")
        )
        #expect(lease["spec"] == [:])
        let set = try Subject("statefulsets.apps").created(
            yaml("{metadata: {name: s}, spec: {updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 2, partition: 1}}}}")
        )
        #expect(set["spec"]?["updateStrategy"]?["rollingUpdate"] == ["partition": 1])
        let claims = try Subject("persistentvolumeclaims")
        let other = try claims.created(yaml("{metadata: {name: c}, spec: {dataSourceRef: {kind: K, name: m, namespace: x}}}"))
        #expect(other["spec"]?["dataSourceRef"] == nil)
        let source = try claims.created(yaml("{metadata: {name: c}, spec: {dataSourceRef: {apiGroup: g.example, kind: K, name: m}}}"))
        #expect(source["spec"]?["dataSource"] == ["apiGroup": "g.example", "kind": "K", "name": "m"])
        let legacy = try claims.created(yaml("{metadata: {name: c}, spec: {dataSource: {apiGroup: g.example, kind: K, name: m}}}"))
        #expect(legacy["spec"] == ["volumeMode": "Filesystem"] || legacy["spec"]?["dataSource"] == nil)
    }

    @Test func `a job's labels follow those of its template`() throws {
        let job = try Subject("jobs.batch").created(yaml(WorkloadTests.job))
        #expect(job["metadata"]?["labels"] == job["spec"]?["template"]?["metadata"]?["labels"])
        #expect(job["metadata"]?["labels"]?["job-name"] == "j")
        let own = try Subject("jobs.batch").created(with(yaml(WorkloadTests.job), "metadata.labels", ["a": "b"]))
        #expect(own["metadata"]?["labels"] == ["a": "b"])
    }

    @Test func `a rolling update that another strategy has is refused, not dropped`() throws {
        let spec = "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}"
        func problems(_ kind: String, _ more: String) throws -> [String] {
            try Subject(kind).problems(yaml("{metadata: {name: x}, spec: {\(spec), \(more)}}"))
        }
        let deployment = "strategy: {type: Recreate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}"
        #expect(
            try problems("deployments.apps", deployment) == [
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
            ]
        )
        let set = "serviceName: s, updateStrategy: {type: OnDelete, rollingUpdate: {partition: 0}}"
        #expect(
            try problems("statefulsets.apps", set) == [
                "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":0,\"MaxUnavailable\":null}: "
                    + "only allowed for updateStrategy 'RollingUpdate'"
            ]
        )
        let daemons = try Subject("daemonsets.apps").created(
            yaml("{metadata: {name: x}, spec: {\(spec), updateStrategy: {type: OnDelete, rollingUpdate: {maxUnavailable: 2}}}}")
        )
        #expect(daemons["spec"]?["updateStrategy"]?["rollingUpdate"] == ["maxSurge": 0, "maxUnavailable": 2])
    }

    @Test func `features of nodes are sorted words`() throws {
        let node = try yaml("{metadata: {name: n}, status: {declaredFeatures: [x, A, A, B/c, B-]}}")
        let words =
            "must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
            + "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
        #expect(
            try Subject("nodes").problems(node) == [
                "status.declaredFeatures[0]: Invalid value: \"x\": invalid feature name \"x\": \(words)",
                "status.declaredFeatures[1]: Invalid value: \"A\": list must be sorted alphabetically",
                "status.declaredFeatures[2]: Duplicate value: \"A\"",
                "status.declaredFeatures[4]: Invalid value: \"B-\": list must be sorted alphabetically",
                "status.declaredFeatures[4]: Invalid value: \"B-\": invalid feature name \"B-\": \(words)",
            ]
        )
    }
}
