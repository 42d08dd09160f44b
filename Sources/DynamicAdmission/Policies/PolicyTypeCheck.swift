import APIModel
import CEL
import Schema
import Values

/// Checks the expressions of a ValidatingAdmissionPolicy against the schemas of the kinds that it is about: what the checker
/// finds are warnings, for a policy may also be about what is not there yet.
///
/// Source: apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
public struct PolicyTypeCheck: Sendable {
    /// At most so many kinds are looked at.
    private static let mostKinds = 10

    private let kinds: any PolicyKinds

    /// A check that finds schemas in `kinds`.
    public init(kinds: any PolicyKinds) {
        self.kinds = kinds
    }

    /// A kind with the types its schema tells.
    private struct Typed {
        let kind: GroupVersionKind
        let type: CELDeclType
    }

    /// The entries of `status.typeChecking.expressionWarnings`; none when all is well.
    public func warnings(_ policy: JSONValue) -> [JSONValue] {
        let spec = policy["spec"] ?? [:]
        let objects = kindsToCheck(spec).compactMap { kind in type(kind).map { Typed(kind: kind, type: $0) } }
        let parameters = ParameterKind(spec["paramKind"])
        let params = parameters.flatMap { type($0.kind) }
        // The scope of each kind, with what the policy's variables are then.
        let scopes = objects.map { object in
            (object, scope(spec["variables"]?.array ?? [], hasParameters: parameters != nil, object.type, params))
        }
        var warnings: [JSONValue] = []
        func check(_ expression: String, _ field: String) {
            let found = scopes.compactMap { object, scope -> String? in
                guard let issues = scope.mistakes(in: expression, object: object.type, params: params) else { return nil }
                return "\(object.kind.goText): \(issues)\n"
            }
            guard !found.isEmpty else { return }
            warnings.append(["fieldRef": .string(field), "warning": .string(found.joined(separator: "\n"))])
        }
        for (index, validation) in (spec["validations"]?.array ?? []).enumerated() {
            check(validation["expression"]?.string ?? "", "spec.validations[\(index)].expression")
            let message = validation["messageExpression"]?.string ?? ""
            if !message.isEmpty { check(message, "spec.validations[\(index)].messageExpression") }
        }
        return warnings
    }

    private func scope(_ variables: [JSONValue], hasParameters: Bool, _ object: CELDeclType, _ params: CELDeclType?) -> AdmissionScope {
        var scope = AdmissionScope(hasParameters: hasParameters, variables: [])
        for variable in variables {
            let type = scope.type(of: variable["expression"]?.string ?? "", object: object, params: params)
            scope.variables?.add(variable["name"]?.string ?? "", type)
        }
        return scope
    }

    private func type(_ kind: GroupVersionKind) -> CELDeclType? {
        kinds.schema(of: kind).flatMap { CELDeclType.from(schema: $0, name: kind.kind, isResourceRoot: true) }
    }

    // MARK: kinds

    /// The kinds that the rules name without wildcards, sorted.
    private func kindsToCheck(_ spec: JSONValue) -> [GroupVersionKind] {
        var found: Set<GroupVersionKind> = []
        for rule in spec.value(at: ["matchConstraints", "resourceRules"])?.array ?? [] {
            var count = 0
            for resource in Self.named(rule) {
                for kind in kinds.kinds(named: resource) {
                    found.insert(kind)
                    count += 1
                    if count == Self.mostKinds { return Self.sorted(found) }
                }
            }
        }
        return Self.sorted(found)
    }

    private static func named(_ rule: JSONValue) -> [GroupVersionResource] {
        func texts(_ field: String) -> [String] { (rule[field]?.array ?? []).compactMap(\.string).sorted() }
        let (groups, versions) = (texts("apiGroups"), texts("apiVersions"))
        guard !(groups + versions).contains(where: { $0.contains("*") }) else { return [] }
        let resources = texts("resources").filter { !$0.contains("*") && !$0.contains("/") }
        return groups.flatMap { group in
            versions.flatMap { version in
                resources.map { GroupVersionResource(group: group, version: version, resource: $0) }
            }
        }
    }

    private static func sorted(_ kinds: Set<GroupVersionKind>) -> [GroupVersionKind] {
        kinds.sorted { ($0.group, $0.version, $0.kind) < ($1.group, $1.version, $1.kind) }
    }
}
