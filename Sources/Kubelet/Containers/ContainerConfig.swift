import APITypes
import PodRuntime
import RPC

/// All that one container is made from, beside the pod's spec.
struct ContainerIngredients: Sendable {
    var restartCount: Int
    /// The image as the runtime knows it.
    var imageID: String
    var imageUser: SecurityContexts.ImageUser
    var variables: [(name: String, value: String)]
    var mounts: [CRIMount]
    var terminationMessageHostPath: String?
    /// The container whose processes a debugging container sees.
    var targetID: String?
}

extension ContainerSettings {
    /// What the runtime is told about one container.
    func container(
        _ container: Container,
        in pod: Pod,
        _ ingredients: ContainerIngredients
    ) throws(ContainerConfigError) -> CRIContainerConfig {
        let values = Dictionary(ingredients.variables.map { ($0.name, $0.value) }) { $1 }
        func expanded(_ words: [String]) -> [String] {
            words.map { word in VariableExpansion.expand(word) { values[$0] } }
        }
        let attempt = UInt32(clamping: ingredients.restartCount)
        var config = CRIContainerConfig()
        config.metadata = .with {
            $0.name = container.name
            $0.attempt = attempt
        }
        config.image = .with {
            $0.image = ingredients.imageID
            $0.userSpecifiedImage = container.image
        }
        config.command = expanded(container.command)
        config.args = expanded(container.args)
        config.workingDir = container.workingDir
        config.envs = ingredients.variables.map { CRIKeyValue(key: $0.name, text: $0.value) }
        config.mounts = ingredients.mounts
        config.labels = Self.identity(pod).merging([Labels.containerName: container.name]) { $1 }
        config.annotations = annotations(container, pod, ingredients)
        config.logPath = Self.logPath(container.name, attempt: attempt)
        config.stdin = container.stdin
        config.stdinOnce = container.stdinOnce
        config.tty = container.tty
        var security = try SecurityContexts.container(
            container,
            in: pod,
            image: ingredients.imageUser,
            seccompDefault: seccompDefault
        )
        if let targetID = ingredients.targetID {
            security.namespaceOptions.pid = .target
            security.namespaceOptions.targetID = targetID
        }
        let resources = LinuxResources.container(
            container,
            in: pod,
            memoryCapacity: memoryCapacity,
            endsTogether: endsTogether
        )
        let secured = security
        config.linux = .with {
            $0.securityContext = secured
            $0.resources = resources
        }
        return config
    }

    /// A container's log file below the pod's log directory.
    static func logPath(_ name: String, attempt: UInt32) -> String {
        "\(name)/\(attempt).log"
    }

    private func annotations(
        _ container: Container,
        _ pod: Pod,
        _ ingredients: ContainerIngredients
    ) -> [String: String] {
        var result = [
            Labels.hash: container.specHash,
            Labels.restartCount: "\(ingredients.restartCount)",
            Labels.terminationMessagePath: container.terminationMessagePath,
            Labels.terminationMessagePolicy: container.terminationMessagePolicy,
        ]
        if let seconds = pod.spec.terminationGracePeriodSeconds { result[Labels.gracePeriod] = "\(seconds)" }
        if let path = ingredients.terminationMessageHostPath { result[Labels.terminationMessageHostPath] = path }
        return result
    }
}
