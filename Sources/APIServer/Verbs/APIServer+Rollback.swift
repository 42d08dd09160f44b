import APIModel
import APITypes
import Access
import HTTPTransport
import Negotiation
import Schema
import Units
import Values

/// `deployments/rollback` of the old versions: a wish that the deployment controller fulfils.
///
/// Source: registry/apps/deployment (RollbackREST) of the releases that had it; pkg/apis/apps/validation.
extension APIServer {
    private static let rollbackSchema: SchemaNode = {
        let texts = SchemaNode(shape: .map, body: SchemaBody(element: .scalar(.string), isBuiltin: true))
        let revision = SchemaField(name: "revision", node: .scalar(.integer, format: "int64"))
        let target = SchemaNode(shape: .object, body: SchemaBody(fields: [revision], isBuiltin: true))
        let identity = BuiltinSchema.node("io.k8s.api.autoscaling.v1.Scale").fields.filter { ["apiVersion", "kind"].contains($0.name) }
        let own = [
            SchemaField(name: "name", node: .scalar(.string)), SchemaField(name: "rollbackTo", node: target),
            SchemaField(name: "updatedAnnotations", node: texts),
        ]
        let fields = (identity + own).sorted { $0.name < $1.name }
        return SchemaNode(shape: .object, body: SchemaBody(fields: fields, isBuiltin: true))
    }()

    /// Notes in a deployment the revision it shall return to.
    func rollBack(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let rollback = try ObjectDecoding(expected: subresource.kind, schema: Self.rollbackSchema).object(context)
        var write = try writeContext(view, context)
        let wish = try await admit(rollback, subresource, view, &write)
        let name = wish["name"]?.string ?? ""
        let issues = Self.rollbackIssues(wish)
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "apps", kind: subresource.kind.kind), name, issues) }
        guard name == context.info.name else {
            throw .badRequest("name in URL does not match name in DeploymentRollback object")
        }
        write.subresource = ""
        let change = ObjectChange(part: .object, retriesConflicts: true) { old throws(APIError) in
            var object = old
            for (key, value) in wish["updatedAnnotations"]?.object ?? [:] { object.set(value, at: ["metadata", "annotations", key]) }
            object.set(["revision": wish.value(at: ["rollbackTo", "revision"]) ?? 0], at: ["spec", "rollbackTo"])
            object.remove(at: ["metadata", "resourceVersion"])
            return object
        }
        _ = try await view.engine.update(change, view: view, write: write)
        var status = APIError.success()
        status["message"] = .string("rollback request for deployment \(GoQuote.quote(name)) succeeded")
        status["code"] = 200
        // The Status has a code of its own; the answer is that of a creation.
        return Responses.value(status, status: 201, form: context.form)
    }

    private static func rollbackIssues(_ rollback: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if (rollback["name"]?.string ?? "").isEmpty { issues.append(.required(FieldPath("name"), "")) }
        let revision = rollback.value(at: ["rollbackTo", "revision"])?.int ?? 0
        if revision < 0 {
            issues.append(.invalid(FieldPath("rollback.version"), .integer(revision), "must be greater than or equal to 0"))
        }
        return issues
    }
}
