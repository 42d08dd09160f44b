import Testing
import Units
import Values

@testable import BuiltinKinds
@testable import PodKinds

private let label =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

@Suite struct PodValidationTests {
    static let pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: default, labels: {app: web}}
        spec:
          containers:
          - name: main
            image: registry.example:5000/web
            ports: [{containerPort: 80, name: http}]
            env: [{name: A, value: b}]
            volumeMounts: [{name: data, mountPath: /data}]
            resources: {limits: {memory: 64Mi, cpu: 100m}}
            readinessProbe: {httpGet: {port: http}}
          initContainers:
          - {name: first, image: busybox}
          volumes:
          - name: data
            emptyDir: {}
          - name: conf
            configMap: {name: conf}
        """

    @Test func `a complete pod has no issues and gets its defaults`() throws {
        let pods = try Subject("pods")
        let pod = try yaml(Self.pod)
        #expect(pods.problems(pod) == [])
        let made = pods.created(pod)
        #expect(made.value(at: ["spec", "containers", "0", "imagePullPolicy"]) == "Always")
        #expect(made.value(at: ["spec", "containers", "0", "resources", "requests", "cpu"]) == "100m")
        #expect(made.value(at: ["spec", "enableServiceLinks"]) == true)
        #expect(made.value(at: ["spec", "terminationGracePeriodSeconds"]) == 30)
        #expect(made.value(at: ["status", "qosClass"]) == "Burstable")
        #expect(made.value(at: ["metadata", "generation"]) == 1)
    }

    @Test(arguments: [
        Broken(
            "metadata.name",
            "Web",
            "metadata.name: Invalid value: \"Web\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ),
        Broken("spec.containers", [], "spec.containers: Required value"),
        Broken("spec.containers.0.name", "", "spec.containers[0].name: Required value"),
        Broken("spec.containers.0.name", "Main", "spec.containers[0].name: Invalid value: \"Main\": \(label)"),
        Broken("spec.initContainers.0.name", "main", "spec.initContainers[0].name: Duplicate value: \"main\""),
        Broken("spec.containers.0.image", "", "spec.containers[0].image: Required value"),
        Broken(
            "spec.containers.0.image",
            " web",
            "spec.containers[0].image: Invalid value: \" web\": must not have leading or trailing whitespace"
        ),
        Broken(
            "spec.containers.0.imagePullPolicy",
            "Often",
            "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: \"Always\", \"IfNotPresent\", \"Never\""
        ),
        Broken(
            "spec.containers.0.ports.0.containerPort",
            70000,
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
        ),
        Broken(
            "spec.containers.0.ports.0.protocol",
            "ICMP",
            "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\""
        ),
        Broken(
            "spec.containers.0.ports.0.name",
            "a--b",
            "spec.containers[0].ports[0].name: Invalid value: \"a--b\": must not contain consecutive hyphens"
        ),
        Broken("spec.containers.0.env.0.name", "", "spec.containers[0].env[0].name: Required value"),
        Broken(
            "spec.containers.0.env.0.valueFrom",
            [:],
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        ),
        Broken(
            "spec.containers.0.env.0.valueFrom",
            ["configMapKeyRef": ["name": "c", "key": "k"]],
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"
        ),
        Broken(
            "spec.containers.0.env.0",
            ["name": "A", "valueFrom": ["fieldRef": ["fieldPath": "metadata.nope"]]],
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.nope\": error converting fieldPath: field label not supported: metadata.nope"
        ),
        Broken(
            "spec.containers.0.env.0",
            ["name": "A", "valueFrom": ["fieldRef": ["fieldPath": "status.phase"]]],
            "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\""
        ),
        Broken(
            "spec.containers.0.envFrom",
            [["prefix": "X"]],
            "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"
        ),
        Broken("spec.containers.0.volumeMounts.0.name", "gone", "spec.containers[0].volumeMounts[0].name: Not found: \"gone\""),
        Broken("spec.containers.0.volumeMounts.0.mountPath", "", "spec.containers[0].volumeMounts[0].mountPath: Required value"),
        Broken(
            "spec.containers.0.volumeMounts.0.subPath",
            "/etc",
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"/etc\": must be a relative path"
        ),
        Broken(
            "spec.containers.0.volumeMounts.0.subPath",
            "a/../b",
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"a/../b\": must not contain '..'"
        ),
        Broken(
            "spec.containers.0.volumeMounts.0.mountPropagation",
            "Bidirectional",
            "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"
        ),
        Broken(
            "spec.containers.0.volumeDevices",
            [["name": "data", "devicePath": "/dev/x"]],
            "spec.containers[0].volumeDevices[0].name: Invalid value: \"data\": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        ),
        Broken(
            "spec.containers.0.resources.requests",
            ["memory": "1Gi"],
            "spec.containers[0].resources.requests: Invalid value: \"1Gi\": must be less than or equal to memory limit of 64Mi"
        ),
        Broken(
            "spec.containers.0.resources.limits.cpu",
            "-1",
            "spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"
        ),
        Broken(
            "spec.containers.0.resources.limits.gpu",
            "1",
            "spec.containers[0].resources.limits[gpu]: Invalid value: \"gpu\": must be a standard resource for containers"
        ),
        Broken(
            "spec.containers.0.resources.limits.example~com/gpu",
            "500m",
            "spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer"
        ),
        Broken(
            "spec.containers.0.resources",
            ["requests": ["example.com/gpu": 1]],
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"
        ),
        Broken(
            "spec.containers.0.resources",
            ["limits": ["hugepages-2Mi": "4Mi"]],
            "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"
        ),
        Broken(
            "spec.containers.0.resources.limits.hugepages-2Mi",
            "3Mi",
            "spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi"
        ),
        Broken("spec.containers.0.readinessProbe", [:], "spec.containers[0].readinessProbe: Required value: must specify a handler type"),
        Broken(
            "spec.containers.0.readinessProbe.exec",
            ["command": ["x"]],
            "spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type"
        ),
        Broken(
            "spec.containers.0.livenessProbe",
            ["tcpSocket": ["port": 0]],
            "spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"
        ),
        Broken(
            "spec.containers.0.livenessProbe",
            ["tcpSocket": ["port": 1], "successThreshold": 2],
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"
        ),
        Broken(
            "spec.containers.0.lifecycle",
            ["preStop": ["sleep": ["seconds": 31]]],
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
        ),
        Broken(
            "spec.initContainers.0.livenessProbe",
            ["tcpSocket": ["port": 1]],
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
        ),
        Broken(
            "spec.containers.0.securityContext",
            ["runAsUser": -1],
            "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"
        ),
        Broken(
            "spec.containers.0.securityContext",
            ["seccompProfile": ["type": "Localhost"]],
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
        ),
        Broken(
            "spec.containers.0.securityContext",
            ["procMount": "Unmasked"],
            "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"
        ),
    ])
    func `a broken container is refused in upstream's words`(_ broken: Broken) throws {
        let found = try Subject("pods").problems(with(yaml(Self.pod), broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test(arguments: [
        Broken(
            "spec.restartPolicy",
            "Sometimes",
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\""
        ),
        Broken(
            "spec.dnsPolicy",
            "Mine",
            "spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\""
        ),
        Broken("spec.dnsPolicy", "None", "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
        Broken(
            "spec.dnsConfig",
            ["nameservers": ["1.2.3"]],
            "spec.dnsConfig.nameservers[0]: Invalid value: \"1.2.3\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        ),
        Broken(
            "spec.dnsConfig",
            ["nameservers": ["1.2.3.4", "1.2.3.5", "1.2.3.6", "1.2.3.7"]],
            "spec.dnsConfig.nameservers: Invalid value: [\"1.2.3.4\",\"1.2.3.5\",\"1.2.3.6\",\"1.2.3.7\"]: must not have more than 3 nameservers"
        ),
        Broken(
            "spec.activeDeadlineSeconds",
            0,
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"
        ),
        Broken("spec.hostname", "a.b", "spec.hostname: Invalid value: \"a.b\": must not contain dots"),
        Broken(
            "spec.hostAliases",
            [["ip": "x"]],
            "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        ),
        Broken(
            "spec.readinessGates",
            [["conditionType": ""]],
            "spec.readinessGates[0].conditionType: Invalid value: \"\": name part must be non-empty"
        ),
        Broken(
            "spec.tolerations",
            [["key": "a", "operator": "Near"]],
            "spec.tolerations[0].operator: Unsupported value: \"Near\": supported values: \"Equal\", \"Exists\""
        ),
        Broken(
            "spec.tolerations",
            [["operator": "Equal"]],
            "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match all values and all keys\""
        ),
        Broken(
            "spec.tolerations",
            [["key": "a", "operator": "Exists", "tolerationSeconds": 3]],
            "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"
        ),
        Broken(
            "spec.topologySpreadConstraints",
            [["maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"]],
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"
        ),
        Broken(
            "spec.topologySpreadConstraints",
            [["maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2]],
            "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
        ),
        Broken(
            "spec.affinity",
            ["nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": []]]],
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term"
        ),
        Broken(
            "spec.affinity",
            ["podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [["labelSelector": [:]]]]],
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty"
        ),
        Broken(
            "spec.affinity",
            [
                "podAntiAffinity": [
                    "preferredDuringSchedulingIgnoredDuringExecution": [["weight": 101, "podAffinityTerm": ["topologyKey": "z"]]]
                ]
            ],
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100"
        ),
        Broken(
            "spec.securityContext",
            ["fsGroup": -1],
            "spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive"
        ),
        Broken(
            "spec.securityContext",
            ["sysctls": [["name": "a..b", "value": "1"]]],
            "spec.securityContext.sysctls[0].name: Invalid value: \"a..b\": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
        ),
        Broken("spec.hostNetwork", true, ""),
        Broken("spec.os", ["name": "beos"], "spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\""),
        Broken(
            "spec.ephemeralContainers",
            [["name": "debug", "image": "busybox"]],
            "spec.ephemeralContainers: Forbidden: cannot be set on create"
        ),
        Broken("spec.volumes.0.name", "", "spec.volumes[0].name: Required value"),
        Broken("spec.volumes.1.name", "data", "spec.volumes[1].name: Duplicate value: \"data\""),
        Broken("spec.volumes.0.hostPath", ["path": "/x"], "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"),
        Broken("spec.volumes.1.configMap.name", "", "spec.volumes[1].configMap.name: Required value"),
        Broken(
            "spec.volumes.1.configMap.defaultMode",
            512,
            "spec.volumes[1].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"
        ),
        Broken(
            "spec.volumes.1.configMap.items",
            [["key": "a", "path": "../b"]],
            "spec.volumes[1].configMap.items[0].path: Invalid value: \"../b\": must not contain '..'"
        ),
        Broken(
            "spec.volumes.1",
            ["name": "conf", "hostPath": ["path": "/x", "type": "Pipe"]],
            "spec.volumes[1].hostPath.type: Unsupported value: \"Pipe\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\""
        ),
        Broken(
            "spec.volumes.1",
            ["name": "conf", "projected": ["sources": [["serviceAccountToken": ["path": "t", "expirationSeconds": 10]]]]],
            "spec.volumes[1].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes"
        ),
        Broken(
            "spec.volumes.1",
            ["name": "conf", "downwardAPI": ["items": [["path": "x"]]]],
            "spec.volumes[1].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"
        ),
    ])
    func `a broken pod spec is refused in upstream's words`(_ broken: Broken) throws {
        let found = try Subject("pods").problems(with(yaml(Self.pod), broken.path, broken.value))
        if broken.message.isEmpty {
            // What the server completes is no error: host ports follow the container's on the host's network.
            #expect(found == [])
        } else {
            #expect(found.contains(broken.message), "\(found)")
        }
    }

    @Test func `a volume without a source is an empty directory, an image volume has a pull policy`() throws {
        let pods = try Subject("pods")
        var pod = try yaml(Self.pod)
        pod.set([["name": "data"], ["name": "img", "image": ["reference": "a/b"]]], at: ["spec", "volumes"])
        let made = pods.created(pod)
        #expect(made.value(at: ["spec", "volumes", "0"]) == ["name": "data", "emptyDir": [:]])
        #expect(made.value(at: ["spec", "volumes", "1", "image", "pullPolicy"]) == "Always")
    }

    @Test(arguments: [
        ("a", "Always"), ("a:latest", "Always"), ("a:1", "IfNotPresent"), ("host:5000/a", "Always"), ("host:5000/a:1", "IfNotPresent"),
        ("a@sha256:00", "IfNotPresent"), ("a:latest@sha256:00", "IfNotPresent"),
    ])
    func `the pull policy follows the tag`(_ image: String, _ policy: String) {
        #expect(PodSpecDefaults.pullPolicy(image) == policy)
    }

    @Test func `label keys of constraints become requirements`() throws {
        let pods = try Subject("pods")
        let constraint: JSONValue = [
            "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["app"], "labelSelector": [:],
        ]
        let made = try pods.created(with(yaml(Self.pod), "spec.topologySpreadConstraints", [constraint]))
        let path = ["spec", "topologySpreadConstraints", "0", "labelSelector", "matchExpressions"]
        #expect(made.value(at: path) == [["key": "app", "operator": "In", "values": ["web"]]])
    }
}
