import APITypes
import RPC

/// Security settings of sandboxes and containers.
enum SecurityContexts {
    private static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    private static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    static func namespaces(_ spec: PodSpec) -> CRINamespaceOption {
        .with {
            $0.network = spec.hostNetwork ? .node : .pod
            $0.ipc = spec.hostIPC ? .node : .pod
            $0.pid = spec.hostPID ? .node : (spec.shareProcessNamespace == true ? .pod : .container)
        }
    }

    static func sandbox(_ pod: Pod, seccompDefault: Bool) -> CRILinuxSandboxSecurityContext {
        let spec = pod.spec
        return .with { context in
            context.namespaceOptions = namespaces(spec)
            // The sandbox is as privileged as the most privileged container in it.
            context.privileged = (spec.containers + spec.initContainers).contains { $0.securityContext?.privileged == true }
            context.seccomp = .with { $0.profileType = .runtimeDefault }
            guard let own = spec.securityContext else { return }
            if let user = own.runAsUser { context.runAsUser = .with { $0.value = Int64(user) } }
            if let group = own.runAsGroup { context.runAsGroup = .with { $0.value = Int64(group) } }
            context.supplementalGroups = groups(own)
            if own.supplementalGroupsPolicy == "Strict" { context.supplementalGroupsPolicy = .strict }
        }
    }

    /// What the image says about its user.
    struct ImageUser: Sendable, Hashable {
        var uid: Int64?
        var name: String
    }

    static func container(
        _ container: Container,
        in pod: Pod,
        image: ImageUser,
        seccompDefault: Bool
    ) throws(ContainerConfigError) -> CRILinuxContainerSecurityContext {
        let own = container.securityContext
        let podWide = pod.spec.securityContext
        let user = own?.runAsUser ?? podWide?.runAsUser
        let group = own?.runAsGroup ?? podWide?.runAsGroup
        if own?.runAsNonRoot ?? podWide?.runAsNonRoot ?? false {
            try requireNonRoot(container, pod, user: user.map { Int64($0) }, image)
        }
        let privileged = own?.privileged == true
        return .with { context in
            context.namespaceOptions = namespaces(pod.spec)
            context.privileged = privileged
            if let user {
                context.runAsUser = .with { $0.value = Int64(user) }
            } else if let uid = image.uid {
                context.runAsUser = .with { $0.value = uid }
            } else {
                context.runAsUsername = image.name
            }
            if let group { context.runAsGroup = .with { $0.value = Int64(group) } }
            context.readonlyRootfs = own?.readOnlyRootFilesystem == true
            if let podWide { context.supplementalGroups = groups(podWide) }
            if podWide?.supplementalGroupsPolicy == "Strict" { context.supplementalGroupsPolicy = .strict }
            context.noNewPrivs = own?.allowPrivilegeEscalation == false
            context.capabilities = .with {
                $0.addCapabilities = own?.capabilities?.add ?? []
                $0.dropCapabilities = own?.capabilities?.drop ?? []
            }
            if own?.procMount != "Unmasked", !privileged {
                context.maskedPaths = maskedPaths
                context.readonlyPaths = readonlyPaths
            }
            context.seccomp = seccomp(own, podWide, privileged: privileged, useDefault: seccompDefault)
            if let profile = own?.appArmorProfile ?? podWide?.appArmorProfile {
                context.apparmor = security(profile.type, profile.localhostProfile)
            }
        }
    }

    private static func groups(_ context: PodSecurityContext) -> [Int64] {
        (context.fsGroup.map { [Int64($0)] } ?? []) + context.supplementalGroups.map { Int64($0) }
    }

    private static func seccomp(
        _ own: SecurityContext?,
        _ podWide: PodSecurityContext?,
        privileged: Bool,
        useDefault: Bool
    ) -> CRISecurityProfile {
        if privileged { return .with { $0.profileType = .unconfined } }
        if let profile = own?.seccompProfile ?? podWide?.seccompProfile {
            return security(profile.type, profile.localhostProfile)
        }
        return .with { $0.profileType = useDefault ? .runtimeDefault : .unconfined }
    }

    private static func security(_ type: String, _ localhost: String?) -> CRISecurityProfile {
        .with {
            switch type {
            case "RuntimeDefault":
                $0.profileType = .runtimeDefault
            case "Localhost":
                $0.profileType = .localhost
                $0.localhostRef = localhost ?? ""
            default:
                $0.profileType = .unconfined
            }
        }
    }

    private static func requireNonRoot(
        _ container: Container,
        _ pod: Pod,
        user: Int64?,
        _ image: ImageUser
    ) throws(ContainerConfigError) {
        let place = "(pod: \"\(pod.longName)\", container: \(container.name))"
        if let user {
            if user == 0 { throw ContainerConfigError(message: "container's runAsUser breaks non-root policy \(place)") }
            return
        }
        if let uid = image.uid {
            if uid == 0 {
                throw ContainerConfigError(message: "container has runAsNonRoot and image will run as root \(place)")
            }
        } else if !image.name.isEmpty {
            throw ContainerConfigError(
                message: "container has runAsNonRoot and image has non-numeric user (\(image.name)), "
                    + "cannot verify user is non-root \(place)"
            )
        } else {
            throw ContainerConfigError(message: "container has runAsNonRoot and image will run as root \(place)")
        }
    }
}

extension Pod {
    /// `name_namespace(uid)`, the way the kubelet's messages name a pod.
    var longName: String { "\(metadata.name)_\(metadata.namespace)(\(metadata.uid))" }
}
