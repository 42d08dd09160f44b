import Schema
import Values

/// Deployments, ReplicaSets, DaemonSets and StatefulSets before `apps/v1`.
extension LegacyShape {
    /// "No limit", as the past wrote it.
    private static let unlimited: JSONValue = .integer(Int64(Int32.max))
    private static let rollbackKey = "deprecated.deployment.rollback.to"
    private static let generationKey = "deprecated.daemonset.template.generation"

    static let appsDeployment = deployment("apps") { object in
        object.fill(["spec", "revisionHistoryLimit"], 2)
        object.fill(["spec", "progressDeadlineSeconds"], 600)
    }

    static let extensionsDeployment = deployment("extensions") { object in
        let strategy = object.value(at: ["spec", "strategy"])
        let type = strategy?["type"]?.string ?? ""
        if type.isEmpty || type == "RollingUpdate" || strategy?["rollingUpdate"]?.object != nil {
            object.fill(["spec", "strategy", "rollingUpdate", "maxUnavailable"], 1)
            object.fill(["spec", "strategy", "rollingUpdate", "maxSurge"], 1)
        }
        object.fill(["spec", "progressDeadlineSeconds"], unlimited)
        object.fill(["spec", "revisionHistoryLimit"], unlimited)
    }

    private static func deployment(_ group: String, _ own: @escaping Change) -> LegacyShape {
        LegacyShape(
            edit: SchemaEdit(below: ["spec": SchemaEdit(added: { _ in [rollback(group)] })]),
            defaults: { object in
                guard object["spec"]?.object != nil else { return }
                adoptLabels(&object)
                own(&object)
            },
            up: { object in
                guard let target = object.value(at: ["spec", "rollbackTo"]) else { return }
                object.remove(at: ["spec", "rollbackTo"])
                guard target.object != nil else { return }
                object.annotate(rollbackKey, "\(target["revision"]?.int ?? 0)")
            },
            down: { object in
                guard let text = object.value(at: ["metadata", "annotations", rollbackKey])?.string, let revision = Int64(text)
                else { return }
                _ = object.takeAnnotation(rollbackKey)
                object.set(["revision": .integer(revision)], at: ["spec", "rollbackTo"])
            }
        )
    }

    private static func rollback(_ group: String) -> SchemaField {
        let revision = SchemaField.old(
            "revision",
            .scalar(.integer, format: "int64"),
            "The revision to return to; 0 is the one before.",
            number: 1,
            type: "int64"
        )
        let body = SchemaBody(fields: [revision], description: "A revision to return to.", isBuiltin: true)
        let node = SchemaNode(shape: .object, name: "io.k8s.api.\(group).v1beta1.RollbackConfig", body: body)
        return .old("rollbackTo", node, "The revision this deployment shall return to.", number: 8, type: "RollbackConfig")
    }

    static let replicaSet = LegacyShape(defaults: { object in
        guard object["spec"]?.object != nil else { return }
        adoptLabels(&object)
    })

    static let daemonSet = LegacyShape(
        edit: SchemaEdit(below: ["spec": SchemaEdit(added: { _ in [templateGeneration] })]),
        defaults: { object in
            guard object["spec"]?.object != nil else { return }
            adoptLabels(&object)
            onDelete(&object)
        },
        up: { object in
            guard let generation = object.value(at: ["spec", "templateGeneration"]) else { return }
            object.remove(at: ["spec", "templateGeneration"])
            if let number = generation.int { object.annotate(generationKey, "\(number)") }
        },
        down: { object in
            guard let text = object.value(at: ["metadata", "annotations", generationKey])?.string, let number = Int64(text) else { return }
            _ = object.takeAnnotation(generationKey)
            object.set(.integer(number), at: ["spec", "templateGeneration"])
        }
    )

    private static let templateGeneration = SchemaField.old(
        "templateGeneration",
        .scalar(.integer, format: "int64"),
        "How often the template has changed.",
        number: 5,
        type: "int64"
    )

    static let statefulSet = LegacyShape(defaults: { object in
        guard object["spec"]?.object != nil else { return }
        adoptLabels(&object)
        onDelete(&object)
    })

    /// Pods were replaced only by hand unless the object said otherwise.
    private static func onDelete(_ object: inout JSONValue) {
        if object.value(at: ["spec", "updateStrategy", "type"])?.string?.isEmpty ?? true {
            object.set("OnDelete", at: ["spec", "updateStrategy", "type"])
        }
    }

    /// Selector and labels were taken from the template.
    private static func adoptLabels(_ object: inout JSONValue) {
        guard let labels = object.value(at: ["spec", "template", "metadata", "labels"]), !labels.isEmptyObject else { return }
        object.fill(["spec", "selector"], ["matchLabels": labels])
        if object.value(at: ["metadata", "labels"])?.isEmptyObject ?? true { object.set(labels, at: ["metadata", "labels"]) }
    }
}
