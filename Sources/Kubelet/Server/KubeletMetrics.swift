/// The kubelet's own metrics, in the Prometheus text format.
struct KubeletMetrics {
    let core: KubeletCore

    func text() -> String {
        let records = core.node.pods.uids.compactMap { core.node.pods.record($0) }
        let running = records.count { !$0.observed.live.isEmpty }
        var states: [String: Int] = ["running": 0, "exited": 0, "created": 0, "unknown": 0]
        for container in records.flatMap(\.observed.containers) { states["\(container.state)", default: 0] += 1 }
        var text = """
            # HELP kubelet_running_pods [ALPHA] Number of pods that have a running pod sandbox
            # TYPE kubelet_running_pods gauge
            kubelet_running_pods \(running)
            # HELP kubelet_running_containers [ALPHA] Number of currently running containers
            # TYPE kubelet_running_containers gauge

            """
        for (state, count) in states.sorted(by: { $0.key < $1.key }) {
            text += "kubelet_running_containers{container_state=\"\(state)\"} \(count)\n"
        }
        text += """
            # HELP kubelet_node_name [ALPHA] The node's name. The count is always 1.
            # TYPE kubelet_node_name gauge
            kubelet_node_name{node="\(core.configuration.nodeName)"} 1
            # HELP kubernetes_build_info [ALPHA] A metric with a constant '1' value labeled by version.
            # TYPE kubernetes_build_info gauge
            kubernetes_build_info{git_version="\(core.configuration.kubeletVersion)"} 1

            """
        return text
    }
}
