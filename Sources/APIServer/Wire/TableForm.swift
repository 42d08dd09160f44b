import APIModel
import Schema
import Store
import Units
import Values

/// Turns objects into rows of a `meta.k8s.io` Table.
struct TableForm: Sendable {
    /// How much of the object a row carries.
    enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"

        /// What the request asks for; anything but these is refused.
        init(_ context: RequestContext) throws(APIError) {
            let text = context.request.query.first("includeObject") ?? ""
            guard let known = text.isEmpty ? .metadata : IncludeObject(rawValue: text) else {
                let issue = FieldIssue.invalid(FieldPath("includeObject"), .string(text), "must be 'Metadata', 'Object', 'None', or empty")
                throw .badRequest("Unable to convert to Table as requested: \(issue.message)")
            }
            self = known
        }
    }

    let view: ResourceView
    let version: String
    let now: Timestamp
    let include: IncludeObject

    /// Ages are counted up to `now`, the time of the request unless given: rows of a watch come long after it.
    init(view: ResourceView, version: String, context: RequestContext, now: Timestamp? = nil) {
        self.view = view
        self.version = version
        self.now = now ?? context.now
        include = (try? IncludeObject(context)) ?? .metadata
    }

    /// The whole table of a list.
    func list(_ page: ListPage) -> JSONValue {
        var rows: [JSONValue] = []
        page.forEach { object in
            if let row = row(of: object) { rows.append(row) }
        }
        if let cell = view.hooks.orderingCell { rows = Self.ordered(rows, by: cell) }
        return table(rows, metadata: page.metadata, withColumns: true)
    }

    /// Rows with the same number keep their order.
    private static func ordered(_ rows: [JSONValue], by cell: Int) -> [JSONValue] {
        let keys = rows.enumerated().map { (number: $1["cells"]?.array?[cell].int ?? 0, place: $0) }
        return keys.sorted { ($0.number, $0.place) < ($1.number, $1.place) }.map { rows[$0.place] }
    }

    /// A table of one object that is at hand as a tree.
    func single(_ object: JSONValue) -> JSONValue {
        let metadata: JSONValue = ["resourceVersion": object.value(at: ["metadata", "resourceVersion"]) ?? ""]
        return table([row(of: object)], metadata: metadata, withColumns: true)
    }

    /// A table of one object for a watch event.
    func event(_ object: CachedObject, withColumns: Bool) -> JSONValue? {
        guard let row = row(of: object) else { return nil }
        let metadata: JSONValue = ["resourceVersion": .string(object.revision.description)]
        return table([row], metadata: metadata, withColumns: withColumns)
    }

    /// A bookmark: the table of an object that has nothing but a revision. The mark of the initial events' end shows in any case.
    func bookmark(_ object: JSONValue, isEnd: Bool, withColumns: Bool) -> JSONValue {
        var row = row(of: object)
        if isEnd, include == .none { row["object"] = Self.partial(object["metadata"] ?? [:], version) }
        let revision = object.value(at: ["metadata", "resourceVersion"]) ?? ""
        return table([row], metadata: ["resourceVersion": revision], withColumns: withColumns)
    }

    private func table(_ rows: [JSONValue], metadata: JSONValue, withColumns: Bool) -> JSONValue {
        [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            "columnDefinitions": withColumns ? .array(columns) : .null, "rows": .array(rows),
        ]
    }

    private var columns: [JSONValue] {
        let defined = view.version.columns.isEmpty ? TableForm.genericColumns : view.version.columns
        return defined.map { column in
            [
                "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
                "description": .string(column.description.isEmpty ? ColumnText.of(column.name) : column.description),
                "priority": .integer(Int64(column.priority)),
            ]
        }
    }

    private static let genericColumns = [
        ColumnDefinition(name: "Name", type: "string", format: "name", description: "The name of the object."),
        ColumnDefinition(name: "Created At", type: "date", description: "When the object was created."),
    ]

    private func row(of object: CachedObject) -> JSONValue? {
        if let value = view.tree(object) { return row(of: value) }
        // An object that cannot be decoded still has a row, so that people see it.
        let cells = [JSONValue.string(object.name)] + columns.dropFirst().map { _ in JSONValue.string("<unknown>") }
        let metadata: JSONValue = ["name": .string(object.name), "namespace": .string(object.namespace)]
        return ["cells": .array(cells), "object": Self.partial(metadata, version)]
    }

    private func row(of value: JSONValue) -> JSONValue {
        let metadata = value["metadata"] ?? [:]
        var row: JSONValue = ["cells": .array(cells(of: value, metadata))]
        switch include {
        case .none: row["object"] = .null
        case .metadata: row["object"] = Self.partial(metadata, version)
        case .object: row["object"] = value
        }
        return row
    }

    static func partial(_ metadata: JSONValue, _ version: String) -> JSONValue {
        ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata]
    }

    private func cells(of value: JSONValue, _ metadata: JSONValue) -> [JSONValue] {
        if let cells = view.hooks.cells(value, now: now) { return cells }
        let generic: [JSONValue] = [metadata["name"] ?? "", metadata["creationTimestamp"] ?? .null]
        let defined = view.version.columns
        guard !defined.isEmpty else { return generic }
        return defined.map { column in
            switch column.name {
            case "Name": metadata["name"] ?? ""
            case "Age": TableForm.age(metadata, now)
            default: TableForm.guess(column, value)
            }
        }
    }

    /// A cell for a column nobody computes: the field of that name at the top, in the spec or in the status.
    private static func guess(_ column: ColumnDefinition, _ value: JSONValue) -> JSONValue {
        let words = column.name.split { $0 == " " || $0 == "-" }.map { $0.lowercased() }
        let camel = words.dropFirst().reduce(words.first ?? "") { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
        for path in [[camel], ["spec", camel], ["status", camel], ["spec", camel + "Name"], ["metadata", camel]] {
            guard let found = value.value(at: path) else { continue }
            switch found {
            case .string(let text): return .string(text)
            case .integer, .number: return found
            case .bool(let flag): return .string(flag ? "true" : "false")
            case .array(let list): return .string("\(list.count) item(s)")
            default: continue
            }
        }
        return column.type == "integer" ? 0 : "<none>"
    }

    static func age(_ metadata: JSONValue, _ now: Timestamp) -> JSONValue {
        guard let text = metadata["creationTimestamp"]?.string, let created = Timestamp(text) else { return "<unknown>" }
        return .string(humanDuration(now - created))
    }
}
