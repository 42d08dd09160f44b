import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

@Suite struct WarningTests {
    @Test(arguments: [
        Broken(
            "metadata.name",
            "a.b",
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
        ),
        Broken(
            "spec.nodeSelector",
            ["beta.kubernetes.io/os": "linux"],
            "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead"
        ),
        Broken(
            "spec.containers.0.env",
            [["name": "A", "value": "1"], ["name": "A", "value": "2"]],
            "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply"
        ),
        Broken(
            "spec.containers.0.ports",
            [["containerPort": 80, "name": "a"], ["containerPort": 80, "name": "b"]],
            "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"
        ),
        Broken(
            "spec.containers.0.resources",
            ["limits": ["memory": "100m"]],
            "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer"
        ),
        Broken(
            "spec.volumes.0",
            ["name": "data", "gitRepo": ["repository": "r"]],
            "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"
        ),
        Broken(
            "spec.volumes.1.configMap.items",
            [["key": "a", "path": "x"], ["key": "b", "path": "x/y"]],
            "volume \"conf\" (ConfigMap \"conf\"): overlapping paths: \"x/y\" with \"x\""
        ),
        Broken(
            "metadata.annotations",
            ["scheduler.alpha.kubernetes.io/critical-pod": ""],
            "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the \"priorityClassName\" field instead"
        ),
        Broken("spec.imagePullSecrets", [["name": "a"], ["name": "a"]], "spec.imagePullSecrets[1].name: duplicate name \"a\""),
        Broken(
            "spec.affinity",
            ["podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [["topologyKey": "z"]]]],
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod"
        ),
    ])
    func `a pod's author is warned`(_ broken: Broken) throws {
        let found = try Subject("pods").warnings(with(yaml(PodValidationTests.pod), broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `nothing to warn of`() throws {
        #expect(try Subject("pods").warnings(yaml(PodValidationTests.pod)) == [])
        #expect(try Subject("deployments.apps").warnings(yaml(WorkloadTests.deployment)) == [])
        #expect(try Subject("services").warnings(yaml("{metadata: {name: s}, spec: {ports: [{port: 80}]}}")) == [])
    }

    @Test func `a template's warnings say where it stands`() throws {
        let value: JSONValue = ["kubernetes.io/os": "linux", "node-role.kubernetes.io/master": ""]
        let found = try Subject("deployments.apps").warnings(with(yaml(WorkloadTests.deployment), "spec.template.spec.nodeSelector", value))
        #expect(
            found == [
                "spec.template.spec.nodeSelector[node-role.kubernetes.io/master]: use \"node-role.kubernetes.io/control-plane\" instead"
            ]
        )
    }

    @Test func `old ways of services, ingresses and cron jobs`() throws {
        let service = try yaml(
            "{metadata: {name: s}, spec: {ports: [{port: 80}], externalIPs: [1.2.3.4], trafficDistribution: PreferClose}}"
        )
        #expect(
            try Subject("services").warnings(service) == [
                "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
                "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
            ]
        )
        let ingress = try yaml("{metadata: {name: i, annotations: {kubernetes.io/ingress.class: nginx}}, spec: {}}")
        #expect(
            try Subject("ingresses.networking.k8s.io").warnings(ingress) == [
                "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"
            ]
        )
    }
}
