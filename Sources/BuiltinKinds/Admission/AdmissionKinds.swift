import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds that put webhooks and policies in front of the store.
enum AdmissionKinds {
    static let mutatingWebhooks = webhooks(isMutating: true)
    static let validatingWebhooks = webhooks(isMutating: false)

    static let validatingPolicy = KindRules(
        generation: ["spec"],
        complete: { completePolicy(&$0) },
        status: [:],
        update: { object, old, issues in
            PolicyValidation(object, old: old).validating(&issues)
        },
        create: { object, issues in PolicyValidation(object).validating(&issues) },
        statusUpdate: { object, _, issues in PolicyValidation.status(object, &issues) },
        row: PlainRows.policy("validations")
    )

    static let mutatingPolicy = KindRules(
        generation: ["spec"],
        complete: { completePolicy(&$0) },
        update: { object, old, issues in PolicyValidation(object, old: old).mutating(&issues) },
        create: { object, issues in PolicyValidation(object).mutating(&issues) },
        row: PlainRows.policy("mutations")
    )

    static let validatingBinding = binding(isMutating: false)
    static let mutatingBinding = binding(isMutating: true)

    private static func webhooks(isMutating: Bool) -> KindRules {
        var rules = KindRules(
            generation: ["webhooks"],
            complete: { completeWebhooks(&$0, isMutating: isMutating) },
            row: PlainRows.webhooks
        )
        rules.checkAs = { object, old, context, issues in
            WebhookValidation(isMutating: isMutating, old: old, version: context.version).check(object, old: old, &issues)
        }
        return rules
    }

    private static func binding(isMutating: Bool) -> KindRules {
        KindRules(
            generation: ["spec"],
            complete: { completeMatch(&$0, at: ["spec", "matchResources"]) },
            check: { object, issues in PolicyValidation.binding(object, isMutating: isMutating, &issues) },
            row: PlainRows.policyBinding
        )
    }

    // MARK: Defaults

    private static func completeWebhooks(_ object: inout JSONValue, isMutating: Bool) {
        guard var hooks = object["webhooks"]?.array else { return }
        var defaults: [(String, JSONValue)] = [
            ("failurePolicy", "Fail"), ("matchPolicy", "Equivalent"), ("namespaceSelector", [:]), ("objectSelector", [:]),
            ("timeoutSeconds", 10),
        ]
        if isMutating { defaults.append(("reinvocationPolicy", "Never")) }
        for index in hooks.indices {
            for (field, value) in defaults where hooks[index][field] == nil { hooks[index][field] = value }
            completeRules(&hooks[index], "rules")
            if hooks[index]["clientConfig"]?["service"] != nil, hooks[index]["clientConfig"]?["service"]?["port"] == nil {
                hooks[index].set(443, at: ["clientConfig", "service", "port"])
            }
        }
        object["webhooks"] = .array(hooks)
    }

    private static func completeRules(_ object: inout JSONValue, _ field: String) {
        guard var rules = object[field]?.array else { return }
        for index in rules.indices where rules[index]["scope"] == nil { rules[index]["scope"] = "*" }
        object[field] = .array(rules)
    }

    private static func completePolicy(_ object: inout JSONValue) {
        if object["spec"] != nil, object["spec"]?["failurePolicy"] == nil { object.set("Fail", at: ["spec", "failurePolicy"]) }
        completeMatch(&object, at: ["spec", "matchConstraints"])
    }

    private static func completeMatch(_ object: inout JSONValue, at path: [String]) {
        guard var match = object.value(at: path), match.object != nil else { return }
        let defaults: [(String, JSONValue)] = [("matchPolicy", "Equivalent"), ("namespaceSelector", [:]), ("objectSelector", [:])]
        for (field, value) in defaults where match[field] == nil { match[field] = value }
        completeRules(&match, "resourceRules")
        completeRules(&match, "excludeResourceRules")
        object.set(match, at: path)
    }
}
