import Channels
import Glibc
import Kubelet
import Logging
import Units

/// A whole cluster in this process: control plane and node, until a signal comes.
enum Cluster {
    /// Runs until `signal`, or until a part fails.
    /// - Throws: what keeps the cluster from starting, in words for the user.
    static func run(_ configuration: ClusterConfiguration, until signal: TerminationSignal) async throws {
        let logger = Logger(label: "apus")
        let directory = DataDirectory(configuration.dataDirectory)
        try directory.lock()
        let nodeName = configuration.nodeName ?? Host.name
        let address = configuration.nodeIP ?? Host.address(ignoring: NodeParts.linkPrefix)
        let plane = try await ControlPlane(configuration, directory, address: address, nodeName: nodeName)
        logger.info(
            "starting",
            metadata: ["version": "\(Version.text)", "data-dir": "\(directory.path)", "port": "\(configuration.httpsPort)"]
        )
        do {
            try await serve(plane, configuration, directory, nodeName, signal, logger)
        } catch {
            await plane.close()
            throw error
        }
        await plane.close()
        unlink(directory.pidFile)
        logger.info("stopped")
    }

    private static func serve(
        _ plane: ControlPlane,
        _ configuration: ClusterConfiguration,
        _ directory: DataDirectory,
        _ nodeName: String,
        _ signal: TerminationSignal,
        _ logger: Logger
    ) async throws {
        let isReady = Signal(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await plane.run { isReady.set(true) } }
            group.addTask {
                // The runtime starts beside the API; the rest of the node needs the API.
                if configuration.hollowNodes > 0 {
                    try await isReady.wait { $0 }
                    await hollowNodes(plane, configuration.hollowNodes).run()
                } else {
                    try await NodeParts(seams: plane.node(nodeName), configuration: configuration, directory: directory, nodeName: nodeName)
                        .run(isReady)
                }
            }
            group.addTask {
                let number = try await signal.wait()
                logger.info("signal received, stopping", metadata: ["signal": "\(number)"])
                throw CancellationError()
            }
            defer { group.cancelAll() }
            do {
                try await group.next()
            } catch is CancellationError {
                plane.prepareToStop()
            }
        }
    }

    private static func hollowNodes(_ plane: ControlPlane, _ count: Int) -> HollowNodes {
        // They act for many nodes at once, so they are not one node's user.
        HollowNodes(count: count, client: plane.client("apus:hollow-nodes", groups: ["system:masters"]), source: plane.source)
    }
}
