import APITypes
import Glibc
import Schema
import Values

/// What typed access through lenses costs on 5,000 pods: decode, memory, read, write, encode, and the two passes of the
/// schema that a write to the server takes. The figures of docs/decisions/0001-typed-access.md come from here.
struct TypedAccessBench {
    private static let count = 5_000

    func run(_ report: Report) {
        let bytes = SamplePod.json("pod-1", node: "node-1").encoded()
        let before = residentKilobytes()
        var pods: [Pod] = []
        pods.reserveCapacity(Self.count)
        let decode = milliseconds {
            for _ in 0..<Self.count {
                if let json = try? JSONParser.parse(bytes), let pod = try? Pod(json: json) { pods.append(pod) }
            }
        }
        report.note("5,000 pods to lenses: decode", decode, "ms")
        report.note("5,000 pods to lenses: memory", Double(residentKilobytes() - before) / 1024, "MiB")
        var sum = 0
        let read = milliseconds { for pod in pods { sum += pod.spec.containers.count + pod.metadata.name.utf8.count } }
        report.note("5,000 pods: read two fields", read, "ms")
        let write = milliseconds { for index in pods.indices { pods[index].spec.nodeName = "node-2" } }
        report.note("5,000 pods: write a field", write, "ms")
        let encode = milliseconds { for pod in pods { sum += pod.json.encoded().count } }
        report.note("5,000 pods: encode", encode, "ms")
        let schema = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        var values = pods.map(\.json)
        let strict = milliseconds { for index in values.indices { sum += (try? schema.decode(&values[index]))?.count ?? 0 } }
        report.note("5,000 pods: schema decode (strict, canonical)", strict, "ms")
        let defaults = milliseconds { for index in values.indices { schema.applyDefaults(&values[index]) } }
        report.note("5,000 pods: defaults", defaults, "ms")
        precondition(sum > 0)
    }

    private func milliseconds(_ body: () -> Void) -> Double {
        ContinuousClock().measure(body) / .microseconds(1) / 1e3
    }

    private func residentKilobytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var size = 0
        var resident = 0
        withUnsafeMutablePointer(to: &size) { first in
            withUnsafeMutablePointer(to: &resident) { second in
                _ = withVaList([first, second]) { vfscanf(file, "%ld %ld", $0) }
            }
        }
        return resident * 4
    }
}
