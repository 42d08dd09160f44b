import APITypes
import Glibc
import Schema
import Values

/// JSON and protobuf, to a tree and from it, on one core.
struct ValuesBench {
    func run(_ report: Report) {
        let list: JSONValue = ["kind": "PodList", "items": .array((0..<2_000).map { SamplePod.json("pod-\($0)") })]
        let bytes = list.encoded()
        let megabytes = Double(bytes.count) / 1e6
        var decoded: JSONValue = .null
        let decode = best { decoded = (try? JSONParser.parse(bytes)) ?? .null }
        report.atLeast("JSON decode to tree", megabytes / decode, "MB/s", budget: 250)
        var size = 0
        let encode = best { size = decoded.encoded().count }
        report.atLeast("JSON canonical encode", megabytes / encode, "MB/s", budget: 500)
        precondition(size == bytes.count && decoded == list, "the round trip changed the document")
        protobuf(report)
    }

    /// One pod at a time, as requests and watch events have it.
    private func protobuf(_ report: Report) {
        let schema = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        var pod = SamplePod.json("pod-0")
        guard (try? schema.decode(&pod)) != nil else { return report.note("protobuf: the sample pod does not decode", 0, "") }
        let rounds = 2_000
        var message: [UInt8] = []
        let encode = best { for _ in 0..<rounds { message = ProtobufObject.encode(pod, schema: schema) } }
        let megabytes = Double(message.count * rounds) / 1e6
        report.note("protobuf encode a pod from its tree", encode / Double(rounds) * 1e6, "µs")
        report.note("protobuf encode", megabytes / encode, "MB/s")
        var read: JSONValue = .null
        let decode = best { for _ in 0..<rounds { read = (try? ProtobufObject.decode(message, schema: schema)) ?? .null } }
        report.note("protobuf decode a pod to its tree", decode / Double(rounds) * 1e6, "µs")
        report.note("protobuf decode", megabytes / decode, "MB/s")
        _ = try? schema.decode(&read)
        precondition(read == pod, "the round trip changed the pod")
    }

    /// The best of several runs, in seconds of this process's CPU time: others on the machine do not count.
    private func best(_ body: () -> Void) -> Double {
        (0..<7).map { _ in
            let began = Self.cpuSeconds
            body()
            return Self.cpuSeconds - began
        }.min() ?? 0
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
