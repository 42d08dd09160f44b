import Testing
import Values

@testable import LegacyKinds

@Suite struct NetworkTests {
    private static let rules = """
        spec:
          backend: {serviceName: fallback, servicePort: http}
          rules:
          - host: ingress.example
            http:
              paths:
              - path: /hello/(.*)
                backend: {serviceName: hello-node, servicePort: 3000}
              - backend: {serviceName: other, servicePort: web}
        """

    @Test(arguments: ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
    func `an ingress names service and port in one word each`(apiVersion: String) throws {
        let form = try OldForm(apiVersion, "ingresses")
        let stored = try form.stored("apiVersion: \(apiVersion)\nkind: Ingress\nmetadata: {name: web, namespace: default}\n\(Self.rules)\n")
        let paths = try #require(stored.value(at: ["spec", "rules", "0", "http", "paths"])?.array)
        #expect(paths[0]["backend"] == ["service": ["name": "hello-node", "port": ["number": 3000]]])
        #expect(paths[0]["pathType"] == "ImplementationSpecific")
        #expect(paths[1]["backend"] == ["service": ["name": "other", "port": ["name": "web"]]])
        #expect(stored.value(at: ["spec", "defaultBackend", "service", "port", "name"]) == "http")
        #expect(stored.value(at: ["spec", "backend"]) == nil)
        #expect(form.issues(stored) == [])
        let back = try #require(form.version.conversion).fromStorage(stored)
        #expect(back["apiVersion"] == .string(apiVersion))
        #expect(
            back.value(at: ["spec", "rules", "0", "http", "paths", "0", "backend"]) == ["serviceName": "hello-node", "servicePort": 3000]
        )
        #expect(back.value(at: ["spec", "backend"]) == ["serviceName": "fallback", "servicePort": "http"])
        #expect(form.version.schema.prunes(back) == [])
        #expect(try #require(form.version.conversion).toStorage(back) == stored)
    }

    @Test func `the fields of today are unknown in the past`() throws {
        let form = try OldForm("extensions/v1beta1", "ingresses")
        let (_, unknown) = try form.decoded(
            "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\nspec: {defaultBackend: {service: {name: a}}}\n"
        )
        #expect(unknown == ["unknown field \"spec.defaultBackend\""])
    }

    @Test func `warnings are worded as upstream's`() throws {
        #expect(
            try OldForm("extensions/v1beta1", "ingresses").version.deprecationWarning
                == "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"
        )
        #expect(
            try OldForm("autoscaling/v2beta1", "horizontalpodautoscalers").version.deprecationWarning
                == "autoscaling/v2beta1 HorizontalPodAutoscaler is deprecated in v1.22+, unavailable in v1.25+; use autoscaling/v2 HorizontalPodAutoscaler"
        )
        #expect(
            try OldForm("events.k8s.io/v1beta1", "events").version.deprecationWarning
                == "events.k8s.io/v1beta1 Event is deprecated in v1.22+, unavailable in v1.25+"
        )
    }

    @Test func `an endpoint's place is a map of labels`() throws {
        let form = try OldForm("discovery.k8s.io/v1beta1", "endpointslices")
        let stored = try form.stored(
            """
            apiVersion: discovery.k8s.io/v1beta1
            kind: EndpointSlice
            metadata: {name: web-1, namespace: default}
            addressType: IPv4
            ports: [{name: http, port: 80}]
            endpoints:
            - addresses: [10.1.2.3]
              nodeName: node-1
              topology: {kubernetes.io/hostname: node-1, topology.kubernetes.io/zone: z1, rack: r7}
            """
        )
        let endpoint = try #require(stored["endpoints"]?[0])
        #expect(endpoint["zone"] == "z1")
        #expect(endpoint["deprecatedTopology"] == ["rack": "r7"])
        #expect(form.issues(stored) == [])
        let back = try #require(form.version.conversion).fromStorage(stored)
        #expect(
            back.value(at: ["endpoints", "0", "topology"])
                == ["kubernetes.io/hostname": "node-1", "rack": "r7", "topology.kubernetes.io/zone": "z1"]
        )
    }

    @Test func `events pass through today's name to the stored form`() throws {
        let form = try OldForm("events.k8s.io/v1beta1", "events")
        let conversion = try #require(form.version.conversion)
        let stored = conversion.toStorage(["apiVersion": "events.k8s.io/v1beta1", "kind": "Event", "regarding": ["name": "p"], "note": "n"])
        #expect(stored["apiVersion"] == "v1")
        #expect(stored["involvedObject"] == ["name": "p"])
        #expect(conversion.fromStorage(stored)["note"] == "n")
        #expect(form.kind.storedAs?.description == "events")
    }
}
