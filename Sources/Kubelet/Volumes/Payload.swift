import APITypes

/// Turns API objects into the files of a volume. Pure.
enum Payload {
    static let defaultMode: UInt32 = 0o644

    /// Files from string and binary entries: all of them, or those that `items` names at the paths it gives.
    static func files(
        _ entries: [String: [UInt8]],
        items: [KeyToPath],
        mode: UInt32,
        optional: Bool,
        source: String
    ) throws(ContainerConfigError) -> [String: PayloadFile] {
        if items.isEmpty { return entries.mapValues { PayloadFile(content: $0, mode: mode) } }
        var result: [String: PayloadFile] = [:]
        for item in items {
            guard let content = entries[item.key] else {
                if optional { continue }
                throw ContainerConfigError(message: "\(source) references non-existent key: \(item.key)")
            }
            result[item.path] = PayloadFile(content: content, mode: item.mode.map { UInt32($0) } ?? mode)
        }
        return result
    }

    static func entries(_ map: ConfigMap) -> [String: [UInt8]] {
        map.data.mapValues { Array($0.utf8) }.merging(map.binaryData) { $1 }
    }

    /// Files of the downward API.
    static func files(
        _ items: [DownwardAPIVolumeFile],
        mode: UInt32,
        fields: DownwardFields
    ) throws(ContainerConfigError) -> [String: PayloadFile] {
        let spec = fields.pod.spec
        var result: [String: PayloadFile] = [:]
        for item in items {
            var text = ""
            if let reference = item.fieldRef {
                text = try fields.field(reference.fieldPath)
            } else if let reference = item.resourceFieldRef {
                let name = reference.containerName
                guard let container = (spec.containers + spec.initContainers).first(where: { $0.name == name }) else {
                    throw ContainerConfigError(message: "container \(name) not found")
                }
                text = try fields.resource(reference, of: container)
            }
            result[item.path] = PayloadFile(content: Array(text.utf8), mode: item.mode.map { UInt32($0) } ?? mode)
        }
        return result
    }
}
