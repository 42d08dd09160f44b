import APITypes
import PodRuntime

/// Makes a container's environment.
struct Environment {
    let fields: DownwardFields
    let objects: ReferencedObjects
    let services: [String: String]

    private var namespace: String { fields.pod.metadata.namespace }

    /// The variables of `container`, sorted by name.
    func variables(of container: Container) throws(ContainerConfigError) -> [(name: String, value: String)] {
        var values: [String: String] = [:]
        for source in container.envFrom { try add(source, to: &values) }
        for variable in container.env {
            guard let value = try value(of: variable, container, values) else { continue }
            values[variable.name] = value
        }
        let merged = services.merging(values) { $1 }
        return merged.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    private func add(_ source: EnvFromSource, to values: inout [String: String]) throws(ContainerConfigError) {
        if let reference = source.configMapRef {
            guard let map = objects.configMaps[reference.name] else {
                if reference.optional == true { return }
                throw missing("configmap", reference.name)
            }
            for (key, value) in map.data { values[source.prefix + key] = value }
        } else if let reference = source.secretRef {
            guard let secret = objects.secrets[reference.name] else {
                if reference.optional == true { return }
                throw missing("secret", reference.name)
            }
            for (key, value) in secret.data { values[source.prefix + key] = String(decoding: value, as: UTF8.self) }
        }
    }

    /// The value of one variable; nil: an optional source is missing, the variable stays unset.
    private func value(
        of variable: EnvVar,
        _ container: Container,
        _ values: [String: String]
    ) throws(ContainerConfigError) -> String? {
        if !variable.value.isEmpty {
            return VariableExpansion.expand(variable.value) { values[$0] ?? services[$0] }
        }
        guard let source = variable.valueFrom else { return "" }
        if let reference = source.fieldRef { return try fields.field(reference.fieldPath) }
        if let reference = source.resourceFieldRef {
            return try fields.resource(reference, of: named(reference.containerName) ?? container)
        }
        if let reference = source.configMapKeyRef {
            let isOptional = reference.optional == true
            guard let map = objects.configMaps[reference.name] else {
                if isOptional { return nil }
                throw missing("configmap", reference.name)
            }
            if let value = map.data[reference.key] { return value }
            if isOptional { return nil }
            throw missingKey(reference.key, "ConfigMap", reference.name)
        }
        if let reference = source.secretKeyRef {
            let isOptional = reference.optional == true
            guard let secret = objects.secrets[reference.name] else {
                if isOptional { return nil }
                throw missing("secret", reference.name)
            }
            if let value = secret.data[reference.key] { return String(decoding: value, as: UTF8.self) }
            if isOptional { return nil }
            throw missingKey(reference.key, "Secret", reference.name)
        }
        return ""
    }

    private func named(_ name: String) -> Container? {
        let spec = fields.pod.spec
        return name.isEmpty ? nil : (spec.containers + spec.initContainers).first { $0.name == name }
    }

    private func missing(_ kind: String, _ name: String) -> ContainerConfigError {
        ContainerConfigError(message: "\(kind) \"\(name)\" not found")
    }

    private func missingKey(_ key: String, _ kind: String, _ name: String) -> ContainerConfigError {
        ContainerConfigError(message: "couldn't find key \(key) in \(kind) \(namespace)/\(name)")
    }
}
