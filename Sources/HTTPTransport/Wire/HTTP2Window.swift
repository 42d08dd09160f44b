import NIOHPACK

/// The windows both ends of ours announce.
enum HTTP2Window {
    /// Bytes a peer may send on one stream before we acknowledge them.
    static let stream = 1024 * 1024
    /// Bytes a peer may send on all streams of a connection before we acknowledge them.
    static let connection = 8 * 1024 * 1024
    /// What the protocol starts a connection with.
    static let initialConnection = 65_535

    /// How much to give back when the window has shrunk to `size`, or nil while more than half is left.
    static func refill(_ size: Int, target: Int) -> Int? {
        size <= target / 2 ? target - size : nil
    }
}

extension HPACKHeaders {
    /// Adds our fields in HTTP/2's form: lower case, nothing that belongs to a connection.
    mutating func add(_ fields: HeaderFields) {
        for field in fields {
            let name = field.name.utf8.contains { (0x41...0x5a).contains($0) } ? field.name.lowercased() : field.name
            switch name {
            case "connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "host": continue
            default: add(name: name, value: field.value)
            }
        }
    }
}
