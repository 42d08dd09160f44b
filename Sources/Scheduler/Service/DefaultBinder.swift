import APIClient
import APIModel
import APITypes
import Values

/// Binds by posting to the pod's `binding` subresource.
package struct DefaultBinder: BindPlugin {
    package let name = "DefaultBinder"
    private let client: APIClient

    /// A binder that speaks through a client.
    package init(client: APIClient) {
        self.client = client
    }

    package func bind(_ pod: SchedulingPod, to node: String) async -> Status {
        let body: JSONValue = .object([
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": .object([
                "name": .string(pod.name), "namespace": .string(pod.namespace), "uid": .string(pod.uid),
            ]),
            "target": .object(["apiVersion": "v1", "kind": "Node", "name": .string(node)]),
        ])
        do {
            try await client.create(subresource: "binding", of: Pod.self, namespace: pod.namespace, name: pod.name, body)
            return .success
        } catch {
            return Status(.error, ["\(error)"], plugin: name)
        }
    }
}
