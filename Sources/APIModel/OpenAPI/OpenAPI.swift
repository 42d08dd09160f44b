import Schema
import Values

/// Renders what the server publishes about its API. Pure: the same kinds give the same bytes.
public struct OpenAPI: Sendable {
    /// The kinds served.
    public let kinds: [KindDescriptor]
    private let types: SchemaTable
    private let version: String

    /// Describes a server: its kinds, the types they refer to, and the version it reports.
    public init(kinds: [KindDescriptor], types: SchemaTable, version: String) {
        self.kinds = kinds
        self.types = types
        self.version = version
    }

    /// The group versions that have a served kind, sorted.
    public var groupVersions: [GroupVersion] { groupVersions(builtinOnly: false) }

    private func groupVersions(builtinOnly: Bool) -> [GroupVersion] {
        var found: Set<GroupVersion> = []
        for kind in kinds where !(builtinOnly && kind.isCustom) {
            for version in kind.versions where version.served {
                found.insert(GroupVersion(group: kind.group, version: version.name))
            }
        }
        return found.sorted { ($0.group, $0.version) < ($1.group, $1.version) }
    }

    /// The groups that have documents of their own: those of built-in kinds, sorted, without the core group.
    public var groups: [String] {
        Set(kinds.lazy.filter { !$0.isCustom && !$0.group.isEmpty && $0.versions.contains(where: \.served) }.map(\.group)).sorted()
    }

    /// A document about the server itself; the raw value is its path below the root.
    public enum Page: String, CaseIterable, Sendable {
        /// The versions of the core group.
        case core = "api"
        /// All other groups.
        case groups = "apis"
        /// What runs here.
        case version
        /// How tokens of service accounts are verified.
        case issuer = ".well-known/openid-configuration"
        /// With which keys.
        case keys = "openid/v1/jwks"
    }

    /// What an OpenAPI v3 document is about.
    public enum Topic: Hashable, Sendable {
        /// The kinds of a group version.
        case groupVersion(GroupVersion)
        /// The versions of a group.
        case group(String)
        /// The server.
        case page(Page)

        /// Its place below the root.
        public var path: String {
            switch self {
            case .groupVersion(let groupVersion): OpenAPI.path(of: groupVersion)
            case .group(let group): "apis/\(group)"
            case .page(let page): page.rawValue
            }
        }
    }

    /// All that has a document in v3.
    public var topics: [Topic] {
        Page.allCases.map { .page($0) } + groups.map { .group($0) } + groupVersions.map { .groupVersion($0) }
    }

    /// The path of a group version below the root, as the OpenAPI v3 index names it: `api/v1`, `apis/apps/v1`.
    public static func path(of groupVersion: GroupVersion) -> String {
        groupVersion.group.isEmpty ? "api/\(groupVersion.version)" : "apis/\(groupVersion.apiVersion)"
    }

    /// The document at `/openapi/v3`: where each group version's document is, with a hash that clients cache by.
    public static func v3Index(_ entries: [(topic: Topic, hash: String)]) -> JSONValue {
        var paths = JSONObject()
        for entry in entries {
            let path = entry.topic.path
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(entry.hash)")]
        }
        return ["paths": .object(paths)]
    }

    /// The OpenAPI v3 document of one group version.
    public func v3(_ groupVersion: GroupVersion) -> [UInt8] { v3(.groupVersion(groupVersion)) }

    /// An OpenAPI v3 document.
    public func v3(_ topic: Topic) -> [UInt8] {
        let members = v3Members(topic)
        return v3(members.schemas, members.paths, isCustom: members.isCustom)
    }

    /// The same in protobuf.
    public func v3Protobuf(_ topic: Topic) -> [UInt8] {
        let members = v3Members(topic)
        return OpenAPIProtobufV3.document(
            info: members.isCustom ? Self.customInfo : info,
            paths: members.paths,
            schemas: members.schemas,
            securitySchemes: members.isCustom ? nil : OpenAPISecurity.schemes
        )
    }

    /// What an OpenAPI v3 document holds.
    private struct V3Members {
        let schemas: [(String, JSONValue)]
        let paths: [(String, JSONValue)]
        let isCustom: Bool
    }

    private func v3Members(_ topic: Topic) -> V3Members {
        var closure = OpenAPIClosure(types: types)
        var paths = OpenAPIPaths(dialect: .v3, types: types)
        var known: [GroupVersion] = [Self.coreVersion]
        var isCustom = false
        switch topic {
        case .page(let page): paths.add(page)
        case .group(let group): paths.addVersions(group)
        case .groupVersion(let groupVersion):
            let own = kinds.filter { $0.group == groupVersion.group && $0.version(groupVersion.version)?.served == true }
            isCustom = own.allSatisfy(\.isCustom)
            // Custom resources are documented with all that upstream's library knows.
            if isCustom { known = OpenAPIVersions.ofClients } else if groupVersion != Self.coreVersion { known.append(groupVersion) }
            for kind in own {
                guard let version = kind.version(groupVersion.version) else { continue }
                closure.add(kind, version)
                paths.add(kind, version)
            }
            if !isCustom { paths.addResources(groupVersion) }
        }
        for type in paths.types { closure.add(type) }
        let schema = OpenAPISchema(dialect: .v3, groupVersions: known)
        let schemas = closure.definitions.map { ($0.name, schema.definition($0)) }
        return V3Members(schemas: schemas, paths: paths.sorted, isCustom: isCustom)
    }

