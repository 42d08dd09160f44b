import APITypes

/// The config maps and secrets that a pod's containers take their environment from, as fetched; nil: does not exist.
struct ReferencedObjects: Sendable {
    var configMaps: [String: ConfigMap] = [:]
    var secrets: [String: Secret] = [:]

    /// The names a container's environment refers to.
    struct Names: Sendable {
        var configMaps: Set<String> = []
        var secrets: Set<String> = []

        init(_ containers: [Container]) {
            for container in containers {
                for source in container.envFrom {
                    if let reference = source.configMapRef { configMaps.insert(reference.name) }
                    if let reference = source.secretRef { secrets.insert(reference.name) }
                }
                for variable in container.env {
                    if let reference = variable.valueFrom?.configMapKeyRef { configMaps.insert(reference.name) }
                    if let reference = variable.valueFrom?.secretKeyRef { secrets.insert(reference.name) }
                }
            }
        }
    }
}

/// The container cannot be configured: what it refers to is missing or wrong. Shown as CreateContainerConfigError.
struct ContainerConfigError: Error, Sendable, CustomStringConvertible {
    let message: String
    var description: String { message }
}
