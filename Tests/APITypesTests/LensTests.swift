import APIModel
import APITypes
import Schema
import Testing
import Units
import Values

@Suite struct LensTests {
    @Test func `fields a lens does not know survive a read-modify-write`() throws {
        let text =
            #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","future":{"x":[1]}},"spec":{"containers":[{"name":"c","novel":true}],"later":1},"extra":"y"}"#
        var pod = try Pod(json: JSONParser.parse(text))
        pod.spec.nodeName = "n1"
        pod.spec.containers[0].image = "i:1"
        pod.metadata.labels["a"] = "b"
        pod.status.phase = "Running"
        let json = pod.json
        #expect(json["metadata"]?["future"] == ["x": [1]])
        #expect(json["spec"]?["later"] == 1)
        #expect(json["spec"]?["containers"] == [["name": "c", "novel": true, "image": "i:1"]])
        #expect(json["extra"] == "y")
        #expect(json["status"] == ["phase": "Running"])
        #expect(json["metadata"]?["labels"] == ["a": "b"])
    }

    @Test func `zero values are left out as Go leaves them out`() {
        var pod = Pod(name: "a", namespace: "b")
        pod.spec.hostNetwork = true
        pod.spec.hostNetwork = false
        pod.spec.terminationGracePeriodSeconds = 0
        pod.metadata.labels = ["x": "y"]
        pod.metadata.labels = [:]
        #expect(
            pod.json == [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "a", "namespace": "b"],
                "spec": ["terminationGracePeriodSeconds": 0],
            ]
        )
        pod.spec.terminationGracePeriodSeconds = nil
        #expect(pod.json["spec"] == [:])
    }

    @Test func `units are read and written in canonical form`() throws {
        var container = Container()
        container.resources.requests = ["cpu": try #require(Quantity("1500m"))]
        #expect(container.fields["resources"] == ["requests": ["cpu": "1500m"]])
        #expect(container.resources.requests["cpu"]?.milliValue == 1500)
        var port = ServicePort()
        port.targetPort = .string("http")
        port.port = 80
        #expect(port.value == ["port": 80, "targetPort": "http"])
        var secret = Secret(name: "s")
        secret.data = ["k": Array("v".utf8)]
        #expect(secret.json["data"] == ["k": "dg=="])
        var lease = LeaseSpec()
        lease.renewTime = Timestamp(unixSeconds: 1, nanoseconds: 5000)
        #expect(lease.value == ["renewTime": "1970-01-01T00:00:01.000005Z"])
    }

    @Test func `wrong types read as zero`() {
        let spec = PodSpec(fields: ["nodeName": 5, "containers": "x", "hostNetwork": "yes", "priority": "high"])
        #expect(spec.nodeName == "")
        #expect(spec.containers.isEmpty)
        #expect(!spec.hostNetwork)
        #expect(spec.priority == nil)
    }

    @Test func `an object of another kind is refused`() {
        #expect(throws: APIError.self) { try Pod(json: ["kind": "Service", "apiVersion": "v1"]) }
        #expect(throws: APIError.self) { try Pod(json: []) }
        #expect(throws: Never.self) { try Pod(json: ["metadata": ["name": "x"]]) }
    }

    @Test func `kinds know their names`() {
        #expect(Deployment.gvk.description == "apps/v1, Kind=Deployment")
        #expect(Deployment.resource.path(namespace: "x", name: "y") == "/apis/apps/v1/namespaces/x/deployments/y")
        #expect(Node.resource.path() == "/api/v1/nodes")
        #expect(!Node.namespaced)
        #expect(Endpoints.resource.resource == "endpoints")
        #expect(NetworkPolicy.resource.resource == "networkpolicies")
        #expect(EndpointSlice(name: "a", namespace: "b").key == "b/a")
    }

    @Test func `a label selector lens matches labels`() {
        let selector = MetaLabelSelector {
            $0.matchLabels = ["a": "b"]
            $0.matchExpressions = [
                LabelSelectorRequirement {
                    $0.key = "c"; $0.operator = "Exists"
                }
            ]
        }
        #expect(selector.matches(["a": "b", "c": ""]))
        #expect(!selector.matches(["a": "b"]))
    }

    @Test func `owner references name their controller`() {
        var set = ReplicaSet(name: "rs", namespace: "x")
        set.metadata.uid = "u"
        var pod = Pod(name: "p", namespace: "x")
        pod.metadata.ownerReferences = [set.controllerReference()]
        #expect(pod.metadata.controller?.name == "rs")
        #expect(pod.metadata.controller?.apiVersion == "apps/v1")
        #expect(pod.metadata.controller?.blockOwnerDeletion == true)
    }
}
