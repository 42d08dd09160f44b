import APIModel
import Schema
import Units
import Values

/// The behaviour of cron jobs.
struct CronJobHooks: KindHooks {
    func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec", "jobTemplate", "spec", "template", "spec"], isPod: false)
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        Generation.advance(&object, old: old)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let spec = FieldPath("spec")
        var issues: [FieldIssue] = []
        if object.value(at: ["spec", "schedule"])?.string?.isEmpty ?? true { issues.append(.required(spec.child("schedule"), "")) }
        let policy = object.value(at: ["spec", "concurrencyPolicy"])?.string ?? ""
        let policies = ["Allow", "Forbid", "Replace"]
        if !policies.contains(policy) { issues.append(.notSupported(spec.child("concurrencyPolicy"), .string(policy), policies)) }
        let template = spec.child("jobTemplate", "spec", "template", "spec")
        let podSpec = object.value(at: ["spec", "jobTemplate", "spec", "template", "spec"]) ?? [:]
        return issues + PodSpecValidation.issues(podSpec, at: template, restartPolicies: ["OnFailure", "Never"])
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        validate(object, context)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let last = object.value(at: ["status", "lastScheduleTime"])?.string
        let template = object.value(at: ["spec", "jobTemplate", "spec"])
        return [
            Cells.name(object), object.value(at: ["spec", "schedule"]) ?? "", .string(object.value(at: ["spec", "timeZone"])?.string ?? "<none>"),
            .string(object.value(at: ["spec", "suspend"])?.bool == true ? "True" : "False"),
            .integer(Int64(object.value(at: ["status", "active"])?.array?.count ?? 0)),
            .string(last == nil ? "<none>" : Cells.since(last, now: now)), Cells.age(object, now: now),
        ] + Cells.containers(template?.value(at: ["template", "spec"])) + [.string(Cells.selector(template?["selector"]))]
    }
}
