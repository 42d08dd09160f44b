import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

func makeService(_ name: String = "web", targetPort: IntOrString = .int(8080), clusterIP: String = "10.96.0.7") -> Service {
    var service = Service(name: name, namespace: "default")
    service.metadata.uid = "uid-\(name)"
    service.metadata.labels = ["team": "a"]
    service.metadata.creationTimestamp = epoch
    service.spec.clusterIP = clusterIP
    service.spec.ipFamilies = ["IPv4"]
    service.spec.selector = ["app": "web"]
    service.spec.ports = [
        ServicePort {
            $0.name = "http"
            $0.port = 80
            $0.protocol = "TCP"
            $0.targetPort = targetPort
        }
    ]
    return service
}

@Suite struct EndpointSlicePlanTests {
    func plan(_ service: Service, _ pods: [Pod], _ existing: [EndpointSlice] = []) -> EndpointSlicePlan {
        EndpointSlicePlan.plan(service: service, pods: pods, existing: existing, trigger: nil) { _ in EndpointNode(zone: "z1") }
    }

    func named(_ slices: [EndpointSlice]) -> [EndpointSlice] {
        slices.enumerated().map { index, slice in
            var copy = slice
            copy.metadata.name = "slice-\(index)"
            return copy
        }
    }

    @Test func `ready, serving and terminating follow the pod`() {
        var leaving = makePod("b", ip: "10.0.0.2")
        leaving.metadata.deletionTimestamp = epoch
        let pods = [
            makePod("a", ip: "10.0.0.1"), leaving, makePod("c", ready: false, ip: "10.0.0.3"),
            makePod("d", phase: "Failed", ip: "10.0.0.4"),
        ]
        let slice = plan(makeService(), pods).create.first
        let conditions = slice?.endpoints.map { [$0.conditions.ready, $0.conditions.serving, $0.conditions.terminating] }
        #expect(conditions == [[true, true, false], [false, true, true], [false, false, false]])
        #expect(slice?.endpoints.map(\.addresses) == [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.3"]])
        #expect(slice?.endpoints.first?.targetRef?.name == "a")
        #expect(slice?.endpoints.first?.zone == "z1")
        #expect(slice?.ports.first?.port == 8080)
        #expect(
            slice?.labels == [
                "team": "a", "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            ]
        )
        #expect(slice?.metadata.generateName == "web-")
        #expect(slice?.metadata.ownerReferences.first?.uid == "uid-web")
    }

    @Test func `pods that publish before they are ready count as ready`() {
        var service = makeService()
        service.spec.publishNotReadyAddresses = true
        let slice = plan(service, [makePod("a", ready: false, ip: "10.0.0.1")]).create.first
        #expect(slice?.endpoints.first?.conditions.ready == true)
        #expect(slice?.endpoints.first?.conditions.serving == false)
    }

    @Test func `named ports make a group per number`() {
        var one = makePod("a", ip: "10.0.0.1")
        one.spec.containers = [
            Container {
                $0.ports = [
                    ContainerPort {
                        $0.name = "web"; $0.containerPort = 80; $0.protocol = "TCP"
                    }
                ]
            }
        ]
        var two = makePod("b", ip: "10.0.0.2")
        two.spec.containers = [
            Container {
                $0.ports = [
                    ContainerPort {
                        $0.name = "web"; $0.containerPort = 81; $0.protocol = "TCP"
                    }
                ]
            }
        ]
        let slices = plan(makeService(targetPort: .string("web")), [one, two]).create
        #expect(Set(slices.map { $0.ports.first?.port ?? 0 }) == [80, 81])
    }

    @Test func `a headless service is labelled and carries hostnames`() {
        var pod = makePod("a", ip: "10.0.0.1")
        pod.spec.hostname = "a-0"
        pod.spec.subdomain = "web"
        let slice = plan(makeService(clusterIP: "None"), [pod]).create.first
        #expect(slice?.labels["service.kubernetes.io/headless"] == "")
        #expect(slice?.endpoints.first?.hostname == "a-0")
    }

    @Test func `a service without pods has one empty slice, and keeps it`() {
        let first = plan(makeService(), [])
        #expect(first.create.count == 1)
        #expect(first.create.first?.endpoints.isEmpty == true)
        #expect(plan(makeService(), [], named(first.create)).isEmpty)
        let filled = plan(makeService(), [makePod("a", ip: "10.0.0.1")], named(first.create))
        #expect(filled.update.map(\.name) == ["slice-0"], "the empty slice is filled, not replaced")
        #expect(filled.create.isEmpty && filled.delete.isEmpty)
    }

