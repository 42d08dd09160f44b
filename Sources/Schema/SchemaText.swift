/// A text for people: given, or in the embedded schema, from where it is decoded only when somebody asks.
///
/// `@unchecked Sendable`: the memory pointed to is constant data of the program.
enum SchemaText: @unchecked Sendable {
    case given(String)
    case embedded(UnsafeRawBufferPointer)

    var string: String {
        switch self {
        case .given(let text): text
        case .embedded(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}
