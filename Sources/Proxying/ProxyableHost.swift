import APIModel
import Channels
import Glibc
import Synchronization
import Units

/// Says whether the server may be made to send requests to a host, which is an address or a name.
public enum ProxyableHost {
    private static let lookups = BlockingPool(name: "apus-lookup", threads: 2)
    private static let waiting = Atomic(0)
    /// So many names are looked up or wait for it; a resolver that does not answer holds up no more than them.
    private static let maxWaiting = 64

    /// An address of `host` to connect to, once every one it has is allowed: the server's own interfaces and a cloud's
    /// metadata service are reached by nobody, by whatever name.
    ///
    /// - Throws: 400 for a host that is not allowed or has no address.
    public static func address(of host: String) async throws(APIError) -> String {
        if let address = IPAddress(host) {
            guard address.isProxyable else { throw .badRequest("address not allowed") }
            return host
        }
        let found = try await lookUp(host)
        guard let first = found.first else { throw .badRequest("lookup \(host): no such host") }
        guard found.allSatisfy({ IPAddress($0)?.isProxyable == true }) else { throw .badRequest("address not allowed") }
        return first
    }

    private static func lookUp(_ host: String) async throws(APIError) -> [String] {
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard waiting.add(1, ordering: .relaxed).newValue <= maxWaiting else {
            throw .serviceUnavailable("too many names are being looked up")
        }
        let found = try? await lookups.run { addresses(host) }
        return found ?? []
    }

    private static let longestAddress = 64

    /// The addresses of a name, as the host's resolver knows them. Blocks.
    private static func addresses(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            var text = [CChar](repeating: 0, count: longestAddress)
            let length = socklen_t(text.count)
            guard getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST) == 0 else { continue }
            // A link-local address comes with its interface behind a percent sign.
            let bytes = text.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "%")) }.map { UInt8(bitPattern: $0) }
            found.append(String(decoding: bytes, as: UTF8.self))
        }
        return found
    }
}

extension IPAddress {
    /// Whether the server may be made to send requests there. Addresses that carry an IPv4 address in IPv6 count as that.
    public var isProxyable: Bool {
        let own = embeddedV4 ?? self
        return !own.isLoopback && !own.isLinkLocal && !own.isMulticast && !own.isUnspecified && !own.isBroadcast
    }

    private var isBroadcast: Bool { isV4 && bytes.allSatisfy { $0 == 0xff } }

    private var embeddedV4: IPAddress? {
        guard !isV4, bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff else { return nil }
        return IPAddress(bytes[12...].map { String($0) }.joined(separator: "."))
    }
}
