import Testing
import Values

@testable import BuiltinKinds

private let named = "{name: x, creationTimestamp: \"2023-11-14T22:08:20Z\"}"

/// The rows of the kinds that few people look at.
@Suite struct TableRowTests {
    @Test(arguments: [
        Shown("validatingwebhookconfigurations.admissionregistration.k8s.io", "{webhooks: [{}, {}]}", [2, "5m"]),
        Shown(
            "validatingadmissionpolicies.admissionregistration.k8s.io",
            "{spec: {validations: [{}], paramKind: {apiVersion: v1, kind: ConfigMap}}}",
            [1, "v1/ConfigMap", "5m"]
        ),
        Shown(
            "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            "{spec: {policyName: p, paramRef: {name: a}}}",
            ["p", "*/a", "5m"]
        ),
        Shown(
            "apiservices.apiregistration.k8s.io",
            "{spec: {service: {name: s, namespace: ns}}, status: {conditions: [{type: Available, status: 'False', reason: Gone}]}}",
            ["ns/s", "False (Gone)", "5m"]
        ),
        Shown("clustertrustbundles.certificates.k8s.io", "{spec: {signerName: a.b/c}}", ["a.b/c"]),
        Shown(
            "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
            "{spec: {type: Limited, limited: {nominalConcurrencyShares: 30, limitResponse: {queuing: {queues: 64, handSize: 8, queueLengthLimit: 50}}}}}",
            ["Limited", 30, 64, 8, 50, "5m"]
        ),
        Shown("servicecidrs.networking.k8s.io", "{spec: {cidrs: [10.0.0.0/16, 'fd00::/108']}}", ["10.0.0.0/16,fd00::/108", "5m"]),
        Shown("csinodes.storage.k8s.io", "{spec: {drivers: [{}, {}]}}", [2, "5m"]),
        Shown("runtimeclasses.node.k8s.io", "{handler: runc}", ["runc", "5m"]),
        Shown("ingressclasses.networking.k8s.io", "{spec: {controller: a.b/c}}", ["a.b/c", "<none>", "5m"]),
        Shown("resourceclaims.resource.k8s.io", "{status: {allocation: {}, reservedFor: [{}]}}", ["allocated,reserved", "5m"]),
        Shown("resourceslices.resource.k8s.io", "{spec: {nodeName: node, driver: a.b, pool: {name: p}}}", ["node", "a.b", "p", "5m"]),
        Shown(
            "devicetaintrules.resource.k8s.io",
            "{spec: {taint: {key: k, value: v, effect: NoExecute, timeAdded: \"2023-11-14T22:12:20Z\"}}}",
            ["k", "v", "NoExecute", "60s", "5m"]
        ),
        Shown(
            "podgroups.scheduling.k8s.io",
            "{spec: {schedulingPolicy: {gang: {minCount: 2}}}, status: {conditions: [{type: PodGroupScheduled, status: 'True'}]}}",
            ["Gang", "<none>", "Scheduled", "5m"]
        ),
        Shown(
            "storageversionmigrations.storagemigration.k8s.io",
            "{spec: {resource: {group: apps, resource: deployments}}, status: {conditions: [{type: Running, status: 'True'}]}}",
            ["deployments.apps", "Running"]
        ),
        Shown(
            "leasecandidates.coordination.k8s.io",
            "{spec: {leaseName: l, binaryVersion: 1.36.0, emulationVersion: 1.35.0}}",
            ["l", "1.36.0", "1.35.0", "5m"]
        ),
    ]) func `a row of a kind seldom seen`(_ shown: Shown) throws {
        let object = with(try yaml(shown.object), "metadata", try yaml(named))
        let row = try #require(try Subject(shown.resource).row(object))
        #expect(row == ["x"] + shown.row)
    }

    @Test func `what was stored before a rule may stay`() throws {
        let policies = try Subject("networkpolicies.networking.k8s.io")
        let policy = try yaml("{metadata: {name: n}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]}}")
        #expect(policies.problems(policy).count == 1)
        #expect(policies.problems(policy, from: policy) == [])
        let ingresses = try Subject("ingresses.networking.k8s.io")
        let path = "{path: x, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}"
        let old = try yaml("{metadata: {name: i}, spec: {rules: [{host: '*.a.b', http: {paths: [\(path)]}}], tls: [{secretName: A}]}}")
        #expect(ingresses.problems(old).count == 2)
        #expect(ingresses.problems(with(old, "spec.ingressClassName", "c"), from: old) == [])
    }
}
