import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of cron jobs.
struct CronJobHooks: KindHooks {
    private static let podSpec = ["spec", "jobTemplate", "spec", "template", "spec"]
    private static let spec = FieldPath("spec")
    private static let nameLimit = 52
    private static let zonePartLimit = 14

    func defaults(_ object: inout JSONValue) {
        PodSpecDefaults.apply(&object, at: ["spec", "jobTemplate", "spec", "template", "spec"], isPod: false)
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        GatedPodFields.drop(&object, old: nil, at: Self.podSpec)
        Generation.start(&object)
        object["status"] = [:]
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        GatedPodFields.drop(&object, old: old, at: Self.podSpec)
        Generation.advance(&object, old: old)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        check(object["spec"] ?? [:], old: nil, &issues)
        let name = object["metadata"]?.text("name") ?? ""
        if name.utf8.count > Self.nameLimit {
            issues.invalid(FieldPath("metadata").child("name"), .string(name), "must be no more than 52 characters")
        }
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if object["spec"] != old["spec"] { check(object["spec"] ?? [:], old: old["spec"] ?? [:], &issues) }
        return issues
    }

    private func check(_ spec: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        schedule(spec, old: old, &issues)
        issues.nonNegative(spec["startingDeadlineSeconds"]?.int, Self.spec.child("startingDeadlineSeconds"))
        if let zone = spec["timeZone"]?.string, zone != old?["timeZone"]?.string { timeZone(zone, &issues) }
        issues.choice(spec.text("concurrencyPolicy"), ["Allow", "Forbid", "Replace"], Self.spec.child("concurrencyPolicy"))
        let job = spec["jobTemplate"]?["spec"] ?? [:]
        let place = Self.spec.child("jobTemplate", "spec")
        JobValidation.template(job, at: place, &issues)
        if let selector = job["selector"] { issues.invalid(place.child("selector"), selector, "`selector` will be auto-generated") }
        if job.flag("manualSelector") { issues.append(.notSupported(place.child("manualSelector"), true, ["nil", "false"])) }
        for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            issues.nonNegative(spec[field]?.int, Self.spec.child(field))
        }
    }

    private func schedule(_ spec: JSONValue, old: JSONValue?, _ issues: inout [FieldIssue]) {
        let place = Self.spec.child("schedule")
        let schedule = spec.text("schedule")
        if schedule.isEmpty { return issues.required(place) }
        if let problem = CronSchedule.problem(schedule) { issues.invalid(place, .string(schedule), problem) }
        guard schedule.contains("TZ") else { return }
        if old?.text("schedule").contains("TZ") != true {
            issues.invalid(place, .string(schedule), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        } else if spec["timeZone"]?.string != nil {
            issues.invalid(place, .string(schedule), "cannot use both timeZone field and TZ or CRON_TZ in schedule")
        }
    }

    private func timeZone(_ zone: String, _ issues: inout [FieldIssue]) {
        let place = Self.spec.child("timeZone")
        if zone.isEmpty { return issues.invalid(place, "", "timeZone must be nil or non-empty string") }
        for part in zone.split(separator: "/", omittingEmptySubsequences: false) {
            let fits =
                (1...Self.zonePartLimit).contains(part.utf8.count) && !part.hasPrefix("-") && part != "." && part != ".."
                && part.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-+".unicodeScalars.contains($0))
                }
            if !fits { return issues.invalid(place, .string(zone), "unknown time zone \(zone)") }
        }
        if zone.lowercased() == "local" {
            let words = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
            issues.invalid(place, .string(zone), words)
        }
        if zone != "Local", !TimeZoneNames.contains(zone) { issues.invalid(place, .string(zone), "unknown time zone \(zone)") }
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        var warnings = old == nil ? JobWarnings.name(object) : []
        let place = FieldPath("spec").child("jobTemplate", "spec")
        if PodTemplateWarnings.isDue(object, old) {
            warnings += JobWarnings.spec(object["spec"]?["jobTemplate"]?["spec"] ?? [:], place)
            warnings += PodTemplateWarnings.of(object, ["spec", "jobTemplate", "spec", "template"])
        }
        if old != nil, object["spec"]?.text("schedule").contains("TZ") == true {
            let page = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
            warnings.append("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \(page) for more details")
        }
        return warnings
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let last = object["status"]?["lastScheduleTime"]?.string
        let spec = object["spec"] ?? [:]
        let template = spec["jobTemplate"]?["spec"]
        return [
            Cells.name(object), spec["schedule"] ?? "", spec["timeZone"] ?? "<none>", Cells.truth(spec["suspend"]),
            .integer(Int64(object["status"]?.list("active").count ?? 0)),
            .string(last == nil ? "<none>" : Cells.since(last, now: now)), Cells.age(object, now: now),
        ] + Cells.containers(template?["template"]?["spec"]) + [.string(Cells.selector(template?["selector"]))]
    }
}
