import PodKinds
import Values

/// Defaults of workloads that depend on other fields.
enum WorkloadDefaults {
    private static let quarter: JSONValue = "25%"

    /// A ReplicationController takes its selector and labels from its template.
    static func replicationController(_ object: inout JSONValue) {
        guard let labels = object["spec"]?["template"]?["metadata"]?["labels"]?.object, !labels.isEmpty else { return }
        if object["spec"]?.members("selector").isEmpty ?? true { object.set(.object(labels), at: ["spec", "selector"]) }
        if object["metadata"]?.members("labels").isEmpty ?? true { object.set(.object(labels), at: ["metadata", "labels"]) }
    }

    static func deployment(_ object: inout JSONValue) {
        guard object["spec"] != nil else { return }
        let path = ["spec", "strategy"]
        var strategy = object.value(at: path) ?? [:]
        if strategy.text("type").isEmpty { strategy["type"] = "RollingUpdate" }
        if strategy.text("type") == "RollingUpdate" {
            for field in ["maxSurge", "maxUnavailable"] where strategy["rollingUpdate"]?[field] == nil {
                strategy.set(quarter, at: ["rollingUpdate", field])
            }
        }
        object.set(strategy, at: path)
    }

    static func statefulSet(_ object: inout JSONValue) {
        guard var templates = object["spec"]?["volumeClaimTemplates"]?.array else { return }
        for index in templates.indices {
            // A template is a whole claim, so it has a claim's kind, phase and mode.
            templates[index]["apiVersion"] = templates[index]["apiVersion"] ?? "v1"
            templates[index]["kind"] = templates[index]["kind"] ?? "PersistentVolumeClaim"
            if templates[index]["spec"]?["volumeMode"] == nil { templates[index].set("Filesystem", at: ["spec", "volumeMode"]) }
            if templates[index]["status"]?["phase"] == nil { templates[index].set("Pending", at: ["status", "phase"]) }
        }
        object.set(.array(templates), at: ["spec", "volumeClaimTemplates"])
    }

    static func job(_ object: inout JSONValue) {
        guard var spec = object["spec"] else { return }
        if spec["completions"]?.int == nil, spec["parallelism"]?.int == nil { spec["completions"] = 1 }
        if spec["parallelism"]?.int == nil { spec["parallelism"] = 1 }
        let isPerIndex = spec["backoffLimitPerIndex"]?.int != nil
        if spec["backoffLimit"]?.int == nil { spec["backoffLimit"] = .integer(isPerIndex ? 2_147_483_647 : 6) }
        if spec["completionMode"] == nil { spec["completionMode"] = "NonIndexed" }
        if spec["suspend"] == nil { spec["suspend"] = false }
        if spec["podReplacementPolicy"] == nil {
            spec["podReplacementPolicy"] = spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed"
        }
        if spec["manualSelector"] == nil { spec["manualSelector"] = false }
        object["spec"] = spec
    }

    /// A Job without labels takes those of its template.
    static func jobLabels(_ object: inout JSONValue) {
        guard let labels = object["spec"]?["template"]?["metadata"]?["labels"]?.object, !labels.isEmpty,
            object["metadata"]?.members("labels").isEmpty ?? true
        else { return }
        object.set(.object(labels), at: ["metadata", "labels"])
    }
}

/// The selector a Job gets from the server unless it brings one: its own uid.
enum JobSelector {
    static let controller = "batch.kubernetes.io/controller-uid"

    /// Whether the labels of a job are those of its template, or none.
    static func hasLabelsOfTemplate(_ object: JSONValue) -> Bool {
        let own = object["metadata"]?.members("labels") ?? [:]
        return own.isEmpty || own == object["spec"]?["template"]?["metadata"]?.members("labels")
    }

    static func complete(_ object: inout JSONValue) {
        guard let uid = object["metadata"]?["uid"]?.string else { return }
        let name = object["metadata"]?["name"] ?? ""
        let labels: [(String, JSONValue)] = [
            (controller, .string(uid)), ("batch.kubernetes.io/job-name", name), ("controller-uid", .string(uid)), ("job-name", name),
        ]
        for (key, value) in labels where object["spec"]?["template"]?["metadata"]?["labels"]?[key] == nil {
            object.set(value, at: ["spec", "template", "metadata", "labels", key])
        }
        if object["spec"]?["selector"]?["matchLabels"]?[controller] == nil {
            object.set(.string(uid), at: ["spec", "selector", "matchLabels", controller])
        }
    }
}
