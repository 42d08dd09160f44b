/// What only expressions that change objects have.
/// Source: apiserver/pkg/cel/library/jsonpatch.go.
extension FunctionTable {
    static let patches: FunctionTable = {
        var table = FunctionTable()
        table.global("jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", [.string], .string) { arguments, _ throws(CELError) in
            guard case .string(let key) = arguments[0] else { throw .noSuchOverload }
            return .string(escaped(key))
        }
        return table
    }()

    /// The key as a part of a JSON pointer.
    private static func escaped(_ key: String) -> String {
        var out: [UInt8] = []
        for byte in key.utf8 {
            switch byte {
            case UInt8(ascii: "/"): out += "~1".utf8
            case UInt8(ascii: "~"): out += "~0".utf8
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
