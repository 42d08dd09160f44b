import APIModel
import HTTPTransport
import Negotiation
import Values

/// Answers with a Scale in the shape asked for.
enum ScaleForm {
    /// What upstream calls the type: scales of custom resources are of the version that is served.
    private static let goTypes = (builtin: "*autoscaling.Scale", custom: "*v1.Scale")

    static func response(_ scale: JSONValue, isCustom: Bool, _ context: RequestContext) throws(APIError) -> HTTPResponse {
        try ShapeCheck.one(isCustom ? goTypes.custom : goTypes.builtin, context)
        let metadata = scale["metadata"] ?? [:]
        switch context.form.shape {
        case .object: return Responses.value(scale, form: context.form)
        case .partial(let version): return Responses.value(TableForm.partial(metadata, version), form: context.form)
        case .table(let version):
            let include = try TableForm.IncludeObject(context)
            let object: JSONValue =
                switch include {
                case .none: .null
                case .metadata: TableForm.partial(metadata, version)
                case .object: scale
                }
            let zero: JSONValue = 0
            let cells: [JSONValue] = [
                metadata["name"] ?? "", scale.value(at: ["spec", "replicas"]) ?? zero, scale.value(at: ["status", "replicas"]) ?? zero,
                TableForm.age(metadata, context.now),
            ]
            let table: JSONValue = [
                "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": ["resourceVersion": metadata["resourceVersion"] ?? ""],
                "columnDefinitions": .array(columns(isCustom)), "rows": [["cells": .array(cells), "object": object]],
            ]
            return Responses.value(table, form: context.form)
        }
    }

    private static func columns(_ isCustom: Bool) -> [JSONValue] {
        let ageType = isCustom ? "date" : "string"
        return [("Name", "string"), ("Desired", "integer"), ("Available", "integer"), ("Age", ageType)].map { name, type in
            ["name": .string(name), "type": .string(type), "format": "", "description": .string(ColumnText.of(name)), "priority": 0]
        }
    }
}
