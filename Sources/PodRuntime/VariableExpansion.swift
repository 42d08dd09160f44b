/// `$(NAME)` expansion as in container commands and environment values: `$$` is a literal dollar, an unknown name is
/// left as written.
public enum VariableExpansion {
    /// The text with the values in place of their names.
    public static func expand(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "$"):
                result.append(UInt8(ascii: "$"))
                index += 2
            case UInt8(ascii: "("):
                guard let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ")")) else {
                    result.append(contentsOf: bytes[index...])
                    index = bytes.count
                    continue
                }
                let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
                result.append(contentsOf: value(name)?.utf8.map { $0 } ?? Array(bytes[index...end]))
                index = end + 1
            default:
                result.append(contentsOf: bytes[index...(index + 1)])
                index += 2
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
