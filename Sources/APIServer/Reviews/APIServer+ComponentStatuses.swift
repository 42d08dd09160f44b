import APIModel
import HTTPTransport
import Negotiation
import Schema
import Store
import Units
import Values

extension APIServer {
    private static let components = ["controller-manager", "etcd-0", "scheduler"]

    /// What is wrong with a component; the store is asked, the others have told.
    private func problem(of component: String) async -> String? {
        guard component == "etcd-0" else { return health.problem(component) }
        do throws(StoreError) {
            _ = try await environment.store.currentRevision()
            return nil
        } catch {
            return error.description
        }
    }

    private static func componentCells(_ object: JSONValue) -> JSONValue {
        let condition = object["conditions"]?[0]
        let isHealthy = condition?["status"]?.string == "True"
        return [
            object.value(at: ["metadata", "name"]) ?? "", isHealthy ? "Healthy" : "Unhealthy", condition?["message"] ?? "", "",
        ]
    }

    /// The statuses that the selectors of a list want: they have names, but no labels.
    private func selected(_ all: [JSONValue], _ context: RequestContext) throws(APIError) -> [JSONValue] {
        let options = try ListOptions { context.request.query.first($0) }
        let known = ["metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"]
        let selection = try FieldSelection(label: options.labelSelector, field: options.fieldSelector, accepted: known)
        return all.filter { selection.matches(name: $0.value(at: ["metadata", "name"])?.string ?? "") }
    }

    /// What is known of the parts of the control plane: an old kind, kept for those who look there.
    func componentStatuses(
        _ kind: KindDescriptor,
        _ version: KindVersion,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let info = context.info
        var all: [JSONValue] = []
        for name in Self.components {
            let problem = await problem(of: name)
            all.append([
                "kind": "ComponentStatus", "apiVersion": "v1", "metadata": ["name": .string(name)],
                "conditions": [
                    ["type": "Healthy", "status": problem == nil ? "True" : "False", "message": .string(problem ?? "ok")]
                ],
            ])
        }
        if info.verb == "watch" { throw .methodNotAllowed(kind.groupResource, "watch") }
        guard info.verb == "get" || info.verb == "list" else { throw .methodNotAllowed() }
        var chosen = all
        if info.verb == "get" {
            chosen = all.filter { $0.value(at: ["metadata", "name"])?.string == info.name }
            guard let one = chosen.first else { throw .notFound(.core("componentstatus"), info.name) }
            if case .object = context.form.shape { return Responses.value(one, form: context.form) }
        } else {
            chosen = try selected(all, context)
        }
        guard case .table(let tableVersion) = context.form.shape else {
            let items = chosen.map { item in
                var item = item
                for field in ["kind", "apiVersion"] { item[field] = nil }
                return item
            }
            let list: JSONValue = [
                "kind": "ComponentStatusList", "apiVersion": "v1", "metadata": [:], "items": .array(items),
            ]
            return Responses.value(list, form: context.form)
        }
        let rows = chosen.map { object -> JSONValue in
            let cells: JSONValue =
                kind.hooks.cells(object, now: context.now).map { .array($0) }
                ?? Self.componentCells(object)
            let partial: JSONValue = [
                "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(tableVersion)"),
                "metadata": object["metadata"] ?? [:],
            ]
            return ["cells": cells, "object": partial]
        }
        let columns = version.columns.map { column -> JSONValue in
            [
                "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
                "description": .string(column.description), "priority": .integer(Int64(column.priority)),
            ]
        }
        let table: JSONValue = [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(tableVersion)"), "metadata": [:],
            "columnDefinitions": .array(columns), "rows": .array(rows),
        ]
        return Responses.value(table, form: context.form)
    }
}
