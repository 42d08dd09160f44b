import APITypes
import Glibc
import HTTPTransport
import PodRuntime
import RPC
import Units
import Values

/// What pods and the node use.
struct PodStatistics {
    let core: KubeletCore

    private func containers() async -> [CRIContainerStats] {
        (try? await core.node.runtime.listContainerStats()) ?? []
    }

    private static func time(_ nanoseconds: Int64) -> JSONValue {
        .string(Timestamp(nanoseconds: nanoseconds).rfc3339)
    }

    // MARK: /stats/summary

    func summary() async -> HTTPResponse {
        let stats = await containers()
        let now = core.node.clock.now.rfc3339
        let pods = Dictionary(grouping: stats) { $0.attributes.labels[Labels.podUID] ?? "" }
        let items = pods.filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }.map { uid, stats in
            podSummary(uid, stats, now: now)
        }
        return .json(["node": await nodeSummary(now: now), "pods": .array(items)])
    }

    private func podSummary(_ uid: String, _ stats: [CRIContainerStats], now: String) -> JSONValue {
        let labels = stats.first?.attributes.labels ?? [:]
        let started = core.node.pods.record(uid)?.status?.startTime?.rfc3339 ?? now
        let containers = stats.map { stat -> JSONValue in
            [
                "name": .string(stat.attributes.labels[Labels.containerName] ?? stat.attributes.metadata.name),
                "startTime": .string(started),
                "cpu": Self.cpu(stat.cpu),
                "memory": Self.memory(stat.memory),
                "rootfs": ["usedBytes": Self.number(stat.writableLayer.usedBytes.value)],
            ]
        }
        let cpu = stats.reduce(UInt64(0)) { $0 + $1.cpu.usageCoreNanoSeconds.value }
        let memory = stats.reduce(UInt64(0)) { $0 + $1.memory.workingSetBytes.value }
        return [
            "podRef": [
                "name": .string(labels[Labels.podName] ?? ""),
                "namespace": .string(labels[Labels.podNamespace] ?? ""),
                "uid": .string(uid),
            ],
            "startTime": .string(started),
            "containers": .array(containers),
            "cpu": ["time": .string(now), "usageCoreNanoSeconds": Self.number(cpu)],
            "memory": ["time": .string(now), "workingSetBytes": Self.number(memory)],
        ]
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }

    private static func cpu(_ usage: CRICpuUsage) -> JSONValue {
        ["time": time(usage.timestamp), "usageCoreNanoSeconds": number(usage.usageCoreNanoSeconds.value)]
    }

    private static func memory(_ usage: CRIMemoryUsage) -> JSONValue {
        var result: JSONObject = [
            "time": time(usage.timestamp),
            "workingSetBytes": number(usage.workingSetBytes.value),
        ]
        if usage.hasUsageBytes { result["usageBytes"] = number(usage.usageBytes.value) }
        if usage.hasRssBytes { result["rssBytes"] = number(usage.rssBytes.value) }
        return .object(result)
    }

    private func nodeSummary(now: String) async -> JSONValue {
        let usage = await nodeUsage()
        let directory = core.configuration.dataDirectory
        let disk = try? await core.node.pool.run { MachineFacts.disk(directory) }
        var result: JSONObject = [
            "nodeName": .string(core.configuration.nodeName),
            "startTime": .string(now),
            "cpu": ["time": .string(now), "usageCoreNanoSeconds": .integer(usage.cpu)],
            "memory": [
                "time": .string(now), "workingSetBytes": .integer(usage.memory),
                "availableBytes": .integer(usage.available),
            ],
        ]
        if let disk {
            result["fs"] = [
                "time": .string(now), "availableBytes": .integer(disk.available),
                "capacityBytes": .integer(disk.capacity),
                "usedBytes": .integer(disk.capacity - disk.available),
            ]
        }
        return .object(result)
    }

    /// CPU time of the whole machine in nanoseconds, and memory in use and left.
    private func nodeUsage() async -> (cpu: Int64, memory: Int64, available: Int64) {
        let found = try? await core.node.pool.run { () -> (Int64, Int64, Int64) in
            let first = (HostFiles.text("/proc/stat") ?? "").split(separator: "\n").first ?? ""
            let ticks = first.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
            // user nice system idle iowait irq softirq steal: all but idle and iowait
            let busy = ticks.enumerated().filter { $0.offset != 3 && $0.offset != 4 }.reduce(0) { $0 + $1.element }
            let perTick = 1_000_000_000 / max(Int64(sysconf(Int32(_SC_CLK_TCK))), 1)
            let facts = MachineFacts.read(directory: "/")
            let available = MachineFacts.memoryAvailable() ?? 0
            return (busy * perTick, max(facts.memory - available, 0), available)
        }
        return found ?? (0, 0, 0)
    }

    // MARK: /metrics/resource

    func resourceMetrics() async -> String {
        let stats = await containers()
        let node = await nodeUsage()
        var lines: [String] = []
        func family(_ name: String, _ kind: String, _ help: String) {
            lines.append("# HELP \(name) [STABLE] \(help)")
            lines.append("# TYPE \(name) \(kind)")
        }
        family("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the container in core-seconds")
        for stat in stats {
            lines.append(
                "container_cpu_usage_seconds_total\(Self.labels(stat)) \(Self.seconds(stat.cpu)) \(Self.milliseconds(stat.cpu.timestamp))"
            )
        }
        family("container_memory_working_set_bytes", "gauge", "Current working set of the container in bytes")
        for stat in stats {
            let time = Self.milliseconds(stat.memory.timestamp)
            lines.append("container_memory_working_set_bytes\(Self.labels(stat)) \(stat.memory.workingSetBytes.value) \(time)")
        }
        family("node_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the node in core-seconds")
        lines.append("node_cpu_usage_seconds_total \(Double(node.cpu) / 1e9)")
        family("node_memory_working_set_bytes", "gauge", "Current working set of the node in bytes")
        lines.append("node_memory_working_set_bytes \(node.memory)")
        let byPod = Dictionary(grouping: stats) { $0.attributes.labels[Labels.podUID] ?? "" }
        family("pod_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the pod in core-seconds")
        for stats in byPod.values {
            let total = stats.reduce(0.0) { $0 + Double($1.cpu.usageCoreNanoSeconds.value) / 1e9 }
            if let first = stats.first { lines.append("pod_cpu_usage_seconds_total\(Self.podLabels(first)) \(total)") }
        }
        family("pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes")
        for stats in byPod.values {
            let total = stats.reduce(UInt64(0)) { $0 + $1.memory.workingSetBytes.value }
            if let first = stats.first { lines.append("pod_memory_working_set_bytes\(Self.podLabels(first)) \(total)") }
        }
        family("resource_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise")
        lines.append("resource_scrape_error 0")
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: /metrics/cadvisor

    func cadvisorMetrics() async -> String {
        var lines: [String] = []
        let stats = await containers()
        func add(_ name: String, _ kind: String, _ value: (CRIContainerStats) -> String) {
            lines.append("# TYPE \(name) \(kind)")
            for stat in stats { lines.append("\(name)\(Self.cadvisorLabels(stat)) \(value(stat))") }
        }
        add("container_cpu_usage_seconds_total", "counter") { Self.seconds($0.cpu) }
        add("container_memory_working_set_bytes", "gauge") { "\($0.memory.workingSetBytes.value)" }
        add("container_memory_usage_bytes", "gauge") { "\($0.memory.usageBytes.value)" }
        add("container_memory_rss", "gauge") { "\($0.memory.rssBytes.value)" }
        add("container_fs_usage_bytes", "gauge") { "\($0.writableLayer.usedBytes.value)" }
        lines.append("# TYPE machine_cpu_cores gauge")
        lines.append("machine_cpu_cores \(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1))")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func seconds(_ usage: CRICpuUsage) -> String {
        "\(Double(usage.usageCoreNanoSeconds.value) / 1e9)"
    }

    private static func milliseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000_000 }

    private static func labels(_ stat: CRIContainerStats) -> String {
        let labels = stat.attributes.labels
        return "{container=\"\(labels[Labels.containerName] ?? "")\",namespace=\"\(labels[Labels.podNamespace] ?? "")\","
            + "pod=\"\(labels[Labels.podName] ?? "")\"}"
    }

    private static func podLabels(_ stat: CRIContainerStats) -> String {
        let labels = stat.attributes.labels
        return "{namespace=\"\(labels[Labels.podNamespace] ?? "")\",pod=\"\(labels[Labels.podName] ?? "")\"}"
    }

    private static func cadvisorLabels(_ stat: CRIContainerStats) -> String {
        let labels = stat.attributes.labels
        return "{container=\"\(labels[Labels.containerName] ?? "")\",id=\"\(stat.attributes.id)\",image=\"\","
            + "name=\"\(stat.attributes.id)\",namespace=\"\(labels[Labels.podNamespace] ?? "")\","
            + "pod=\"\(labels[Labels.podName] ?? "")\"}"
    }
}
