import APIModel
import APITypes
import Schema
import Testing
import Values

@Suite struct ObjectDefaultsTests {
    /// Reads `a.b[].c[1]` in a value; a list without an index reads its first element.
    static func read(_ value: JSONValue, _ path: String) -> JSONValue? {
        var current: JSONValue? = value
        for segment in path.split(separator: ".") {
            let parts = segment.split(separator: "[", omittingEmptySubsequences: false)
            current = current?[String(parts[0])]
            if parts.count > 1 {
                let index = Int(parts[1].dropLast()) ?? 0
                guard case .array(let list)? = current, list.indices.contains(index) else { return nil }
                current = list[index]
            }
        }
        return current
    }

    /// An object in which every list and every struct pointer holds one zero element.
    static func filled(_ node: SchemaNode, depth: Int = 0) -> JSONValue {
        guard depth < 14 else { return .object([:]) }
        switch node.shape {
        case .object:
            var object = JSONObject()
            for field in node.fields where !field.traits.contains(.typeMeta) {
                switch field.node.shape {
                case .object, .list: object[field.name] = filled(field.node, depth: depth + 1)
                default: break
                }
            }
            return .object(object)
        case .list:
            guard let element = node.element, element.shape == .object else { return .array([]) }
            return .array([filled(element, depth: depth + 1)])
        default: return .null
        }
    }

    static func defaulted(_ value: JSONValue, _ node: SchemaNode) -> JSONValue {
        var value = value
        node.normalize(&value)
        node.applyDefaults(&value)
        return value
    }

    @Test(arguments: objectDefaultsFacts.map(\.kind))
    func `the schema adds what upstream's defaulting adds`(_ kind: String) throws {
        let entry = try #require(objectDefaultsFacts.first { $0.kind == kind })
        let node = BuiltinSchema.node(entry.type)
        let facts = try JSONParser.parse(entry.facts)
        let bare = Self.defaulted(.object([:]), node)
        for (path, value) in facts["empty"]?.object ?? [:] {
            #expect(Self.read(bare, path) == value, "\(kind) bare \(path)")
        }
        // The table's filled object holds all members of a union at once, and other branches of conditions with them.
        let exceptions: Set<String> = ["spec.podReplacementPolicy"]
        let full = Self.defaulted(Self.filled(node), node)
        for (path, value) in facts["filled"]?.object ?? [:] where !exceptions.contains(path) {
            #expect(Self.read(full, path) == value, "\(kind) filled \(path)")
        }
    }

    static func apply(_ text: String, _ type: String) throws -> JSONValue {
        defaulted(try JSONParser.parse(text), BuiltinSchema.node("io.k8s.api.\(type)"))
    }

    @Test func `a bare object gains nothing but its defaults`() throws {
        let result = try Self.apply("{}", "core.v1.Namespace")
        #expect(result == ["metadata": [:], "spec": [:], "status": ["phase": "Active"]])
    }

    @Test func `what is given stays, zero pointers included`() throws {
        let result = try Self.apply(#"{"spec":{"replicas":0,"strategy":{"type":"Recreate"}}}"#, "apps.v1.Deployment")
        #expect(result["spec"]?["replicas"] == 0)
        #expect(result["spec"]?["strategy"] == ["type": "Recreate"])
    }

    @Test func `half of a rolling update is completed`() throws {
        let result = try Self.apply(
            #"{"spec":{"strategy":{"rollingUpdate":{"maxSurge":1}}}}"#,
            "apps.v1.Deployment"
        )
        #expect(
            result["spec"]?["strategy"]
                == ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": "25%"]]
        )
    }

    @Test func `a job with parallelism gets no completions`() throws {
        let result = try Self.apply(#"{"spec":{"parallelism":3}}"#, "batch.v1.Job")
        #expect(result["spec"]?["completions"] == nil)
        let bare = try Self.apply("{}", "batch.v1.Job")
        #expect(bare["spec"]?["completions"] == 1)
        #expect(bare["spec"]?["parallelism"] == 1)
    }

    @Test func `an external name service gets no traffic policy`() throws {
        let result = try Self.apply(#"{"spec":{"type":"ExternalName"}}"#, "core.v1.Service")
        #expect(result["spec"]?["internalTrafficPolicy"] == nil)
    }

    @Test func `defaults reach every element of a list`() throws {
        let text =
            #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":1},{"containerPort":2,"protocol":"UDP"}]},{"name":"b","livenessProbe":{"httpGet":{"port":1}}}]}}"#
        let result = try Self.apply(text, "core.v1.Pod")
        let containers = try #require(result["spec"]?["containers"]?.array)
        #expect(
            containers[0]["ports"] == [
                ["containerPort": 1, "protocol": "TCP"], ["containerPort": 2, "protocol": "UDP"],
            ]
        )
        #expect(containers[1]["livenessProbe"]?["httpGet"]?["scheme"] == "HTTP")
        #expect(containers[1]["livenessProbe"]?["periodSeconds"] == 10)
        #expect(containers[0]["terminationMessagePath"] == "/dev/termination-log")
        #expect(containers[0]["livenessProbe"] == nil)
    }
}
