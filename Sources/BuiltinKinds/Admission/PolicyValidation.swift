import CEL
import PodKinds
import Schema
import Units
import Values

/// What is wrong with admission policies and with their bindings.
///
/// Source: pkg/apis/admissionregistration/validation.
struct PolicyValidation {
    private let object: JSONValue
    private let old: JSONValue?
    private let spec: JSONValue
    private let hasParameters: Bool
    private let path = FieldPath("spec")

    private static let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"]
    private static let mostAnnotations = 20
    private static let longestAnnotation = 5 * 1024
    private static let mutatingOperations = ["*", "CONNECT", "CREATE", "UPDATE"]
    private static let reserved: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    ]

    /// Prepares to check a policy that replaces `old`, or a new one.
    init(_ object: JSONValue, old: JSONValue? = nil) {
        self.object = object
        self.old = old
        spec = object["spec"] ?? [:]
        hasParameters = spec["paramKind"] != nil
    }

    /// A ValidatingAdmissionPolicy.
    func validating(_ issues: inout [FieldIssue]) {
        let scope = common(&issues)
        let validations = spec.list("validations")
        let annotations = spec.list("auditAnnotations")
        if validations.isEmpty, annotations.isEmpty {
            for field in ["validations", "auditAnnotations"] {
                issues.required(path.child(field), "validations or auditAnnotations must contain at least one item")
            }
            return
        }
        for (index, item) in validations.enumerated() { validation(item, scope, path.child("validations").index(index), &issues) }
        audit(annotations, scope, path.child("auditAnnotations"), &issues)
    }

    /// A MutatingAdmissionPolicy.
    func mutating(_ issues: inout [FieldIssue]) {
        let scope = common(&issues, isMutating: true)
        let mutations = spec.list("mutations")
        if mutations.isEmpty { issues.required(path.child("mutations"), "mutations must contain at least one item") }
        for (index, item) in mutations.enumerated() { mutation(item, scope, path.child("mutations").index(index), &issues) }
        issues.choice(spec.text("reinvocationPolicy"), ["IfNeeded", "Never"], path.child("reinvocationPolicy"))
    }

    /// What all policies have. The scope of the expressions that come after the policy's own names.
    private func common(_ issues: inout [FieldIssue], isMutating: Bool = false) -> ExpressionScope {
        if let policy = spec["failurePolicy"]?.string {
            issues.oneOf(policy, ["Fail", "Ignore"], path.child("failurePolicy"))
        } else {
            issues.required(path.child("failurePolicy"))
        }
        if let kind = spec["paramKind"] { parameterKind(kind, path.child("paramKind"), &issues) }
        let place = path.child("matchConstraints")
        if let constraints = spec["matchConstraints"] {
            MatchRuleValidation.resources(matching: constraints, place, &issues)
            if constraints.list("resourceRules").isEmpty { issues.required(place.child("resourceRules")) }
            if isMutating { Self.mutableOperations(constraints, place, &issues) }
        } else {
            issues.required(place)
        }
        if old == nil || old?["spec"]?["paramKind"] != spec["paramKind"] || oldList("matchConditions") != spec.list("matchConditions") {
            // Conditions come before the policy's own names.
            let scope = ExpressionScope(hasParameters: hasParameters, hasAuthorizer: true)
            MatchRuleValidation.conditions(spec.list("matchConditions"), scope, path.child("matchConditions"), &issues)
        }
        let variables = spec.list("variables")
        // Upstream's compiler for policies that change objects always knows of variables.
        var scope = ExpressionScope(
            hasParameters: hasParameters,
            hasAuthorizer: true,
            variables: variables.isEmpty && !isMutating ? nil : []
        )
        for (index, item) in variables.enumerated() {
            guard let named = variable(item, scope, path.child("variables").index(index), &issues) else { continue }
            scope.admission.variables?.add(named.name, named.type)
        }
        return scope
    }

    private func oldList(_ field: String) -> [JSONValue] { old?["spec"]?.list(field) ?? [] }

    /// Policies that change objects are not asked about deletions.
    private static func mutableOperations(_ match: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for rule in match.list("resourceRules") {
            for operation in rule.texts("operations") {
                issues.oneOf(operation, mutatingOperations, path.child("resourceRules", "operations"))
            }
        }
    }

    private func parameterKind(_ kind: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (version, name) = (kind.text("apiVersion"), kind.text("kind"))
        if version.isEmpty {
            issues.required(path.child("apiVersion"))
        } else {
            groupVersion(version, path.child("apiVersion"), &issues)
        }
        if name.isEmpty { return issues.required(path.child("kind")) }
        let problems = Names.dns1035LabelIssues(name.lowercased())
        if !problems.isEmpty {
            let words = "may have mixed case, but should otherwise match: \(problems.joined(separator: ","))"
            issues.invalid(path.child("kind"), .string(name), words)
        }
    }

    private func groupVersion(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let parts = text == "/" ? ["", ""] : text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 2 { return issues.invalid(path, .string(text), "unexpected GroupVersion string: \(text)") }
        let (group, version) = (parts.count == 2 ? parts[0] : "", parts.last ?? "")
        if !group.isEmpty {
            let problems = Names.dns1123SubdomainIssues(group)
            if !problems.isEmpty { issues.invalid(path, .string(group), problems.joined(separator: ",")) }
        }
        if version.isEmpty { return issues.invalid(path, .string(text), "version must be specified") }
        let problems = Names.dns1035LabelIssues(version)
        if !problems.isEmpty { issues.invalid(path, .string(version), problems.joined(separator: ",")) }
    }

    /// Checks a variable; its name and type are known to what comes after it.
    private func variable(
        _ variable: JSONValue,
        _ scope: ExpressionScope,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) -> (name: String, type: CELType?)? {
        let (name, expression) = (variable.text("name"), variable.text("expression"))
        if name.trimmed.isEmpty {
            issues.required(path.child("name"), "name is not specified")
        } else if !Self.isIdentifier(name) {
            issues.invalid(path.child("name"), .string(name), "must be a valid CEL identifier")
        }
        guard !expression.trimmed.isEmpty else {
            issues.required(path.child("expression"), "expression is not specified")
            return nil
        }
        return (name, scope.type(of: expression, for: .variable, path.child("expression"), &issues))
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return !reserved.contains(name)
            && name.unicodeScalars.allSatisfy { $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0) }
    }

    private func validation(_ item: JSONValue, _ scope: ExpressionScope, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let expression = item.text("expression")
        if expression.trimmed.isEmpty {
            issues.required(path.child("expression"), "expression is not specified")
        } else {
            scope.check(expression, for: .condition, path.child("expression"), &issues)
        }
        let made = item.text("messageExpression")
        if !made.isEmpty, made.trimmed.isEmpty {
            issues.invalid(path.child("messageExpression"), .string(made), "must be non-empty if specified")
        } else if !made.isEmpty {
            var scope = scope
            scope.admission.hasAuthorizer = false
            scope.check(made, for: .message, path.child("messageExpression"), &issues)
        }
        let message = item.text("message")
        if !message.isEmpty, message.trimmed.isEmpty {
            issues.invalid(path.child("message"), .string(message), "must be non-empty if specified")
        } else if message.trimmed.contains(where: \.isNewline) {
            issues.invalid(path.child("message"), .string(message), "must not contain line breaks")
        }
        if let reason = item["reason"]?.string { issues.oneOf(reason, Self.reasons, path.child("reason")) }
    }

    private func audit(_ annotations: [JSONValue], _ scope: ExpressionScope, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if annotations.count > Self.mostAnnotations {
            let words = "must not have more than \(Self.mostAnnotations) auditAnnotations"
            issues.invalid(path, .array(annotations), words)
        }
        let owner = object["metadata"]?.text("name") ?? ""
        var keys: Set<String> = []
        for (index, annotation) in annotations.enumerated() {
            let place = path.index(index)
            let key = annotation.text("key")
            if owner.isEmpty {
                issues.invalid(place.child("key"), .string(key), "requires metadata.name be non-empty")
            } else {
                issues.qualifiedName("\(owner)/\(key)", place.child("key"))
            }
            let value = annotation.text("valueExpression")
            if value.trimmed.isEmpty {
                issues.required(place.child("valueExpression"), "valueExpression is not specified")
            } else if value.trimmed.utf8.count > Self.longestAnnotation {
                issues.required(place.child("valueExpression"), "must not exceed \(Self.longestAnnotation) bytes in length")
            } else {
                scope.check(value.trimmed, for: .annotation, shown: value, place.child("valueExpression"), &issues)
            }
            if !keys.insert(key).inserted { issues.append(.duplicate(place.child("key"), .string(key))) }
        }
    }

    private func mutation(_ item: JSONValue, _ scope: ExpressionScope, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let type = item.text("patchType")
        let fields = ["JSONPatch": ("jsonPatch", "applyConfiguration"), "ApplyConfiguration": ("applyConfiguration", "jsonPatch")]
        guard let (wanted, other) = fields[type] else {
            return issues.choice(type, ["ApplyConfiguration", "JSONPatch"], path.child("patchType"))
        }
        if let patch = item[wanted] {
            let expression = patch.text("expression").trimmed
            let place = path.child(wanted).child("expression")
            if expression.isEmpty {
                issues.required(place)
            } else {
                scope.check(expression, for: type == "JSONPatch" ? .patch : .applyConfiguration, place, &issues)
            }
        } else {
            issues.required(path.child(wanted), "must be specified when patchType is \(type)")
        }
        if item[other] != nil {
            issues.invalid(path.child(other), .string("{\(other)}"), "must not be specified when patchType is \(type)")
        }
    }

    // MARK: Status

    /// What a type check left in the status.
    static func status(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let path = FieldPath("status")
        for (index, warning) in (object["status"]?["typeChecking"]?.list("expressionWarnings") ?? []).enumerated() {
            let place = path.child("typeChecking", "expressionWarnings").index(index)
            issues.need(warning.text("warning"), place.child("warning"))
            let reference = warning.text("fieldRef").trimmed
            issues.need(reference, place.child("fieldRef"))
            if !reference.isEmpty, let problem = JSONPathSyntax.problem("{\(reference)}") {
                issues.invalid(place.child("fieldRef"), .string(reference), "invalid JSONPath: \(problem)")
            }
        }
        ConditionValidation.check(object["status"]?.list("conditions") ?? [], path.child("conditions"), &issues)
    }

    // MARK: Bindings

    /// A binding of a policy to what it applies to.
    static func binding(_ object: JSONValue, isMutating: Bool, _ issues: inout [FieldIssue]) {
        let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
        let policy = spec.text("policyName")
        if policy.isEmpty {
            issues.required(path.child("policyName"))
        } else {
            issues.subdomain(policy, path.child("policyName"))
        }
        if let reference = spec["paramRef"] { parameters(reference, path.child("paramRef"), &issues) }
        let place = path.child("matchResources")
        MatchRuleValidation.resources(matching: spec["matchResources"], place, &issues)
        if isMutating {
            if let match = spec["matchResources"] { mutableOperations(match, place, &issues) }
        } else {
            actions(spec, path.child("validationActions"), &issues)
        }
    }

    private static func actions(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = spec.texts("validationActions")
        var seen: Set<String> = []
        for (index, action) in given.enumerated() {
            issues.oneOf(action, ["Audit", "Deny", "Warn"], path.index(index))
            if !seen.insert(action).inserted { issues.append(.duplicate(path.index(index), .string(action))) }
        }
        if seen.isSuperset(of: ["Deny", "Warn"]) {
            let words =
                "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"
            issues.invalid(path, spec["validationActions"], words)
        }
        if seen.isEmpty { issues.required(path, "at least one validation action is required") }
    }

    private static func parameters(_ reference: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let name = reference.text("name")
        let selector = reference["selector"]
        let both = "name and selector are mutually exclusive"
        if !name.isEmpty {
            issues.add(Names.pathSegmentIssues(name), path.child("name"), name)
            if selector != nil { issues.forbidden(path.child("name"), both) }
        }
        if selector != nil {
            SelectorValidation.selector(selector, path.child("selector"), &issues)
            if !name.isEmpty { issues.forbidden(path.child("selector"), both) }
        }
        if name.isEmpty, selector == nil { issues.required(path, "one of name or selector must be specified") }
        issues.choice(reference.text("parameterNotFoundAction"), ["Deny", "Allow"], path.child("parameterNotFoundAction"))
    }
}