    @Test func `nothing is written when nothing changed, and one slice when one pod did`() {
        let pods = (0..<250).map { makePod("p\($0)", ip: "10.1.\($0 / 200).\($0 % 200 + 1)") }
        let slices = named(plan(makeService(), pods).create)
        #expect(slices.map(\.endpoints.count).sorted() == [50, 100, 100])
        #expect(plan(makeService(), pods, slices).isEmpty)
        var changed = pods
        changed[17] = makePod("p17", ready: false, ip: "10.1.0.18")
        let update = plan(makeService(), changed, slices)
        #expect(update.update.count == 1)
        #expect(update.create.isEmpty && update.delete.isEmpty)
        let more = plan(makeService(), pods + [makePod("new", ip: "10.2.0.1")], slices)
        #expect(more.update.count == 1)
        #expect(more.update.first?.endpoints.count == 51)
    }

    @Test func `a removed pod and an added one are one write`() {
        let pods = (0..<5).map { makePod("p\($0)", ip: "10.1.0.\($0 + 1)") }
        let slices = named(plan(makeService(), pods).create)
        let next = plan(makeService(), Array(pods.dropFirst()) + [makePod("new", ip: "10.1.0.9")], slices)
        #expect(next.update.count == 1)
        #expect(next.create.isEmpty && next.delete.isEmpty)
    }

    @Test func `a changed label reaches the slices`() {
        let pods = [makePod("a", ip: "10.0.0.1")]
        let slices = named(plan(makeService(), pods).create)
        var service = makeService()
        service.metadata.labels = ["team": "b"]
        #expect(plan(service, pods, slices).update.first?.labels["team"] == "b")
    }

    @Test func `a pod on an unknown node waits`() {
        let result = EndpointSlicePlan.plan(
            service: makeService(),
            pods: [makePod("a", ip: "10.0.0.1")],
            existing: [],
            trigger: nil
        ) { _ in nil }
        #expect(result.problems == ["skipping Pod a for Service default/web: Node n1 Not Found"])
    }
}

@Suite struct EndpointsPlanTests {
    @Test func `ready and unready addresses share a subset, sorted`() {
        let pods = [makePod("b", ip: "10.0.0.10"), makePod("a", ip: "10.0.0.9"), makePod("c", ready: false, ip: "10.0.0.3")]
        let written = EndpointsPlan.plan(service: makeService(), pods: pods, current: nil, trigger: nil).write
        #expect(written?.subsets.count == 1)
        #expect(written?.subsets.first?.addresses.map(\.ip) == ["10.0.0.9", "10.0.0.10"])
        #expect(written?.subsets.first?.notReadyAddresses.map(\.ip) == ["10.0.0.3"])
        #expect(written?.labels["endpoints.kubernetes.io/managed-by"] == "endpoint-controller")
        #expect(written?.labels["team"] == "a")
        #expect(EndpointsPlan.plan(service: makeService(), pods: pods, current: written, trigger: nil).write == nil)
    }

    @Test func `more than a thousand addresses are cut and marked`() {
        let pods = (0..<1200).map { makePod("p\($0)", ready: $0 % 2 == 0, ip: "10.1.\($0 / 200).\($0 % 200 + 1)") }
        let written = EndpointsPlan.plan(service: makeService(), pods: pods, current: nil, trigger: nil).write
        #expect(written?.annotations["endpoints.kubernetes.io/over-capacity"] == "truncated")
        #expect(written?.subsets.first?.addresses.count == 600)
        #expect(written?.subsets.first?.notReadyAddresses.count == 400)
        #expect(EndpointsPlan.plan(service: makeService(), pods: pods, current: written, trigger: nil).write == nil)
    }

    @Test func `hand-written endpoints are mirrored by family and ports`() {
        var endpoints = Endpoints(name: "ext", namespace: "default")
        endpoints.metadata.uid = "e-uid"
        endpoints.subsets = [
            EndpointSubset {
                $0.addresses = [
                    EndpointAddress { $0.ip = "192.0.2.1" }, EndpointAddress { $0.ip = "2001:db8::1" },
                    EndpointAddress { $0.ip = "nonsense" },
                ]
                $0.ports = [
                    EndpointPort {
                        $0.port = 443; $0.protocol = "TCP"
                    }
                ]
            }
        ]
        let plan = EndpointMirrorPlan.plan(endpoints, existing: [])
        #expect(plan.slices.create.map(\.addressType).sorted() == ["IPv4", "IPv6"])
        #expect(
            plan.slices.create.allSatisfy {
                $0.labels["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
            }
        )
        #expect(plan.events.first?.message == "Skipped 1 invalid IP addresses when mirroring to EndpointSlices")
        var skipped = endpoints
        skipped.metadata.labels["endpointslice.kubernetes.io/skip-mirror"] = "true"
        #expect(!EndpointMirrorPlan.applies(to: skipped))
    }
}
