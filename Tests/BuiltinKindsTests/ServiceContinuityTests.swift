import BuiltinKinds
import Testing
import Values

/// What an update of a service leaves out.
@Suite struct ServiceContinuityTests {
    private static let given =
        "{metadata: {name: s}, spec: {type: NodePort, clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], "
        + "ports: [{name: a, port: 80, nodePort: 30001}, {name: b, port: 81, nodePort: 30002}]}}"

    @Test func `an update of a service that names one of its addresses`() throws {
        let services = try Subject("services")
        let old = services.created(try yaml(Self.given))
        func updated(_ one: JSONValue?, _ all: JSONValue?, type: JSONValue = "NodePort") -> (spec: JSONValue?, problems: [String]) {
            var new = with(with(with(old, "spec.clusterIP", one), "spec.clusterIPs", all), "spec.type", type)
            ServiceContinuity.update(&new, old: old)
            services.descriptor.hooks.prepareForUpdate(&new, old: old, services.context())
            // Nothing else is looked at while the addresses do not fit together.
            let early = ServiceContinuity.addressIssues(new, old: old)
            let issues = early.isEmpty ? services.descriptor.hooks.validateUpdate(new, old: old, services.context()) : early
            return (new["spec"], issues.map(\.message))
        }
        for (one, all) in [(nil, nil), (nil, ["10.0.0.1"]), ("", ["10.0.0.1"]), ("10.0.0.1", nil)] as [(JSONValue?, JSONValue?)] {
            let after = updated(one, all)
            #expect(after.spec?["clusterIP"] == "10.0.0.1" && after.spec?["clusterIPs"] == ["10.0.0.1"])
            #expect(after.problems == [])
        }
        let changed = "spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"
        let apart = "spec.clusterIPs: Invalid value: [\"10.0.0.2\"]: first value must match `clusterIP`"
        #expect(updated("10.0.0.2", ["10.0.0.1"]).problems == [changed])
        #expect(updated("10.0.0.2", nil).problems == [changed])
        #expect(updated("10.0.0.1", ["10.0.0.2"]).problems == [apart])
        #expect(updated(nil, ["10.0.0.2"]).problems == [apart])
        let outside = updated(nil, ["10.0.0.1"], type: "ExternalName").spec
        #expect(outside?["clusterIP"] == nil && outside?["clusterIPs"] == nil)
        var back = with(old, "spec.clusterIPs", nil)
        ServiceContinuity.create(&back)
        #expect(back["spec"]?["clusterIPs"] == ["10.0.0.1"])
    }

    @Test func `node ports left out are those the service has, by name`() throws {
        let services = try Subject("services")
        let old = services.created(try yaml(Self.given))
        func ports(_ text: String) throws -> [JSONValue?] {
            var new = with(old, "spec.ports", try yaml(text))
            ServiceContinuity.update(&new, old: old)
            return (new.value(at: ["spec", "ports"])?.array ?? []).map { $0["nodePort"] }
        }
        #expect(try ports("[{name: b, port: 81}, {name: a, port: 90}]") == [30002, 30001])
        #expect(try ports("[{name: a, port: 80}, {name: c, port: 81, nodePort: 30001}]") == [nil, 30001])
    }
}
