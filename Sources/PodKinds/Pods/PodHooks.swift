import APIModel
import Schema
import Units
import Values

/// The behaviour of pods.
package struct PodHooks: KindHooks {
    private static let spec = FieldPath("spec")
    private static let defaultGrace: Int64 = 30

    package init() {}

    package func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec"], isPod: true)
        alignAddresses(&object)
    }

    package func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        keepGracePositive(&object)
        GatedPodFields.drop(&object, old: nil, at: ["spec"])
        var status: JSONValue = ["phase": "Pending", "qosClass": .string(QualityOfService.of(object["spec"]))]
        if object["spec"]?.list("schedulingGates").isEmpty == false {
            status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": .null,
                    "lastTransitionTime": .string(context.now.rfc3339),
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        }
        object["status"] = status
        LabelKeySelectors.merge(&object)
        PodAnnotationValidation.takeProfiles(&object)
    }

    package func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        switch context.subresource {
        case "ephemeralcontainers": PodParts.keepEphemeralContainers(&object, old: old)
        case "resize": PodParts.keepResources(&object, old: old)
        default: break
        }
        keepGracePositive(&object)
        GatedPodFields.drop(&object, old: old, at: ["spec"])
        Generation.advance(&object, old: old)
    }

    package func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        // What the pod was admitted with, its deletion included, is not the status writer's to change.
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences"] {
            if let value = old["metadata"]?[field] {
                object.set(value, at: ["metadata", field])
            } else {
                object.remove(at: ["metadata", field])
            }
        }
        if object["status"]?["qosClass"] == nil, let known = old["status"]?["qosClass"] {
            object.set(known, at: ["status", "qosClass"])
        }
        keepObservedGeneration(&object, old)
    }

    /// Upstream's conversion does this to whatever a client sends, of pods but not of templates.
    private func keepGracePositive(_ object: inout JSONValue) {
        guard object["spec"]?.number("terminationGracePeriodSeconds") ?? 0 < 0 else { return }
        object.set(1, at: ["spec", "terminationGracePeriodSeconds"])
    }

    /// The one address is the first of all; where they differ, the one counts.
    private func alignAddresses(_ object: inout JSONValue) {
        let (one, first) = (object["status"]?.text("podIP") ?? "", object["status"]?.list("podIPs").first?.text("ip"))
        if !one.isEmpty, first != one {
            object.set([["ip": .string(one)]], at: ["status", "podIPs"])
        } else if one.isEmpty, let first, !first.isEmpty {
            object.set(.string(first), at: ["status", "podIP"])
        }
    }

    /// A writer that does not know `observedGeneration` does not take it away.
    private func keepObservedGeneration(_ object: inout JSONValue, _ old: JSONValue) {
        if object["status"]?["observedGeneration"] == nil, let known = old["status"]?["observedGeneration"] {
            object.set(known, at: ["status", "observedGeneration"])
        }
        guard var conditions = object["status"]?["conditions"]?.array else { return }
        let before = old["status"]?.list("conditions") ?? []
        var isChanged = false
        for index in conditions.indices where conditions[index]["observedGeneration"] == nil {
            let type = conditions[index].text("type")
            guard let known = before.first(where: { $0.text("type") == type })?["observedGeneration"] else { continue }
            conditions[index]["observedGeneration"] = known
            isChanged = true
        }
        if isChanged { object.set(.array(conditions), at: ["status", "conditions"]) }
    }

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        wholePod(object, &issues)
        let spec = object["spec"] ?? [:]
        if !spec.list("ephemeralContainers").isEmpty {
            issues.forbidden(Self.spec.child("ephemeralContainers"), "cannot be set on create")
        }
        if !spec.text("nodeName").isEmpty, !spec.list("schedulingGates").isEmpty {
            issues.forbidden(Self.spec.child("nodeName"), "cannot be set until all schedulingGates have been cleared")
        }
        ProfileAgreement.check(object, &issues)
        return issues
    }

    private func wholePod(_ object: JSONValue, old: JSONValue? = nil, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let metadata = object["metadata"]
        PodAnnotationValidation.check(metadata, spec: spec, FieldPath("metadata").child("annotations"), &issues)
        PodSpecValidation.check(spec, old: old?["spec"], at: Self.spec, podName: metadata?.text("name") ?? "", &issues)
        if spec.text("serviceAccountName").isEmpty { tokens(spec, &issues) }
        for list in ["containers", "initContainers"] {
            for (index, container) in spec.list(list).enumerated() {
                ContainerValidation.imageSpace(container, at: Self.spec.child(list).index(index), &issues)
            }
        }
    }

    private func tokens(_ spec: JSONValue, _ issues: inout [FieldIssue]) {
        for (index, volume) in spec.list("volumes").enumerated() {
            for (number, source) in (volume["projected"]?.list("sources") ?? []).enumerated() where source["serviceAccountToken"] != nil {
                let place = Self.spec.child("volumes").index(index).child("projected", "sources").index(number)
                issues.forbidden(place.child("serviceAccountToken"), "must not be specified when serviceAccountName is not set")
            }
        }
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let change = PodUpdateValidation(object, old: old)
        switch context.subresource {
        case "ephemeralcontainers", "resize":
            let isResize = context.subresource == "resize"
            if let words = PodParts.refusal(old, isResize: isResize) {
                issues.forbidden(.root, words)
                return issues
            }
            wholePod(object, old: old, &issues)
            PodAnnotationValidation.update(object, old, &issues)
            if isResize { change.resize(&issues) } else { change.ephemeralContainers(&issues) }
        default:
            // Most updates touch the metadata alone: what is unchanged was valid when it was stored.
            if object["spec"] != old["spec"] || object["metadata"]?["annotations"] != old["metadata"]?["annotations"] {
                wholePod(object, old: old, &issues)
                PodAnnotationValidation.update(object, old, &issues)
            }
            change.object(&issues)
        }
        return issues
    }

    package func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        PodAnnotationValidation.update(object, old, &issues)
        PodStatusValidation(object, old: old).check(&issues)
        return issues
    }

    package func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        // People do not update pods; controllers that do are not to pay for this.
        guard old == nil else { return [] }
        var warnings: [String] = []
        let problems = Names.dns1123LabelIssues(object["metadata"]?.text("name") ?? "")
        if !problems.isEmpty {
            let words = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
            warnings.append("metadata.name: \(words): [\(problems.joined(separator: " "))]")
        }
        return warnings + PodAnnotationValidation.warnings(object) + PodWarnings.of(object, at: .root)
    }

    /// A pod that is on no node, or has ended, goes at once; others get their grace period.
    package func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64? {
        var period = requested ?? object["spec"]?["terminationGracePeriodSeconds"]?.int ?? Self.defaultGrace
        if object["spec"]?.text("nodeName").isEmpty ?? true { period = 0 }
        if ["Failed", "Succeeded"].contains(object["status"]?.text("phase")) { period = 0 }
        return period < 0 ? 1 : period
    }

    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        PodCells(object, now: now).row
    }
}

