import Schema
import Units

/// An IP address.
struct AddressValue: CELObject {
    let address: IPAddress
    var type: CELType { TypeNames.ip }
    var size: UInt64? { UInt64(address.bytes.count) }

    func isEqual(to other: any CELObject) -> Bool { (other as? AddressValue)?.address == address }

    /// Reads an address without a zone, that is not IPv4 in IPv6's clothes.
    static func parse(_ text: String) throws(CELError) -> IPAddress {
        let quoted = GoQuote.quote(text)
        let (bare, zone) = split(text)
        guard text.utf8.count <= 128, let address = IPAddress(bare), zone != "" else {
            let reason = AddressText.problem(text)
            throw CELError("IP Address \(quoted) parse error during conversion from string: ParseAddr(\(quoted)): \(reason)")
        }
        if zone != nil { throw CELError("IP address \(quoted) with zone value is not allowed") }
        let isMapped = text.utf8.contains(58) && (address.isV4 || address.bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]))
        if isMapped { throw CELError("IPv4-mapped IPv6 address \(quoted) is not allowed") }
        return address
    }

    private static func split(_ text: String) -> (String, String?) {
        guard text.utf8.contains(58), let sign = text.firstIndex(of: "%") else { return (text, nil) }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }

    static func from(_ value: CELValue) throws(CELError) -> IPAddress {
        guard case .object(let object) = value, let held = object as? AddressValue else { throw .noSuchOverload }
        return held.address
    }
}

/// An address with the length of its network's prefix; bits after the prefix stay.
struct NetworkValue: CELObject {
    let address: IPAddress
    let prefixLength: Int
    var type: CELType { TypeNames.cidr }
    var size: UInt64? { UInt64((prefixLength + 7) / 8) }
    var text: String { "\(address)/\(prefixLength)" }

    func isEqual(to other: any CELObject) -> Bool {
        guard let other = other as? NetworkValue else { return false }
        return other.address == address && other.prefixLength == prefixLength
    }

    var network: CIDR? { CIDR(address, prefixLength: prefixLength) }

    static func parse(_ text: String) throws(CELError) -> NetworkValue {
        let quoted = GoQuote.quote(text)
        func failure(_ reason: String) -> CELError {
            CELError(
                "network address parse error during conversion from string: network address parse error during conversion from "
                    + "string: netip.ParsePrefix(\(quoted)): \(reason)"
            )
        }
        guard text.utf8.count <= 128, let slash = text.lastIndex(of: "/") else { throw failure("no '/'") }
        let host = String(text[..<slash])
        let bits = text[text.index(after: slash)...]
        guard !host.utf8.contains(37) else { throw failure("IPv6 zones cannot be present in a prefix") }
        guard let address = IPAddress(host) else { throw failure("ParseAddr(\(GoQuote.quote(host))): \(AddressText.problem(host))") }
        let isPlain = bits.utf8.allSatisfy { (48...57).contains($0) } && (bits.utf8.count == 1 || bits.utf8.first != 48)
        guard isPlain, let length = Int(bits) else { throw failure("bad bits after slash: \(GoQuote.quote(String(bits)))") }
        let isMapped = host.utf8.contains(58) && (address.isV4 || address.bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]))
        if isMapped {
            throw CELError("network address parse error during conversion from string: IPv4-mapped IPv6 address \(quoted) is not allowed")
        }
        guard length <= address.bytes.count * 8 else { throw failure("prefix length out of range") }
        return NetworkValue(address: address, prefixLength: length)
    }

    static func from(_ value: CELValue) throws(CELError) -> NetworkValue {
        guard case .object(let object) = value, let held = object as? NetworkValue else { throw .noSuchOverload }
        return held
    }
}

