import CSchemaData
import Schema

/// The schema of every built-in type, embedded in the binary.
public enum BuiltinSchema {
    private static let shared: SchemaTable = {
        let bytes = UnsafeRawBufferPointer(start: apus_schema_bytes(), count: apus_schema_length())
        guard let table = SchemaTable(blob: bytes) else {
            preconditionFailure("the embedded schema is damaged: generate it anew with Tools/generate")
        }
        return table
    }()

    /// All types, each decoded on first use. Constant data: the same table each time.
    public static func table() -> SchemaTable { shared }

    /// A type by its OpenAPI name, such as `io.k8s.api.core.v1.Pod`; any value at all for an unknown name.
    public static func node(_ openAPIName: String) -> SchemaNode { shared.node(openAPIName) ?? .anything }
}
