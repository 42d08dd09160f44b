import Values

/// The order in which upstream writes the members of a type: that of the fields of its Go struct. What it does not name follows,
/// sorted.
struct MemberOrder: Sendable {
    let members: [String]
    var nested: [String: MemberOrder] = [:]

    /// Objects whose type is not written down here.
    private static let object = MemberOrder(members: ["kind", "apiVersion", "metadata"])

    private static let status = MemberOrder(
        members: ["kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code"],
        nested: [
            "details": MemberOrder(
                members: ["name", "group", "kind", "uid", "causes", "retryAfterSeconds"],
                nested: ["causes": MemberOrder(members: ["reason", "message", "field"])]
            )
        ]
    )
    private static let table = MemberOrder(
        members: ["kind", "apiVersion", "metadata", "columnDefinitions", "rows"],
        nested: ["columnDefinitions": MemberOrder(members: ["name", "type", "format", "description", "priority"])]
    )
    private static let group = MemberOrder(members: ["kind", "apiVersion", "name", "versions", "preferredVersion"])
    private static let groups = MemberOrder(
        members: ["kind", "apiVersion", "groups"],
        nested: ["groups": MemberOrder(members: ["name", "versions", "preferredVersion"])]
    )
    private static let resources = MemberOrder(
        members: ["kind", "apiVersion", "groupVersion", "resources"],
        nested: [
            "resources": MemberOrder(members: [
                "name", "singularName", "namespaced", "group", "version", "kind", "verbs", "shortNames", "categories",
                "storageVersionHash",
            ])
        ]
    )
    private static let versions = MemberOrder(members: ["kind", "versions", "serverAddressByClientCIDRs"])
    private static let version = MemberOrder(members: [
        "major", "minor", "emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor", "gitVersion",
        "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform",
    ])

    private static let responseKind = MemberOrder(members: ["group", "version", "kind"])
    private static let discoveredSubresource = MemberOrder(
        members: ["subresource", "responseKind", "acceptedTypes", "verbs"],
        nested: ["responseKind": responseKind]
    )
    private static let discoveredResource = MemberOrder(
        members: [
            "resource", "responseKind", "scope", "singularResource", "verbs", "shortNames", "categories", "subresources",
        ],
        nested: ["responseKind": responseKind, "subresources": discoveredSubresource]
    )
    /// The groups of an aggregated discovery document.
    static let discovery = MemberOrder(
        members: ["metadata", "versions"],
        nested: [
            "versions": MemberOrder(members: ["version", "resources", "freshness"], nested: ["resources": discoveredResource])
        ]
    )
    private static let inMetadata = [
        "managedFields": MemberOrder(members: [
            "manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource",
        ]),
        "ownerReferences": MemberOrder(members: ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]),
    ]
    private static let metadata = MemberOrder(
        members: [
            "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
            "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
            "managedFields",
        ],
        nested: inMetadata
    )
    /// Sorted, but for metadata.
    static let keptMetadata = MemberOrder(members: [], nested: ["metadata": metadata])
    /// Sorted, but for what stands in metadata.
    static let patchedMetadata = MemberOrder(members: [], nested: ["metadata": MemberOrder(members: [], nested: inMetadata)])

    private var isSorted: Bool { members.isEmpty && nested.isEmpty }

    /// The order of an object by its kind.
    static func of(_ value: JSONValue) -> MemberOrder {
        switch value["kind"]?.string {
        case "Status": status
        case "Table": table
        case "APIGroup": group
        case "APIGroupList": groups
        case "APIResourceList": resources
        case "APIVersions": versions
        case nil where value["gitVersion"] != nil: version
        default: object
        }
    }

    /// How upstream indents.
    private static let indent = 2

    /// A value in this order, compact or indented.
    func encode(_ value: JSONValue, isPretty: Bool) -> [UInt8] {
        var out: [UInt8] = []
        write(value, isPretty ? 0 : nil, &out)
        return out
    }

    private func write(_ value: JSONValue, _ level: Int?, _ out: inout [UInt8]) {
        switch value {
        case .array(let elements) where !elements.isEmpty && (level != nil || !isSorted):
            writeList(UInt8(ascii: "["), UInt8(ascii: "]"), elements, level, &out) { element, level, out in
                write(element, level, &out)
            }
        case .object(let object) where object.count > 0 && (level != nil || !isSorted):
            writeList(UInt8(ascii: "{"), UInt8(ascii: "}"), ordered(object), level, &out) { member, level, out in
                JSONValue.string(member.key).encode(into: &out)
                out.append(UInt8(ascii: ":"))
                if level != nil { out.append(UInt8(ascii: " ")) }
                (nested[member.key] ?? MemberOrder(members: [])).write(member.value, level, &out)
            }
        default: value.encode(into: &out)
        }
    }

    private func writeList<Element>(
        _ open: UInt8,
        _ close: UInt8,
        _ elements: [Element],
        _ level: Int?,
        _ out: inout [UInt8],
        _ write: (Element, Int?, inout [UInt8]) -> Void
    ) {
        func newLine(_ level: Int?) {
            guard let level else { return }
            out.append(UInt8(ascii: "\n"))
            out += [UInt8](repeating: UInt8(ascii: " "), count: level * Self.indent)
        }
        let inner = level.map { $0 + 1 }
        out.append(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            newLine(inner)
            write(element, inner, &out)
        }
        newLine(level)
        out.append(close)
    }

    private func ordered(_ object: JSONObject) -> [(key: String, value: JSONValue)] {
        var found: [(key: String, value: JSONValue)] = []
        for key in members {
            if let value = object[key] { found.append((key, value)) }
        }
        guard found.count < object.count else { return found }
        for (key, value) in object where !members.contains(key) { found.append((key, value)) }
        return found
    }
}
