import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of ingresses.
struct IngressHooks: KindHooks {
    private static let annotation = "kubernetes.io/ingress.class"

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
        object["status"] = ["loadBalancer": [:]]
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        Generation.advance(&object, old: old)
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        IngressValidation.check(object, &issues)
        IngressValidation.create(object, &issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if object["spec"] != old["spec"] { IngressValidation.check(object, old: old, &issues) }
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        LoadBalancerValidation.check(object, old: old, type: nil, &issues)
        return issues
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        guard old == nil, object["metadata"]?["annotations"]?[Self.annotation] != nil else { return [] }
        return ["annotation \"\(Self.annotation)\" is deprecated, please use 'spec.ingressClassName' instead"]
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        IngressValidation.row(TableRow(object: object, now: now))
    }
}
