import Values

/// Fields of pod specs that are behind feature gates which v1.36 leaves off. They are dropped without a word, unless the
/// object has them already.
///
/// Source: pkg/api/pod.
package enum GatedPodFields {
    private static let containers = ["containers", "initContainers", "ephemeralContainers"]
    private static let projections = ["clusterTrustBundle", "podCertificate"]

    /// Drops them from the pod spec at `path` of an object that replaces `old`, or of a new one.
    package static func drop(_ object: inout JSONValue, old: JSONValue?, at path: [String]) {
        guard let spec = object.value(at: path) else { return }
        let before = old?.value(at: path)
        if spec["schedulingGroup"] != nil, before?["schedulingGroup"] == nil { object.remove(at: path + ["schedulingGroup"]) }
        if hasStopSignal(spec), !hasStopSignal(before) { dropStopSignals(&object, spec, path) }
        for field in projections where hasProjection(spec, field) && !hasProjection(before, field) {
            dropProjection(field, &object, path)
        }
    }

    private static func hasStopSignal(_ spec: JSONValue?) -> Bool {
        guard let spec else { return false }
        return containers.contains { list in
            spec[list]?.array?.contains { $0["lifecycle"]?["stopSignal"] != nil } ?? false
        }
    }

    private static func dropStopSignals(_ object: inout JSONValue, _ spec: JSONValue, _ path: [String]) {
        for list in containers {
            guard var all = spec[list]?.array else { continue }
            for index in all.indices where all[index]["lifecycle"]?["stopSignal"] != nil {
                all[index].remove(at: ["lifecycle", "stopSignal"])
                if all[index]["lifecycle"] == [:] { all[index]["lifecycle"] = nil }
            }
            object.set(.array(all), at: path + [list])
        }
    }

    private static func hasProjection(_ spec: JSONValue?, _ field: String) -> Bool {
        guard let volumes = spec?["volumes"]?.array else { return false }
        return volumes.contains { volume in
            volume["projected"]?["sources"]?.array?.contains { $0[field] != nil } ?? false
        }
    }

    private static func dropProjection(_ field: String, _ object: inout JSONValue, _ path: [String]) {
        guard var volumes = object.value(at: path + ["volumes"])?.array else { return }
        for index in volumes.indices {
            guard var sources = volumes[index]["projected"]?["sources"]?.array else { continue }
            for place in sources.indices { sources[place][field] = nil }
            volumes[index].set(.array(sources), at: ["projected", "sources"])
        }
        object.set(.array(volumes), at: path + ["volumes"])
    }
}