/// Selectors that take the values of some labels from the pod itself.
package enum LabelKeySelectors {
    /// Turns `matchLabelKeys` and `mismatchLabelKeys` into requirements of the selectors beside them.
    package static func merge(_ object: inout JSONValue) {
        guard let spec = object["spec"] else { return }
        let labels = object["metadata"]?.members("labels") ?? [:]
        if let constraints = spec["topologySpreadConstraints"]?.array, constraints.contains(where: hasKeys) {
            object.set(.array(constraints.map { merged($0, labels) }), at: ["spec", "topologySpreadConstraints"])
        }
        guard let affinity = spec["affinity"] else { return }
        for kind in ["podAffinity", "podAntiAffinity"] {
            guard let terms = affinity[kind] else { continue }
            let required = terms.list("requiredDuringSchedulingIgnoredDuringExecution")
            if required.contains(where: hasKeys) {
                let path = ["spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"]
                object.set(.array(required.map { merged($0, labels) }), at: path)
            }
            var preferred = terms.list("preferredDuringSchedulingIgnoredDuringExecution")
            guard preferred.contains(where: { $0["podAffinityTerm"].map(hasKeys) ?? false }) else { continue }
            for index in preferred.indices {
                guard let term = preferred[index]["podAffinityTerm"] else { continue }
                preferred[index]["podAffinityTerm"] = merged(term, labels)
            }
            object.set(.array(preferred), at: ["spec", "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution"])
        }
    }

    private static func hasKeys(_ term: JSONValue) -> Bool {
        !term.list("matchLabelKeys").isEmpty || !term.list("mismatchLabelKeys").isEmpty
    }

    private static func merged(_ term: JSONValue, _ labels: JSONObject) -> JSONValue {
        guard var selector = term["labelSelector"] else { return term }
        var expressions = selector.list("matchExpressions")
        for (field, op) in [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")] {
            for key in term.texts(field) {
                guard let value = labels[key] else { continue }
                expressions.append(["key": .string(key), "operator": .string(op), "values": [value]])
            }
        }
        guard !expressions.isEmpty else { return term }
        selector["matchExpressions"] = .array(expressions)
        var term = term
        term["labelSelector"] = selector
        return term
    }
}
