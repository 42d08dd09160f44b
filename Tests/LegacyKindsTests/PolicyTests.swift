import APIModel
import Channels
import Testing
import Units
import Values

@testable import LegacyKinds

@Suite struct PolicyTests {
    @Test func `an empty selector of a beta disruption budget chooses nothing`() throws {
        let form = try OldForm("policy/v1beta1", "poddisruptionbudgets")
        let conversion = try #require(form.version.conversion)
        let key: JSONValue = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"
        let none: JSONValue = ["matchExpressions": [["key": key, "operator": "Exists"]]]
        let every: JSONValue = ["matchExpressions": [["key": key, "operator": "DoesNotExist"]]]
        func up(_ selector: JSONValue) -> JSONValue? {
            conversion.toStorage(["spec": ["selector": selector]]).value(at: ["spec", "selector"])
        }
        func down(_ selector: JSONValue) -> JSONValue? {
            conversion.fromStorage(["spec": ["selector": selector]]).value(at: ["spec", "selector"])
        }
        #expect(up([:]) == none)
        #expect(up(every) == [:])
        #expect(up(["matchLabels": ["a": "b"], "matchExpressions": [["key": key, "operator": "Exists"]]]) == ["matchLabels": ["a": "b"]])
        #expect(down(none) == [:])
        #expect(down([:]) == every)
        #expect(down(["matchLabels": ["a": "b"]]) == ["matchLabels": ["a": "b"]])
    }

    @Test func `beta webhooks ignore failures and wait half a minute`() throws {
        for (plural, kind) in [
            ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
            ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
        ] {
            let form = try OldForm("admissionregistration.k8s.io/v1beta1", plural)
            let stored = try form.stored(
                """
                apiVersion: admissionregistration.k8s.io/v1beta1
                kind: \(kind)
                metadata: {name: hooks}
                webhooks: [{name: a.example.com, clientConfig: {service: {name: hooks, namespace: default}}}]
                """
            )
            let hook = try #require(stored["webhooks"]?[0])
            #expect(hook["failurePolicy"] == "Ignore")
            #expect(hook["matchPolicy"] == "Exact")
            #expect(hook["sideEffects"] == "Unknown")
            #expect(form.issues(stored) == [])
            #expect(hook["timeoutSeconds"] == 30)
            #expect(hook["admissionReviewVersions"] == ["v1beta1"])
            #expect(hook.value(at: ["clientConfig", "service", "port"]) == 443)
            #expect(hook["reinvocationPolicy"] == (kind.hasPrefix("M") ? "Never" : nil))
        }
    }

    @Test func `a beta webhook may leave its side effects open, and today's clients may leave it so`() throws {
        let form = try OldForm("admissionregistration.k8s.io/v1beta1", "validatingwebhookconfigurations")
        let stored = try form.stored(
            """
            apiVersion: admissionregistration.k8s.io/v1beta1
            kind: ValidatingWebhookConfiguration
            metadata: {name: hooks}
            webhooks: [{name: a.example.com, sideEffects: Some, clientConfig: {service: {name: hooks, namespace: default}}}]
            """
        )
        #expect(stored["metadata"] == ["name": "hooks"])
        #expect(stored.value(at: ["webhooks", "0", "sideEffects"]) == "Some")
        #expect(form.issues(stored) == [])
        // Today's version takes no such word, unless it stood there before.
        var today = HookContext(now: Timestamp(unixSeconds: 1_700_000_000), random: SeededRandom(seed: 7))
        today.version = "v1"
        #expect(form.today.hooks.validate(stored, today).map(\.path.description) == ["webhooks[0].sideEffects"])
        #expect(form.today.hooks.validateUpdate(stored, old: stored, today).isEmpty)
    }

