import Values

extension NodeIPAMController {
    static func patch(_ cidrs: [String]) -> JSONValue {
        ["spec": ["podCIDR": .string(cidrs.first ?? ""), "podCIDRs": .array(cidrs.map { .string($0) })]]
    }
}
