extension TreeReader {
    /// Steps over a value and checks it as `value` does, without keeping any of it.
    mutating func skipValue() throws(JSONParseError) {
        guard cursor < end else { throw endOfInput() }
        switch cursor.pointee {
        case UInt8(ascii: "\""):
            cursor += 1
            try skipText()
        case UInt8(ascii: "{"):
            try enter()
            defer { depthLeft += 1 }
            if cursor < end, cursor.pointee == UInt8(ascii: "}") {
                cursor += 1
                return
            }
            repeat { try skipMember() } while try !endsObject()
        case UInt8(ascii: "["): try skipList()
        default: _ = try value()
        }
    }

    private mutating func skipMember() throws(JSONParseError) {
        guard cursor < end else { throw endOfInput() }
        guard cursor.pointee == UInt8(ascii: "\"") else { throw unexpected("looking for beginning of object key string") }
        cursor += 1
        try skipText()
        skipSpace()
        guard cursor < end else { throw endOfInput() }
        guard cursor.pointee == UInt8(ascii: ":") else { throw unexpected("after object key") }
        cursor += 1
        skipSpace()
        try skipValue()
    }

    private mutating func skipList() throws(JSONParseError) {
        try enter()
        defer { depthLeft += 1 }
        if cursor < end, cursor.pointee == UInt8(ascii: "]") {
            cursor += 1
            return
        }
        while true {
            try skipValue()
            skipSpace()
            guard cursor < end else { throw endOfInput() }
            let byte = cursor.pointee
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else { throw unexpected("after array element") }
            cursor += 1
            if byte == UInt8(ascii: "]") { return }
            skipSpace()
        }
    }

    private mutating func skipText() throws(JSONParseError) {
        let begin = cursor
        scanText()
        if cursor < end, cursor.pointee == UInt8(ascii: "\"") { cursor += 1 } else { _ = try slowText(from: begin, at: cursor) }
    }
}
