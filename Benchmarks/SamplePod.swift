import Values

/// The pod of all benchmarks: about 3 KB of JSON once stored, field ownership included, as in the figures of upstream.
enum SamplePod {
    /// A pod named `name`.
    static func json(_ name: String, namespace: String = "default", node: String? = nil) -> JSONValue {
        var environment: [JSONValue] = []
        for index in 0..<2 {
            environment.append(["name": .string("SETTING_\(index)"), "value": .string("a value of ordinary length, number \(index)")])
        }
        var spec: JSONValue = [
            "restartPolicy": "Always", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
            "containers": [
                [
                    "name": "main", "image": "registry.example/team/application:v1.2.3", "imagePullPolicy": "IfNotPresent",
                    "command": ["/bin/application", "--listen=:8080", "--log-level=info"],
                    "ports": [["containerPort": 8080, "name": "http", "protocol": "TCP"]],
                    "env": .array(environment),
                    "resources": ["requests": ["cpu": "10m", "memory": "32Mi"], "limits": ["memory": "64Mi"]],
                    "readinessProbe": ["httpGet": ["path": "/healthz", "port": 8080], "periodSeconds": 10],
                ]
            ],
        ]
        if let node { spec["nodeName"] = .string(node) }
        return [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(name), "namespace": .string(namespace),
                "labels": ["app": "bench", "pod-template-hash": "5c7b7f6bd6", "tier": "load"],
                "annotations": ["example.org/note": "made by apus-bench"],
            ],
            "spec": spec,
        ]
    }
}
