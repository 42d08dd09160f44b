import Values

/// JSON decode to a tree and canonical encode, on one core.
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
    }

    /// The best of several runs, in seconds: the one least disturbed.
    private func best(_ body: () -> Void) -> Double {
        (0..<7).map { _ in ContinuousClock().measure(body) / .microseconds(1) / 1e6 }.min() ?? 0
    }
}
