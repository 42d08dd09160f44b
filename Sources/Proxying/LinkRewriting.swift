/// Makes the links of a proxied page work: places below its server are put below the proxy's path.
public struct LinkRewriting: Sendable {
    /// The path of the proxy, without a slash at the end.
    public let prefix: String
    /// What the server calls itself, with its port; links to it are its own.
    public var host: String

    /// Rewrites links to what is behind the proxy at `prefix`.
    public init(prefix: String, host: String = "") {
        self.prefix = prefix
        self.host = host
    }

    /// The attributes that hold links, by element.
    private static let attributes: [String: Set<String>] = [
        "a": ["href"], "applet": ["codebase"], "area": ["href"], "audio": ["src"], "base": ["href"], "blockquote": ["cite"],
        "body": ["background"], "button": ["formaction"], "command": ["icon"], "del": ["cite"], "embed": ["src"],
        "form": ["action"], "frame": ["longdesc", "src"], "head": ["profile"], "html": ["manifest"], "iframe": ["longdesc", "src"],
        "img": ["longdesc", "src", "usemap"], "input": ["src", "formaction"], "ins": ["cite"], "link": ["href"],
        "object": ["classid", "codebase", "data", "usemap"], "q": ["cite"], "script": ["src"], "source": ["src"],
        "video": ["poster", "src"],
    ]

    /// A link as the client has to follow it. Links to other hosts and relative ones stay.
    public func location(_ link: String) -> String {
        for scheme in host.isEmpty ? [] : ["http://", "https://"] where link.hasPrefix(scheme + host) {
            let rest = link.dropFirst(scheme.count + host.count)
            if rest.isEmpty || rest.hasPrefix("/") { return location(rest.isEmpty ? "/" : String(rest)) }
        }
        guard link.hasPrefix("/"), !link.hasPrefix("//") else { return link }
        let end = link.firstIndex { $0 == "?" || $0 == "#" } ?? link.endIndex
        let path = link[..<end]
        if path == prefix || path.hasPrefix(prefix + "/") { return link }
        return prefix + link
    }

    /// A page with its links rewritten. What is no well-formed tag stays as it is.
    public func page(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + bytes.count / 8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "<"), let tag = Tag(bytes, at: index) else {
                out.append(bytes[index])
                index += 1
                continue
            }
            // The rest belongs to a tag that is never closed; to look for others inside it would take quadratic time.
            guard tag.isClosed else { break }
            var last = index
            if let names = Self.attributes[tag.name] {
                for attribute in tag.attributes where names.contains(attribute.name) {
                    out += bytes[last..<attribute.value.lowerBound]
                    out += location(String(decoding: bytes[attribute.value], as: UTF8.self)).utf8
                    last = attribute.value.upperBound
                }
            }
            out += bytes[last..<tag.end]
            index = tag.end
            // What stands in a script or style is no markup.
            if tag.name == "script" || tag.name == "style" {
                guard let close = Self.find("</\(tag.name)", in: bytes, from: index) else { break }
                out += bytes[index..<close]
                index = close
            }
        }
        out += bytes[index...]
        return out
    }

    private static func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
        let wanted = Array(text.utf8)
        guard bytes.count >= wanted.count, start <= bytes.count - wanted.count else { return nil }
        for index in start...(bytes.count - wanted.count) where bytes[index] == wanted[0] {
            if zip(bytes[index...], wanted).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) { return index }
        }
        return nil
    }

    /// An opening tag and where its attribute values stand.
    private struct Tag {
        struct Attribute {
            let name: String
            let value: Range<Int>
        }

        private(set) var name = ""
        private(set) var attributes: [Attribute] = []
        /// Behind the tag; where one that is not closed starts.
        private(set) var end: Int
        private(set) var isClosed = false

        /// Nil where no tag starts.
        init?(_ bytes: [UInt8], at start: Int) {
            end = start
            var index = start + 1
            let nameStart = index
            while index < bytes.count, Self.isNamePart(bytes[index]) { index += 1 }
            guard index > nameStart else { return nil }
            name = String(decoding: bytes[nameStart..<index], as: UTF8.self).lowercased()
            while index < bytes.count {
                while index < bytes.count, Self.isBlank(bytes[index]) || bytes[index] == UInt8(ascii: "/") { index += 1 }
                guard index < bytes.count else { return }
                if bytes[index] == UInt8(ascii: ">") {
                    end = index + 1
                    isClosed = true
                    return
                }
                guard let next = attribute(bytes, index) else { return }
                index = next
            }
        }

        /// Where the next attribute may start; nil at the end of the page.
        private mutating func attribute(_ bytes: [UInt8], _ start: Int) -> Int? {
            var index = start
            while index < bytes.count, !Self.isBlank(bytes[index]), !"=>/".utf8.contains(bytes[index]) { index += 1 }
            let name = String(decoding: bytes[start..<index], as: UTF8.self).lowercased()
            while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { return index > start ? index : start + 1 }
            index += 1
            while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
            guard index < bytes.count else { return nil }
            let quote = bytes[index]
            var valueStart = index
            if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                valueStart += 1
                index = valueStart
                while index < bytes.count, bytes[index] != quote { index += 1 }
                guard index < bytes.count else { return nil }
                attributes.append(Attribute(name: name, value: valueStart..<index))
                return index + 1
            }
            while index < bytes.count, !Self.isBlank(bytes[index]), bytes[index] != UInt8(ascii: ">") { index += 1 }
            attributes.append(Attribute(name: name, value: valueStart..<index))
            return index
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

        private static func isNamePart(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }
}
