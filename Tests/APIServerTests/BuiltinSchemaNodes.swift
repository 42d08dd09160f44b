import APITypes
import Schema

/// Types the tests look at.
enum BuiltinSchemaNodes {
    static let pod = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
}
