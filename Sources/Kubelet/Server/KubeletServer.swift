import APITypes
import HTTPTransport
import RPC
import Values

/// Answers the kubelet's own API.
struct KubeletServer: HTTPHandler {
    let core: KubeletCore
    let threads: EventLoopThreads

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let parts = request.path.split(separator: "/").map { PercentCoding.decoded($0) }
        switch parts.first {
        case "healthz" where parts.count == 1:
            return .text(200, "ok")
        case "healthz", "livez", "readyz":
            return .text(200, "ok")
        case "pods", "runningpods":
            return podList()
        case "containerLogs" where parts.count == 4:
            return await logs(request, namespace: parts[1], pod: parts[2], container: parts[3])
        case "exec", "attach", "portForward", "run":
            return await streaming(request, parts)
        case "stats" where parts.count <= 2:
            return await PodStatistics(core: core).summary()
        case "metrics":
            return await metrics(parts.dropFirst().first)
        case "configz":
            return .json(["kubeletconfig": configuration])
        default:
            return .text(404, "404 page not found\n")
        }
    }

    private func podList() -> HTTPResponse {
        let items = core.node.pods.pods.sorted { $0.key < $1.key }.map { pod in
            var fields = pod.fields
            fields["apiVersion"] = nil
            fields["kind"] = nil
            return JSONValue.object(fields)
        }
        return .json(["kind": "PodList", "apiVersion": "v1", "metadata": [:], "items": .array(items)])
    }

    private var configuration: JSONValue {
        let configuration = core.configuration
        return [
            "maxPods": .integer(Int64(configuration.maxPods)),
            "clusterDomain": .string(configuration.clusterDomain),
            "clusterDNS": .array(configuration.clusterDNS.map { .string($0) }),
            "cgroupDriver": "cgroupfs",
            "port": .integer(Int64(configuration.port)),
        ]
    }

    private func metrics(_ part: String?) async -> HTTPResponse {
        let statistics = PodStatistics(core: core)
        switch part {
        case nil: return .metrics(KubeletMetrics(core: core).text())
        case "resource": return .metrics(await statistics.resourceMetrics())
        case "cadvisor": return .metrics(await statistics.cadvisorMetrics())
        case "probes": return .metrics("")
        default: return .text(404, "404 page not found\n")
        }
    }

    // MARK: Logs

    private func logs(_ request: HTTPRequest, namespace: String, pod: String, container: String) async -> HTTPResponse {
        guard let record = core.node.pods.pod(namespace: namespace, name: pod), let spec = record.pod?.spec else {
            return .text(404, "pod \"\(pod)\" not found\n")
        }
        let known = spec.containers.map(\.name) + spec.initContainers.map(\.name) + spec.ephemeralContainers.map(\.name)
        guard known.contains(container) else {
            return .text(404, "container \"\(container)\" not found in pod \"\(pod)\"\n")
        }
        do {
            let options = try LogOptions(request.query, now: core.node.clock.now)
            let id = try Self.containerID(record, container, previous: options.previous)
            let runtime = core.node.runtime
            let status = try await runtime.containerStatus(id)
            let (pods, uid) = (core.node.pods, record.uid)
            let stream = LogStream(
                path: status.logPath,
                options: options,
                pool: core.node.pool,
                clock: core.node.clock,
                isRunning: {
                    // The table is at most a second old; the runtime is asked only when it says the container ended.
                    let seen = pods.record(uid)?.observed.containers.first { $0.id == id }
                    if seen?.state == .running { return true }
                    let now = try? await runtime.containerStatus(id)
                    return now?.state == .containerRunning || now?.state == .containerCreated
                }
            )
            return HTTPResponse(
                status: 200,
                headers: ["Content-Type": "text/plain; charset=utf-8", "Transfer-Encoding": "chunked"],
                body: .stream { try await stream.send(to: $0) }
            )
        } catch let error as LogOptions.BadRequest {
            return .text(400, error.message)
        } catch {
            return .text(400, "unable to retrieve container logs for containerd://\(container): \(error)")
        }
    }

    /// The runtime's id of the container whose log is meant; throws what to tell when there is none.
    static func containerID(_ record: PodRecord, _ name: String, previous: Bool) throws(LogOptions.BadRequest) -> String {
        let pod = record.pod?.metadata.name ?? ""
        let status = record.status ?? record.pod?.status ?? PodStatus()
        let all = status.containerStatuses + status.initContainerStatuses + status.ephemeralContainerStatuses
        guard let found = all.first(where: { $0.name == name }) else {
            throw .init(message: "container \"\(name)\" in pod \"\(pod)\" is not available")
        }
        if previous {
            let id = found.lastState.terminated?.containerID ?? ""
            if id.isEmpty { throw .init(message: "previous terminated container \"\(name)\" in pod \"\(pod)\" not found") }
            return bare(id)
        }
        if found.state.running != nil { return bare(found.containerID) }
        for ended in [found.state.terminated, found.lastState.terminated] {
            if let id = ended?.containerID, !id.isEmpty { return bare(id) }
        }
        let reason = found.state.waiting?.reason ?? ""
        let why =
            switch reason {
            case "ErrImagePull": "image can't be pulled"
            case "ImagePullBackOff": "trying and failing to pull image"
            default: reason
            }
        throw .init(message: "container \"\(name)\" in pod \"\(pod)\" is waiting to start: \(why)")
    }

    static func bare(_ id: String) -> String {
        guard let scheme = id.firstRange(of: "://") else { return id }
        return String(id[scheme.upperBound...])
    }
}

extension HTTPResponse {
    static func json(_ value: JSONValue) -> HTTPResponse {
        HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .bytes(value.encoded()))
    }

    static func metrics(_ text: String) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