    @Test func `metrics of autoscaling v2beta1 there and back`() throws {
        let form = try OldForm("autoscaling/v2beta1", "horizontalpodautoscalers")
        let stored = try form.stored(
            """
            apiVersion: autoscaling/v2beta1
            kind: HorizontalPodAutoscaler
            metadata: {name: web, namespace: default}
            spec:
              scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
              maxReplicas: 10
              metrics:
              - {type: Resource, resource: {name: cpu, targetAverageUtilization: 50}}
              - {type: Resource, resource: {name: memory, targetAverageValue: 200Mi}}
              - {type: Pods, pods: {metricName: pps, targetAverageValue: 1k, selector: {matchLabels: {a: b}}}}
              - {type: Object, object: {metricName: rps, targetValue: "10k", target: {kind: Ingress, name: main, apiVersion: networking.k8s.io/v1}}}
              - {type: External, external: {metricName: depth, metricSelector: {matchLabels: {q: x}}, targetAverageValue: "30"}}
            """
        )
        let metrics = try #require(stored.value(at: ["spec", "metrics"])?.array)
        #expect(metrics[0]["resource"] == ["name": "cpu", "target": ["averageUtilization": 50, "type": "Utilization"]])
        #expect(metrics[1].value(at: ["resource", "target"]) == ["averageValue": "200Mi", "type": "AverageValue"])
        #expect(metrics[2].value(at: ["pods", "metric"]) == ["name": "pps", "selector": ["matchLabels": ["a": "b"]]])
        #expect(metrics[3].value(at: ["object", "describedObject", "name"]) == "main")
        #expect(metrics[3].value(at: ["object", "target"]) == ["type": "Value", "value": "10k"])
        #expect(metrics[4].value(at: ["external", "target", "averageValue"]) == "30")
        #expect(stored.value(at: ["spec", "minReplicas"]) == 1)
        #expect(form.issues(stored) == [])
        let conversion = try #require(form.version.conversion)
        let back = conversion.fromStorage(stored)
        #expect(form.version.schema.prunes(back) == [])
        #expect(back.value(at: ["spec", "metrics", "0", "resource"]) == ["name": "cpu", "targetAverageUtilization": 50])
        #expect(conversion.toStorage(back) == stored)
    }

    @Test func `the behavior of an autoscaler hides in an annotation`() throws {
        let conversion = try #require(try OldForm("autoscaling/v2beta1", "horizontalpodautoscalers").version.conversion)
        let stored: JSONValue = [
            "apiVersion": "autoscaling/v2", "metadata": [:],
            "spec": ["maxReplicas": 2, "behavior": ["scaleDown": ["stabilizationWindowSeconds": 5]]],
        ]
        let old = conversion.fromStorage(stored)
        #expect(old.value(at: ["spec", "behavior"]) == nil)
        #expect(old.value(at: ["metadata", "annotations", "autoscaling.alpha.kubernetes.io/behavior"]) != nil)
        #expect(conversion.toStorage(old) == stored)
    }

    @Test func `a beta certificate request gets the usages and the signer of its time`() throws {
        let form = try OldForm("certificates.k8s.io/v1beta1", "certificatesigningrequests")
        let (object, _) = try form.decoded(
            "apiVersion: certificates.k8s.io/v1beta1\nkind: CertificateSigningRequest\nmetadata: {name: a}\nspec: {request: aGVsbG8=}\n"
        )
        #expect(object.value(at: ["spec", "signerName"]) == "kubernetes.io/legacy-unknown")
        #expect(object.value(at: ["spec", "usages"]) == ["digital signature", "key encipherment"])
    }

    @Test func `every old version is there, once, without short names or categories`() throws {
        let old = OldForm.all.filter { kind in
            kind.storedAs != nil && kind.versions.contains { $0.deprecationWarning != nil && $0.conversion is LegacyConversion }
        }
        #expect(old.count == LegacyTable.all.count)
        #expect(old.allSatisfy { $0.shortNames.isEmpty && $0.categories.isEmpty })
        let names = old.map { "\($0.group)/\($0.versions[0].name)/\($0.plural)" }
        #expect(Set(names).count == names.count)
        for kind in old {
            let version = try #require(kind.versions.first)
            // Reading an empty object back and forth neither crashes nor changes the kind.
            let blank: JSONValue = ["kind": .string(kind.kind), "apiVersion": "x/v0", "metadata": [:], "spec": [:]]
            let conversion = try #require(version.conversion)
            #expect(conversion.fromStorage(conversion.toStorage(blank))["kind"]?.string == kind.kind)
            #expect(!version.schema.fields.isEmpty)
        }
    }

    @Test(arguments: ["null", "[]", "\"x\"", "{\"spec\": []}", "{\"spec\": {\"rules\": [1], \"metrics\": {}}}", "{\"webhooks\": [[]]}"])
    func `odd shapes pass through conversions without a crash`(text: String) throws {
        let value = try JSONParser.parse(text)
        for entry in OldForm.all {
            guard let conversion = entry.versions.first?.conversion as? LegacyConversion else { continue }
            _ = conversion.toStorage(value)
            _ = conversion.fromStorage(value)
            var object = value
            entry.hooks.defaults(&object)
        }
    }
}
