import APITypes
import PodRuntime
import Testing
import Units
import Values

@testable import Kubelet

@Suite struct ContainerSettingsTests {
    private func environment(_ pod: Pod, objects: ReferencedObjects = ReferencedObjects(), services: [String: String] = [:]) -> Environment
    {
        let fields = DownwardFields(
            pod: pod,
            addresses: ["10.0.0.5"],
            hostAddresses: ["192.168.1.9"],
            allocatable: ["cpu": Quantity(value: 4), "memory": Quantity(value: 1 << 30)]
        )
        return Environment(fields: fields, objects: objects, services: services)
    }

    private func values(_ environment: Environment, _ pod: Pod) throws -> [String: String] {
        let variables = try environment.variables(of: pod.spec.containers[0])
        return Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.value) })
    }

    @Test func `variables come from values, fields, resources, config maps and secrets`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web, labels: {app: hello}}
            spec:
              containers:
              - name: a
                image: x
                resources: {requests: {cpu: 250m}, limits: {memory: 64Mi}}
                envFrom: [{prefix: P_, configMapRef: {name: cm}}, {secretRef: {name: gone, optional: true}}]
                env:
                - {name: A, value: one}
                - {name: B, value: "$(A)-$(SVC)-$$(A)-$(NONE)"}
                - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                - {name: APP, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
                - {name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
                - {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
                - {name: KEY, valueFrom: {configMapKeyRef: {name: cm, key: k}}}
                - {name: PASS, valueFrom: {secretKeyRef: {name: s, key: p}}}
                - {name: MAYBE, valueFrom: {secretKeyRef: {name: s, key: q, optional: true}}}
            """
        )
        var objects = ReferencedObjects()
        objects.configMaps["cm"] = ConfigMap { $0.data = ["k": "v"] }
        objects.secrets["s"] = Secret { $0.data = ["p": Array("word".utf8)] }
        let found = try values(environment(pod, objects: objects, services: ["SVC": "svc", "A": "hidden"]), pod)
        #expect(found["B"] == "one-svc-$(A)-$(NONE)")
        #expect(found["NAME"] == "web" && found["APP"] == "hello" && found["IP"] == "10.0.0.5")
        #expect(found["CPU"] == "250" && found["CPUS"] == "4" && found["MEM"] == "64")
        #expect(found["KEY"] == "v" && found["PASS"] == "word" && found["P_k"] == "v")
        #expect(found["MAYBE"] == nil)
        #expect(found["A"] == "one")
    }

    @Test func `what is missing is named`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web}
            spec: {containers: [{name: a, image: x, env: [{name: K, valueFrom: {configMapKeyRef: {name: cm, key: k}}}]}]}
            """
        )
        let empty = environment(pod)
        #expect { try empty.variables(of: pod.spec.containers[0]) } throws: { "\($0)" == "configmap \"cm\" not found" }
        var objects = ReferencedObjects()
        objects.configMaps["cm"] = ConfigMap()
        let bare = environment(pod, objects: objects)
        #expect { try bare.variables(of: pod.spec.containers[0]) } throws: {
            "\($0)" == "couldn't find key k in ConfigMap default/cm"
        }
    }

    @Test func `services of the namespace and the API server's become variables`() throws {
        func service(_ name: String, _ namespace: String, _ address: String) -> Service {
            var service = Service(name: name, namespace: namespace)
            service.spec.clusterIP = address
            service.spec.ports = [
                ServicePort {
                    $0.port = 3000
                    $0.name = "http"
                }
            ]
            return service
        }
        let all = [
            service("kubernetes", "default", "10.96.0.1"), service("hello-node", "app", "10.96.0.7"),
            service("other", "else", "10.96.0.8"), service("headless", "app", "None"),
        ]
        let found = ServiceVariables.variables(all, namespace: "app", links: true)
        #expect(found["HELLO_NODE_SERVICE_HOST"] == "10.96.0.7")
        #expect(found["HELLO_NODE_SERVICE_PORT"] == "3000")
        #expect(found["HELLO_NODE_SERVICE_PORT_HTTP"] == "3000")
        #expect(found["HELLO_NODE_PORT"] == "tcp://10.96.0.7:3000")
        #expect(found["HELLO_NODE_PORT_3000_TCP_ADDR"] == "10.96.0.7")
        #expect(found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1")
        #expect(found["OTHER_SERVICE_HOST"] == nil && found["HEADLESS_SERVICE_HOST"] == nil)
        #expect(ServiceVariables.variables(all, namespace: "app", links: false)["HELLO_NODE_SERVICE_HOST"] == nil)
    }

    @Test func `requests and limits become shares, quota, memory and a score`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: p}
            spec: {containers: [{name: a, image: x, resources: {requests: {cpu: 500m, memory: 256Mi}, limits: {cpu: 1500m, memory: 512Mi}}}]}
            """
        )
        let container = pod.spec.containers[0]
        let resources = LinuxResources.container(container, in: pod, memoryCapacity: 1 << 30)
        #expect(resources.cpuShares == 512)
        #expect(resources.cpuQuota == 150_000 && resources.cpuPeriod == 100_000)
        #expect(resources.memoryLimitInBytes == 512 << 20)
        #expect(resources.oomScoreAdj == 750)
        #expect(resources.unified.isEmpty, "version 1 has no such files: the runtime would refuse the container")
        let whole = LinuxResources.container(container, in: pod, memoryCapacity: 1 << 30, endsTogether: true)
        #expect(whole.unified == ["memory.oom.group": "1"])
        #expect(PodCgroup.path(pod, root: "/apus") == "/apus/kubepods/burstable/poduid-1")
    }

    @Test func `a pod's resolver knows the cluster's domains`() throws {
        let cluster = PodDNS.Cluster(
            servers: ["10.96.0.10"],
            domain: "cluster.local",
            node: PodDNS(resolvConf: "nameserver 1.1.1.1\nsearch corp.example\noptions rotate\n")
        )
        let pod = try Samples.pod("metadata: {name: p}\nspec: {containers: []}")
        let dns = PodDNS(pod.spec, namespace: "app", cluster: cluster)
        #expect(dns.servers == ["10.96.0.10"])
        #expect(dns.searches == ["app.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"])
        #expect(dns.options == ["ndots:5"])
        var own = pod.spec
        own.dnsConfig = PodDNSConfig {
            $0.nameservers = ["9.9.9.9"]
            $0.options = [
                PodDNSConfigOption {
                    $0.name = "ndots"
                    $0.value = "2"
                }
            ]
        }
        #expect(PodDNS(own, namespace: "app", cluster: cluster).options == ["ndots:2"])
        own.dnsPolicy = "None"
        #expect(PodDNS(own, namespace: "app", cluster: cluster).servers == ["9.9.9.9"])
        own.dnsPolicy = "ClusterFirst"
        own.hostNetwork = true
        own.dnsConfig = nil
        #expect(PodDNS(own, namespace: "app", cluster: cluster).servers == ["1.1.1.1"])
    }

    @Test func `image names find their registry and default tag`() {
        #expect(ImageName("busybox")?.reference == "busybox:latest")
        #expect(ImageName("busybox")?.repository == "library/busybox")
        #expect(ImageName("localhost:5000/a/b:v1")?.registry == "localhost:5000")
        #expect(ImageName("localhost:5000/a/b")?.reference == "localhost:5000/a/b:latest")
        #expect(ImageName("example.com/x@sha256:\(String(repeating: "a", count: 64))")?.registry == "example.com")
        #expect(ImageName("Bad Name") == nil && ImageName("") == nil && ImageName("a:b:c") == nil && ImageName("x/") == nil)
    }

    @Test func `pull secrets fit their registries, the most specific first`() throws {
        let config = """
            {"auths": {"https://index.docker.io/v1/": {"auth": "\(Base64.encode(Array("hub:one".utf8)))"},
            "reg.example.com": {"username": "all", "password": "two"},
            "reg.example.com/team": {"username": "team", "password": "three"},
            "*.wild.io": {"username": "wild", "password": "four"}, "broken": {"auth": "!!"}}}
            """
        let secret = Secret { $0.data = [".dockerconfigjson": Array(config.utf8)] }
        let keyring = Keyring([secret, Secret { $0.data = [".dockerconfigjson": Array("{".utf8)] }])
        func users(_ image: String) -> [String] {
            ImageName(image).map { keyring.credentials(for: $0).map(\.username) } ?? []
        }
        #expect(users("nginx") == ["hub"])
        #expect(users("reg.example.com/team/app") == ["team", "all"])
        #expect(users("reg.example.com/teams") == ["all"])
        #expect(users("a.wild.io/x") == ["wild"])
        #expect(users("wild.io/x") == [] && users("other.com/x") == [])
    }

    @Test func `security settings of the container win over the pod's`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: p}
            spec:
              securityContext: {runAsUser: 1000, fsGroup: 2000, seccompProfile: {type: RuntimeDefault}}
              containers:
              - name: a
                image: x
                securityContext: {runAsUser: 7, readOnlyRootFilesystem: true, capabilities: {add: [NET_ADMIN], drop: [ALL]}}
              - {name: b, image: x, securityContext: {runAsNonRoot: true, runAsUser: 0}}
            """
        )
        let image = SecurityContexts.ImageUser(uid: 0, name: "")
        let made = try SecurityContexts.container(pod.spec.containers[0], in: pod, image: image, seccompDefault: false)
        #expect(made.runAsUser.value == 7 && made.readonlyRootfs && made.supplementalGroups == [2000])
        #expect(made.capabilities.addCapabilities == ["NET_ADMIN"] && made.seccomp.profileType == .runtimeDefault)
        #expect(throws: ContainerConfigError.self) {
            try SecurityContexts.container(pod.spec.containers[1], in: pod, image: image, seccompDefault: false)
        }
    }
}
