import APIModel
import Units
import Values

/// The behaviour of Endpoints.
struct EndpointsHooks: KindHooks {
    private static let shown = 3

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), .string(endpoints(object)), Cells.age(object, now: now)]
    }

    private func endpoints(_ object: JSONValue) -> String {
        var texts: [String] = []
        for subset in object["subsets"]?.array ?? [] {
            let addresses = (subset["addresses"]?.array ?? []).compactMap { $0["ip"]?.string }
            let ports = subset["ports"]?.array ?? []
            if ports.isEmpty { texts += addresses }
            for port in ports { texts += addresses.map { "\($0):\(port["port"]?.int ?? 0)" } }
        }
        if texts.isEmpty { return "<none>" }
        let more = texts.count - Self.shown
        return texts.prefix(Self.shown).joined(separator: ",") + (more > 0 ? " + \(more) more..." : "")
    }
}

/// The behaviour of EndpointSlices.
struct EndpointSliceHooks: KindHooks {
    private static let shown = 3

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        guard object["endpoints"] != old["endpoints"] || object["ports"] != old["ports"] else { return }
        object.set(.integer((old.value(at: ["metadata", "generation"])?.int ?? 0) + 1), at: ["metadata", "generation"])
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let ports = (object["ports"]?.array ?? []).map { $0["port"]?.int.map { String($0) } ?? "*" }
        let addresses = (object["endpoints"]?.array ?? []).flatMap { ($0["addresses"]?.array ?? []).compactMap(\.string) }
        return [
            Cells.name(object), object["addressType"] ?? "", .string(limited(ports, "<unset>")), .string(limited(addresses, "<unset>")),
            Cells.age(object, now: now),
        ]
    }

    private func limited(_ texts: [String], _ none: String) -> String {
        if texts.isEmpty { return none }
        let more = texts.count - Self.shown
        return texts.prefix(Self.shown).joined(separator: ",") + (more > 0 ? " + \(more) more..." : "")
    }
}
