import APIModel
import APITypes
import PodRuntime
import RPC
import Units

/// A container that could not be started, in the words of its Waiting state.
struct StartFailure: Error, Sendable {
    let reason: String
    let message: String
    /// When trying again makes sense; nil: soon.
    var retryAt: Timestamp?
}

/// Creates and starts containers in a sandbox: image, configuration, create, start, postStart.
struct ContainerStarter {
    let node: NodeContext
    let sync: PodSync
    let pod: Pod
    let observed: ObservedPod
    let sandbox: String
    let sandboxConfig: CRIPodSandboxConfig
    let mounts: [String: MountedVolume]
    private var keyring: Keyring?

    init(
        node: NodeContext,
        sync: PodSync,
        pod: Pod,
        observed: ObservedPod,
        sandbox: String,
        sandboxConfig: CRIPodSandboxConfig,
        mounts: [String: MountedVolume]
    ) {
        self.node = node
        self.sync = sync
        self.pod = pod
        self.observed = observed
        self.sandbox = sandbox
        self.sandboxConfig = sandboxConfig
        self.mounts = mounts
    }

    mutating func start(_ container: Container) async throws {
        let image = try await image(container)
        let config = try await config(container, image)
        let id: String
        do {
            id = try await node.runtime.createContainer(sandbox: sandbox, config, sandboxConfig: sandboxConfig)
        } catch let error as RuntimeError where error.code != .cancelled {
            warn(container, "Failed", "Error: \(error)")
            throw StartFailure(reason: "CreateContainerError", message: "\(error)")
        }
        node.pods.change(sync.uid) { $0.allocation?.actual[container.name] = container.resources }
        note(container, "Created", "Container created")
        do {
            try await node.runtime.startContainer(id)
        } catch let error as RuntimeError where error.code != .cancelled {
            warn(container, "Failed", "Error: \(error)")
            throw StartFailure(reason: "RunContainerError", message: "\(error)")
        }
        note(container, "Started", "Container started")
        try await postStart(container, id)
    }

    private func note(_ container: Container, _ reason: String, _ message: String) {
        node.events.container(pod, container, reason, message)
    }

    private func warn(_ container: Container, _ reason: String, _ message: String) {
        node.events.container(pod, container, isWarning: true, reason, message)
    }

    // MARK: Image

    private mutating func image(_ container: Container) async throws -> PresentImage {
        let (events, pod) = (node.events, pod)
        do {
            let keyring = await pullSecrets()
            return try await node.images.ensure(
                container,
                of: pod,
                keyring: keyring,
                sandboxConfig: sandboxConfig
            ) { isWarning, reason, message in
                events.container(pod, container, isWarning: isWarning, reason, message)
            }
        } catch let error as ImageError {
            if error.reason != "ImagePullBackOff", error.reason != "ErrImagePull" {
                warn(container, "Failed", "Error: \(error.reason)")
            } else if error.reason == "ImagePullBackOff" {
                warn(container, "Failed", "Error: ImagePullBackOff")
            }
            throw StartFailure(reason: error.reason, message: error.message, retryAt: error.retryAt)
        }
    }

    private mutating func pullSecrets() async -> Keyring {
        if let keyring { return keyring }
        var secrets: [Secret] = []
        var missing: [String] = []
        for reference in pod.spec.imagePullSecrets where !reference.name.isEmpty {
            do {
                secrets.append(try await node.objects.secret(pod.metadata.namespace, reference.name))
            } catch {
                missing.append(reference.name)
            }
        }
        if !missing.isEmpty {
            node.events.warning(
                pod,
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (\(missing.joined(separator: ", "))); "
                    + "attempting to pull the image may not succeed."
            )
        }
        let made = Keyring(secrets)
        keyring = made
        return made
    }

    // MARK: Configuration

    private func config(_ container: Container, _ image: PresentImage) async throws -> CRIContainerConfig {
        do {
            guard node.runtime.runsProcesses else {
                return .with {
                    $0.metadata.name = container.name
                    $0.metadata.attempt = UInt32(clamping: restartCount(container))
                    $0.image.image = image.id
                    $0.labels = ContainerSettings.identity(pod).merging([Labels.containerName: container.name]) { $1 }
                    $0.annotations = [Labels.hash: container.specHash]
                    let isInit = pod.spec.initContainers.contains { $0.name == container.name }
                    if isInit, !container.isRestartableInit { $0.annotations[Labels.endsAtOnce] = "true" }
                }
            }
            let count = restartCount(container)
            let variables = try await variables(container)
            let made = try await ContainerMounts(node: node, pod: pod, volumes: mounts, addresses: observed.addresses)
                .make(container, restartCount: count, variables: variables)
            return try node.settings.container(
                container,
                in: pod,
                ContainerIngredients(
                    restartCount: count,
                    imageID: image.id,
                    imageUser: image.user,
                    variables: variables,
                    mounts: made.mounts,
                    terminationMessageHostPath: made.terminationMessage,
                    targetID: target(of: container)
                )
            )
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            warn(container, "Failed", "Error: \(error)")
            throw StartFailure(reason: "CreateContainerConfigError", message: "\(error)")
        }
    }

    /// The running container that an ephemeral one is to look into.
    private func target(of container: Container) -> String? {
        let name = container.fields.string("targetContainerName")
        guard !name.isEmpty, let target = observed.latest(name), target.state == .running else { return nil }
        return target.id
    }

    private func variables(_ container: Container) async throws -> [(name: String, value: String)] {
        let namespace = pod.metadata.namespace
        let names = ReferencedObjects.Names([container])
        var objects = ReferencedObjects()
        for name in names.configMaps { objects.configMaps[name] = try await node.objects.find(configMap: name, namespace) }
        for name in names.secrets { objects.secrets[name] = try await node.objects.find(secret: name, namespace) }
        let services = ServiceVariables.variables(
            node.facts.current.services(),
            namespace: namespace,
            links: pod.spec.enableServiceLinks ?? true
        )
        let fields = sync.downwardFields(pod, observed.addresses)
        return try Environment(fields: fields, objects: objects, services: services).variables(of: container)
    }

    private func restartCount(_ container: Container) -> Int {
        if let latest = observed.latest(container.name) { return latest.restartCount + 1 }
        let status = node.pods.record(sync.uid)?.status ?? pod.status
        let old = (status.containerStatuses + status.initContainerStatuses).first { $0.name == container.name }
        guard let old, !old.containerID.isEmpty || old.lastState.terminated != nil else { return 0 }
        return old.restartCount
    }

    // MARK: postStart

    private func postStart(_ container: Container, _ id: String) async throws {
        guard node.runtime.runsProcesses, let hook = container.lifecycle?.postStart else { return }
        do {
            try await node.hooks.run(
                hook,
                container: container,
                containerID: id,
                podIP: observed.addresses.first ?? "",
                limit: CRIRuntime.callTimeout
            )
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            warn(container, "FailedPostStartHook", "PostStartHook failed")
            var seen = ObservedContainer(id: id, name: container.name, state: .running)
            seen.sandboxID = sandbox
            try? await PodKiller(node: node, pod: pod, uid: sync.uid)
                .kill(seen, message: "FailedPostStartHook", reason: .other, graceSeconds: nil)
            throw StartFailure(reason: "PostStartHookError", message: "\(error)", retryAt: node.clock.now)
        }
    }
}
