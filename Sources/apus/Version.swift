/// What this binary is.
enum Version {
    /// Apus' own version (semantic versioning).
    static let apus = "0.1.0"
    /// The Kubernetes version whose API it speaks.
    static let kubernetes = "v1.36.2"
    /// What `apus version` prints.
    static let text = "apus \(apus) (Kubernetes \(kubernetes))"
}