/// Source: apiserver/pkg/cel/library/ip.go and cidr.go.
extension FunctionTable {
    mutating func addAddresses() {
        global("ip", "string_to_ip", [.string], TypeNames.ip) { arguments, _ throws(CELError) in
            .object(AddressValue(address: try AddressValue.parse(arguments[0].string ?? "")))
        }
        global("isIP", "is_ip", [.string], .bool) { arguments, _ throws(CELError) in
            .bool((try? AddressValue.parse(arguments[0].string ?? "")) != nil)
        }
        global("ip.isCanonical", "ip_is_canonical", [.string], .bool) { arguments, _ throws(CELError) in
            let text = arguments[0].string ?? ""
            return .bool(try AddressValue.parse(text).description == text)
        }
        global("string", "ip_to_string", [TypeNames.ip], .string) { arguments, _ throws(CELError) in
            .string(try AddressValue.from(arguments[0]).description)
        }
        address("family", "ip_family", .int) { .int($0.isV4 ? 4 : 6) }
        address("isUnspecified", "ip_is_unspecified", .bool) { .bool($0.isUnspecified) }
        address("isLoopback", "ip_is_loopback", .bool) { .bool($0.isLoopback) }
        address("isLinkLocalMulticast", "ip_is_link_local_multicast", .bool) { .bool($0.isLinkLocalMulticast) }
        address("isLinkLocalUnicast", "ip_is_link_local_unicast", .bool) { .bool($0.isLinkLocal) }
        address("isGlobalUnicast", "ip_is_global_unicast", .bool) { address in
            let isBroadcast = address.isV4 && address.bytes.allSatisfy { $0 == 255 }
            return .bool(!isBroadcast && !address.isUnspecified && !address.isLoopback && !address.isMulticast && !address.isLinkLocal)
        }
        addNetworks()
    }

    private mutating func address(_ name: String, _ id: String, _ result: CELType, _ body: @escaping @Sendable (IPAddress) -> CELValue) {
        member(name, id, [TypeNames.ip], result) { arguments, _ throws(CELError) in body(try AddressValue.from(arguments[0])) }
    }

    private mutating func addNetworks() {
        let type = TypeNames.cidr
        global("cidr", "string_to_cidr", [.string], type) { arguments, _ throws(CELError) in
            .object(try NetworkValue.parse(arguments[0].string ?? ""))
        }
        global("isCIDR", "is_cidr", [.string], .bool) { arguments, _ throws(CELError) in
            .bool((try? NetworkValue.parse(arguments[0].string ?? "")) != nil)
        }
        global("string", "cidr_to_string", [type], .string) { arguments, _ throws(CELError) in
            .string(try NetworkValue.from(arguments[0]).text)
        }
        member("ip", "cidr_ip", [type], TypeNames.ip) { arguments, _ throws(CELError) in
            .object(AddressValue(address: try NetworkValue.from(arguments[0]).address))
        }
        member("prefixLength", "cidr_prefix_length", [type], .int) { arguments, _ throws(CELError) in
            .int(Int64(try NetworkValue.from(arguments[0]).prefixLength))
        }
        member("masked", "cidr_masked", [type], type) { arguments, _ throws(CELError) in
            let held = try NetworkValue.from(arguments[0])
            return .object(NetworkValue(address: held.network?.network ?? held.address, prefixLength: held.prefixLength))
        }
        for (suffix, other) in [("string", CELType.string), ("ip", TypeNames.ip)] {
            member("containsIP", "cidr_contains_ip_\(suffix)", [type, other], .bool) { arguments, _ throws(CELError) in
                let address: IPAddress
                if case .string(let text) = arguments[1] {
                    guard let parsed = try? AddressValue.parse(text) else { throw .noSuchOverload }
                    address = parsed
                } else {
                    address = try AddressValue.from(arguments[1])
                }
                return .bool(try NetworkValue.from(arguments[0]).network?.contains(address) ?? false)
            }
        }
        for (id, other) in [("cidr_contains_cidr_string", CELType.string), ("cidr_contains_cidr", type)] {
            member("containsCIDR", id, [type, other], .bool) { arguments, _ throws(CELError) in
                let inner: NetworkValue =
                    if case .string(let text) = arguments[1] { try NetworkValue.parse(text) } else { try NetworkValue.from(arguments[1]) }
                guard let outer = try NetworkValue.from(arguments[0]).network, let network = inner.network,
                    outer.isIPv6 == network.isIPv6
                else { return .bool(false) }
                return .bool(outer.contains(network))
            }
        }
    }
}

extension IPAddress {
    /// Whether it is a multicast address of the local link.
    fileprivate var isLinkLocalMulticast: Bool {
        isV4 ? bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0 : bytes[0] == 0xff && bytes[1] & 0x0f == 0x02
    }
}