    private static let coreVersion = GroupVersion(group: "", version: "v1")

    private func v3(_ schemas: [(String, JSONValue)], _ paths: [(String, JSONValue)], isCustom: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out += #"{"components":{"#.utf8
        if !schemas.isEmpty {
            out += #""schemas":{"#.utf8
            Self.write(schemas, to: &out)
            out += isCustom ? "}".utf8 : "},".utf8
        }
        if !isCustom {
            out += #""securitySchemes":"#.utf8
            OpenAPISecurity.schemes.encode(into: &out)
        }
        out += #"},"info":"#.utf8
        (isCustom ? Self.customInfo : info).encode(into: &out)
        out += #","openapi":"3.0.0","paths":{"#.utf8
        Self.write(paths, to: &out)
        out += "}}".utf8
        return out
    }

    private static let customInfo: JSONValue = ["title": "Kubernetes CRD Swagger", "version": "v0.1.0"]

    /// The OpenAPI v2 document of everything, the parts of documents of other servers included.
    public func v2(merging others: [JSONValue] = []) -> [UInt8] {
        let members = v2Members(others)
        var out: [UInt8] = []
        out += #"{"definitions":{"#.utf8
        Self.write(members.definitions, to: &out)
        out += #"},"info":"#.utf8
        info.encode(into: &out)
        out += #","parameters":"#.utf8
        JSONValue.object(members.parameters).encode(into: &out)
        out += #","paths":{"#.utf8
        Self.write(members.paths, to: &out)
        out += #"},"security":"#.utf8
        OpenAPISecurity.required.encode(into: &out)
        out += #","securityDefinitions":"#.utf8
        OpenAPISecurity.schemes.encode(into: &out)
        out += #","swagger":"2.0"}"#.utf8
        return out
    }

    /// The same in protobuf, which is the only form that kubectl asks for.
    public func v2Protobuf(merging others: [JSONValue] = []) -> [UInt8] {
        let members = v2Members(others)
        return OpenAPIProtobuf.document(
            info: info,
            paths: members.paths,
            definitions: members.definitions,
            parameters: members.parameters
        )
    }

    /// What an OpenAPI v2 document holds.
    private struct V2Members {
        var definitions: [(String, JSONValue)]
        var paths: [(String, JSONValue)]
        let parameters: JSONObject
    }

    private func v2Members(_ others: [JSONValue]) -> V2Members {
        var closure = OpenAPIClosure(types: types)
        let paths = v2Paths(&closure)
        let schema = OpenAPISchema(dialect: .v2, groupVersions: OpenAPIVersions.all(groupVersions(builtinOnly: true)))
        let definitions = closure.definitions.map { ($0.name, schema.definition($0)) }
        var members = V2Members(definitions: definitions, paths: paths.sorted, parameters: paths.shared)
        if others.isEmpty { return members }
        var merge = OpenAPIMerge(definitions: members.definitions, paths: members.paths)
        for other in others { merge.add(other) }
        func sorted(_ members: [String: JSONValue]) -> [(String, JSONValue)] {
            members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        members.definitions = sorted(merge.definitions)
        members.paths = sorted(merge.paths)
        return members
    }

    private func v2Paths(_ closure: inout OpenAPIClosure) -> OpenAPIPaths {
        var paths = OpenAPIPaths(dialect: .v2, types: types)
        for kind in kinds {
            for version in kind.versions where version.served {
                closure.add(kind, version)
                paths.add(kind, version)
            }
        }
        for page in Page.allCases { paths.add(page) }
        for group in groups { paths.addVersions(group) }
        for groupVersion in groupVersions(builtinOnly: true) { paths.addResources(groupVersion) }
        for type in paths.types { closure.add(type) }
        return paths
    }

    /// Upstream names the minor version alone: the documents of its patches are the same.
    private var info: JSONValue {
        let minor = version.drop { !$0.isNumber }.split(separator: ".").prefix(2).joined(separator: ".")
        return ["title": "Kubernetes", "version": .string(minor.isEmpty ? version : minor)]
    }

    private static func write(_ members: [(String, JSONValue)], to out: inout [UInt8]) {
        for (index, member) in members.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONValue.string(member.0).encode(into: &out)
            out.append(UInt8(ascii: ":"))
            member.1.encode(into: &out)
        }
    }
}

/// The two dialects.
enum OpenAPIDialect: Sendable {
    case v2, v3

    func reference(_ name: String) -> JSONValue {
        .string(self == .v2 ? "#/definitions/\(name)" : "#/components/schemas/\(name)")
    }
}
