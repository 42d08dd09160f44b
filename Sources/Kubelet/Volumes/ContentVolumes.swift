import APITypes
import Channels
import Units

/// Volumes whose files come from the API: configMap, secret, downwardAPI and projected. They follow the API while the
/// pod runs.
struct ContentVolumes: VolumePlugin {
    let pool: BlockingPool
    let clock: any ClusterClock
    /// Secrets are kept off the disk. False where the kubelet may not mount.
    var usesMemory = true
    var isLive: Bool { true }

    func handles(_ volume: Volume) -> Bool {
        volume.configMap != nil || volume.secret != nil || volume.downwardAPI != nil || volume.projected != nil
    }

    func setUp(_ volume: Volume, _ context: VolumeContext) async throws -> MountedVolume {
        let files = try await files(volume, context)
        let (plugin, isSecret) = Self.plugin(volume)
        let path = context.directory(plugin, volume.name)
        let inMemory = usesMemory && isSecret
        let stamp = clock.now.rfc3339Micro.filter { $0 != ":" && $0 != "Z" }.map { $0 == "T" || $0 == "-" ? "_" : $0 }
        let name = String(stamp)
        let group = context.group
        try await pool.run {
            try HostFiles.makeDirectories(path)
            if inMemory, !Mounts.below(path).contains(path) { try Mounts.tmpfs(at: path, options: "mode=0755") }
            try HostFiles.changeMode(path, 0o777)
            try AtomicWriter(directory: path, group: group).write(files, stamp: name)
            if let group { try Ownership.give(path, to: group) }
        }
        return MountedVolume(hostPath: path, isReadOnly: true)
    }

    private static func plugin(_ volume: Volume) -> (String, isSecret: Bool) {
        if volume.configMap != nil { return ("kubernetes.io~configmap", false) }
        if volume.secret != nil { return ("kubernetes.io~secret", true) }
        if volume.downwardAPI != nil { return ("kubernetes.io~downward-api", false) }
        return ("kubernetes.io~projected", true)
    }

    private func files(_ volume: Volume, _ context: VolumeContext) async throws -> [String: PayloadFile] {
        let namespace = context.pod.metadata.namespace
        if let source = volume.configMap {
            let entries = try await optional(source.optional) {
                Payload.entries(try await context.objects.configMap(namespace, source.name))
            }
            return try Payload.files(
                entries ?? [:],
                items: entries == nil ? [] : source.items,
                mode: Self.mode(source.defaultMode),
                optional: source.optional == true,
                source: "configmap"
            )
        }
        if let source = volume.secret {
            let entries = try await optional(source.optional) {
                try await context.objects.secret(namespace, source.secretName).data
            }
            return try Payload.files(
                entries ?? [:],
                items: entries == nil ? [] : source.items,
                mode: Self.mode(source.defaultMode),
                optional: source.optional == true,
                source: "secret"
            )
        }
        if let source = volume.downwardAPI {
            return try Payload.files(source.items, mode: Self.mode(source.defaultMode), fields: context.fields)
        }
        guard let projected = volume.projected else { return [:] }
        var result: [String: PayloadFile] = [:]
        for source in projected.sources {
            result.merge(try await files(source, mode: Self.mode(projected.defaultMode), context)) { $1 }
        }
        return result
    }

    private func files(
        _ source: VolumeProjection,
        mode: UInt32,
        _ context: VolumeContext
    ) async throws -> [String: PayloadFile] {
        let pod = context.pod
        let namespace = pod.metadata.namespace
        if let part = source.configMap {
            let entries = try await optional(part.optional) {
                Payload.entries(try await context.objects.configMap(namespace, part.name))
            }
            guard let entries else { return [:] }
            let isOptional = part.optional == true
            return try Payload.files(entries, items: part.items, mode: mode, optional: isOptional, source: "configmap")
        }
        if let part = source.secret {
            let entries = try await optional(part.optional) {
                try await context.objects.secret(namespace, part.name).data
            }
            guard let entries else { return [:] }
            let isOptional = part.optional == true
            return try Payload.files(entries, items: part.items, mode: mode, optional: isOptional, source: "secret")
        }
        if let part = source.downwardAPI {
            return try Payload.files(part.items, mode: mode, fields: context.fields)
        }
        if let part = source.serviceAccountToken {
            let seconds = part.expirationSeconds ?? 3600
            let token = try await context.objects.token(pod, audience: part.audience, expirationSeconds: seconds)
            // A token belongs to the one user that all containers run as, and to the group that the pod names; readable
            // by all only where there is neither.
            let owner = Self.user(of: pod)
            let tokenMode: UInt32 = context.group != nil || owner != nil ? 0o600 : mode
            return [part.path: PayloadFile(content: Array(token.utf8), mode: tokenMode, owner: owner)]
        }
        throw ContainerConfigError(message: "this kind of projected volume source is not supported")
    }

    /// The user that all containers of the pod run as, if its spec says one.
    static func user(of pod: Pod) -> UInt32? {
        let spec = pod.spec
        let containers = spec.initContainers + spec.containers + spec.ephemeralContainers.map { Container(fields: $0.fields) }
        let users = Set(containers.map { $0.securityContext?.runAsUser ?? spec.securityContext?.runAsUser })
        guard users.count == 1, let user = users.first ?? nil else { return nil }
        return UInt32(exactly: user)
    }

    /// The value, or nil when its object does not exist but may be absent.
    private func optional<T>(_ isOptional: Bool?, _ body: () async throws -> T) async throws -> T? {
        do {
            return try await body()
        } catch let error as ContainerConfigError where isOptional == true && error.message.hasSuffix("not found") {
            return nil
        }
    }

    private static func mode(_ given: Int?) -> UInt32 {
        given.map { UInt32(clamping: $0) } ?? Payload.defaultMode
    }
}
