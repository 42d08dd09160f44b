import Testing
import Values

@testable import BuiltinKinds

/// `autoscaling/v1` and `v2` are the same objects.
@Suite struct AutoscalerConversionTests {
    private let conversion = AutoscalerV1(stored: "autoscaling/v2")
    private static let prefix = "autoscaling.alpha.kubernetes.io/"

    private func annotation(_ object: JSONValue, _ name: String) -> String? {
        object.value(at: ["metadata", "annotations", Self.prefix + name])?.string
    }

    @Test func `what v1 has no field for hides in annotations, in upstream's order`() throws {
        let stored = try yaml(
            """
            {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 3, metrics: [
            {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}},
            {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1Gi}}},
            {type: ContainerResource, containerResource: {name: cpu, container: app, target: {type: Utilization, averageUtilization: 70}}},
            {type: Pods, pods: {metric: {name: rps, selector: {matchLabels: {a: b}}}, target: {type: AverageValue, averageValue: '5'}}},
            {type: Object, object: {describedObject: {kind: Service, name: s, apiVersion: v1}, metric: {name: hits}, target: {type: Value, value: '9'}}},
            {type: External, external: {metric: {name: queue}, target: {type: AverageValue, averageValue: '2'}}}],
            behavior: {scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: Pods, value: 1, periodSeconds: 15}]}}},
            status: {currentReplicas: 1, desiredReplicas: 1,
            currentMetrics: [{type: Resource, resource: {name: cpu, current: {averageUtilization: 12, averageValue: 3m}}}],
            conditions: [{type: AbleToScale, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: R, message: M}]}}
            """
        )
        let old = conversion.fromStorage(stored)
        #expect(old["apiVersion"] == "autoscaling/v1")
        #expect(old.value(at: ["spec", "targetCPUUtilizationPercentage"]) == 60)
        #expect(old.value(at: ["status", "currentCPUUtilizationPercentage"]) == 12)
        #expect(old.value(at: ["spec", "metrics"]) == nil && old.value(at: ["status", "conditions"]) == nil)
        let metrics = [
            #"{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}"#,
            #"{"type":"ContainerResource","containerResource":{"name":"cpu","targetAverageUtilization":70,"container":"app"}}"#,
            #"{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"5","selector":{"matchLabels":{"a":"b"}}}}"#,
            #"{"type":"Object","object":{"target":{"kind":"Service","name":"s","apiVersion":"v1"},"metricName":"hits","targetValue":"9"}}"#,
            #"{"type":"External","external":{"metricName":"queue","targetAverageValue":"2"}}"#,
        ]
        #expect(annotation(old, "metrics") == "[\(metrics.joined(separator: ","))]")
        #expect(
            annotation(old, "behavior")
                == #"{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":null}}"#
        )
        #expect(
            annotation(old, "current-metrics")
                == #"[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":12,"currentAverageValue":"3m"}}]"#
        )
        #expect(
            annotation(old, "conditions")
                == #"[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"R","message":"M"}]"#
        )
        // Back again: the CPU target comes last, as upstream puts it.
        var expected = stored
        var list = expected.value(at: ["spec", "metrics"])?.array ?? []
        list.append(list.removeFirst())
        expected.set(.array(list), at: ["spec", "metrics"])
        expected["metadata"] = ["name": "h", "annotations": [:]]
        #expect(conversion.toStorage(old) == expected)
    }

    @Test func `without any target it is four fifths of the CPU`() {
        let stored = conversion.toStorage(["apiVersion": "autoscaling/v1", "spec": ["maxReplicas": 2]])
        #expect(stored.value(at: ["spec", "metrics", "0", "resource", "target", "averageUtilization"]) == 80)
        #expect(conversion.fromStorage(stored).value(at: ["spec", "targetCPUUtilizationPercentage"]) == 80)
    }

    @Test func `annotations that are not to be read are dropped`() {
        let annotations: JSONValue = [
            "autoscaling.alpha.kubernetes.io/metrics": "nonsense", "autoscaling.alpha.kubernetes.io/behavior": "{}", "mine": "x",
        ]
        let stored = conversion.toStorage(["metadata": ["annotations": annotations], "spec": ["maxReplicas": 2]])
        #expect(stored.value(at: ["metadata", "annotations"]) == ["mine": "x"])
        #expect(stored.value(at: ["spec", "behavior"]) == nil)
    }
}
