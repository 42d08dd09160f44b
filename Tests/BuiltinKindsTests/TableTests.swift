import APIModel
import APITypes
import Testing
import Units
import Values

@testable import BuiltinKinds
@testable import PodKinds

private let made = "{name: x, creationTimestamp: \"2023-11-14T22:08:20Z\"}"

/// An object and the row it is shown as; every object was made five minutes ago.
struct Shown: CustomTestStringConvertible, Sendable {
    let resource: String
    let object: String
    let row: [JSONValue]

    init(_ resource: String, _ object: String, _ row: [JSONValue]) {
        self.resource = resource
        self.object = object
        self.row = row
    }

    var testDescription: String { resource }
}

@Suite struct TableTests {
    @Test func `every kind with columns has as many cells`() throws {
        var checked = 0
        for kind in BuiltinKinds.descriptors() {
            guard let columns = kind.versions.first(where: { $0.name == kind.storageVersion })?.columns,
                let row = kind.hooks.cells(["metadata": ["name": "x"]], now: Subject.now)
            else { continue }
            // Without columns of its own a kind is shown with its name and when it was made.
            #expect(row.count == (columns.isEmpty ? 2 : columns.count), "\(kind.plural).\(kind.group): \(columns.map(\.name))")
            for (cell, column) in zip(row, columns) where column.type == "integer" {
                #expect(cell.int != nil, "\(kind.plural) \(column.name): \(cell)")
            }
            checked += 1
        }
        #expect(checked > 50)
    }

    @Test(arguments: [
        Shown("configmaps", "{data: {a: b}, binaryData: {c: ZA==}}", [2, "5m"]),
        Shown("secrets", "{type: Opaque, data: {a: Yg==}}", ["Opaque", 1, "5m"]),
        Shown("serviceaccounts", "{secrets: [{name: a}]}", ["5m"]),
        Shown("namespaces", "{status: {phase: Active}}", ["Active", "5m"]),
        Shown(
            "nodes",
            "{spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: 'True'}], nodeInfo: {kubeletVersion: v1.36.0, osImage: Debian, kernelVersion: '6.1', architecture: arm64, containerRuntimeVersion: containerd://2}, addresses: [{type: InternalIP, address: 10.0.0.1}]}}",
            ["Ready,SchedulingDisabled", "<none>", "5m", "v1.36.0", "10.0.0.1", "<none>", "Debian", "6.1 (arm64)", "containerd://2"]
        ),
        Shown(
            "services",
            "{spec: {type: LoadBalancer, clusterIP: 10.0.0.5, clusterIPs: [10.0.0.5], ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}], selector: {app: a}}, status: {loadBalancer: {ingress: [{ip: 1.2.3.4}, {hostname: lb.example}]}}}",
            ["LoadBalancer", "10.0.0.5", "1.2.3.4,lb.example", "80:30080/TCP,53/UDP", "5m", "app=a"]
        ),
        Shown(
            "services",
            "{spec: {type: ClusterIP, clusterIP: None, clusterIPs: [None]}}",
            ["ClusterIP", "None", "<none>", "<none>", "5m", "<none>"]
        ),
        Shown(
            "endpoints",
            "{subsets: [{addresses: [{ip: 1.1.1.1}, {ip: 1.1.1.2}], ports: [{port: 1}, {port: 2}]}]}",
            ["1.1.1.1:1,1.1.1.2:1,1.1.1.1:2 + 1 more...", "5m"]
        ),
        Shown(
            "endpointslices.discovery.k8s.io",
            "{addressType: IPv4, ports: [{port: 80}], endpoints: [{addresses: [1.1.1.1]}]}",
            ["IPv4", "80", "1.1.1.1", "5m"]
        ),
        Shown(
            "deployments.apps",
            "{spec: {replicas: 3, selector: {matchLabels: {app: a}}, template: {spec: {containers: [{name: c, image: i}, {name: d, image: j}]}}}, status: {readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1}}",
            ["2/3", 3, 1, "5m", "c,d", "i,j", "app=a"]
        ),
        Shown("statefulsets.apps", "{spec: {replicas: 2}, status: {readyReplicas: 1}}", ["1/2", "5m", "", ""]),
        Shown(
            "daemonsets.apps",
            "{spec: {selector: {}}, status: {desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1}}",
            [3, 2, 1, 0, 0, "<none>", "5m", "", "", "<none>"]
        ),
        Shown(
            "jobs.batch",
            "{spec: {completions: 3}, status: {succeeded: 3, startTime: \"2023-11-14T22:09:20Z\", completionTime: \"2023-11-14T22:10:20Z\", conditions: [{type: Complete, status: 'True'}]}}",
            ["Complete", "3/3", "60s", "5m", "", "", "<none>"]
        ),
        Shown(
            "cronjobs.batch",
            "{spec: {schedule: '@daily', suspend: false}}",
            ["@daily", "<none>", "False", 0, "<none>", "5m", "", "", "<none>"]
        ),
        Shown(
            "horizontalpodautoscalers.autoscaling",
            "{spec: {scaleTargetRef: {kind: Deployment, name: web}, minReplicas: 1, maxReplicas: 5, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}, status: {currentReplicas: 2, currentMetrics: [{type: Resource, resource: {current: {averageUtilization: 40}}}]}}",
            ["Deployment/web", "cpu: 40%/80%", "1", 5, 2, "5m"]
        ),
        Shown("poddisruptionbudgets.policy", "{spec: {minAvailable: 50%}, status: {disruptionsAllowed: 1}}", ["50%", "N/A", 1, "5m"]),
        Shown(
            "persistentvolumeclaims",
            "{spec: {volumeName: pv, storageClassName: fast, volumeMode: Filesystem}, status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce, ReadOnlyMany]}}",
            ["Bound", "pv", "1Gi", "RWO,ROX", "fast", "<unset>", "5m", "Filesystem"]
        ),
        Shown(
            "persistentvolumes",
            "{spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany], persistentVolumeReclaimPolicy: Retain, claimRef: {namespace: ns, name: c}}, status: {phase: Bound}}",
            ["1Gi", "RWX", "Retain", "Bound", "ns/c", "", "<unset>", "", "5m", "<unset>"]
        ),
        Shown(
            "ingresses.networking.k8s.io",
            "{spec: {ingressClassName: nginx, rules: [{host: a.b}, {host: c.d}], tls: [{}]}, status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}}",
            ["nginx", "a.b,c.d", "1.2.3.4", "80, 443", "5m"]
        ),
        Shown("networkpolicies.networking.k8s.io", "{spec: {podSelector: {}}}", ["<none>", "5m"]),
        Shown(
            "rolebindings.rbac.authorization.k8s.io",
            "{roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u}, {kind: Group, name: g}, {kind: ServiceAccount, name: s, namespace: ns}]}",
            ["Role/r", "5m", "u", "g", "ns/s"]
        ),
        Shown("resourcequotas", "{status: {hard: {cpu: '2', limits.cpu: '4'}, used: {cpu: '1'}}}", ["cpu: 1/2", "limits.cpu: 0/4", "5m"]),
        Shown("priorityclasses.scheduling.k8s.io", "{value: 7, globalDefault: true, preemptionPolicy: Never}", [7, true, "5m", "Never"]),
        Shown("leases.coordination.k8s.io", "{spec: {holderIdentity: me}}", ["me", "5m"]),
        Shown("controllerrevisions.apps", "{revision: 3}", ["<none>", 3, "5m"]),
        Shown(
            "volumeattachments.storage.k8s.io",
            "{spec: {attacher: a, source: {persistentVolumeName: p}, nodeName: node}, status: {attached: true}}",
            ["a", "p", "node", true, "5m"]
        ),
        Shown("csidrivers.storage.k8s.io", "{spec: {}}", [true, false, false, "<unset>", false, "<none>", "5m"]),
        Shown(
            "certificatesigningrequests.certificates.k8s.io",
            "{spec: {signerName: a.b/c, username: u, expirationSeconds: 3600}, status: {conditions: [{type: Approved}], certificate: eA==}}",
            ["5m", "a.b/c", "u", "60m", "Approved,Issued"]
        ),
        Shown(
            "flowschemas.flowcontrol.apiserver.k8s.io",
            "{spec: {priorityLevelConfiguration: {name: p}, matchingPrecedence: 9}}",
            ["p", 9, "<none>", "5m", "?"]
        ),
    ])
    func `a golden row`(_ shown: Shown) throws {
        var object = try yaml(shown.object)
        object["metadata"] = try yaml(made)
        #expect(try Subject(shown.resource).row(object) == ["x"] + shown.row)
    }

    @Test func `the class that is the default says so`() throws {
        var object = try yaml("{provisioner: p, allowVolumeExpansion: true}")
        object["metadata"] = ["name": "x", "annotations": ["storageclass.kubernetes.io/is-default-class": "true"]]
        let row = try Subject("storageclasses.storage.k8s.io").row(object)
        #expect(row == ["x (default)", "p", "Delete", "Immediate", true, "<unknown>"])
    }

    @Test func `an event in both of its groups`() throws {
        let core = try yaml(
            "{metadata: {name: e}, involvedObject: {kind: Pod, name: p, fieldPath: f}, type: Normal, reason: R, message: ' m ', count: 3, source: {component: c, host: h}, lastTimestamp: \"2023-11-14T22:12:20Z\", firstTimestamp: \"2023-11-14T22:08:20Z\"}"
        )
        #expect(try Subject("events").row(core) == ["60s", "Normal", "R", "pod/p", "f", "c, h", "m", "5m", 3, "e"])
        let new = try yaml(
            "{metadata: {name: e}, regarding: {kind: Pod, name: p}, type: Warning, reason: R, note: text, eventTime: \"2023-11-14T22:08:20.000000Z\", reportingController: k, reportingInstance: i, series: {count: 4, lastObservedTime: \"2023-11-14T22:12:20.000000Z\"}}"
        )
        #expect(try Subject("events.events.k8s.io").row(new) == ["60s", "Warning", "R", "pod/p", "", "k, i", "text", "5m", 4, "e"])
    }

    @Test(arguments: [
        ("{phase: Pending}", "0/2", "Pending", "0"),
        ("{phase: Pending, reason: Evicted}", "0/2", "Evicted", "0"),
        ("{phase: Pending, initContainerStatuses: [{name: i, restartCount: 0, state: {running: {}}}]}", "0/2", "Init:0/2", "0"),
        (
            "{phase: Pending, initContainerStatuses: [{name: i, restartCount: 2, state: {terminated: {exitCode: 3}}}]}", "0/2",
            "Init:ExitCode:3", "2"
        ),
        (
            "{phase: Running, containerStatuses: [{name: c, ready: true, restartCount: 1, state: {running: {}}, lastState: {terminated: {finishedAt: \"2023-11-14T22:12:20Z\"}}}]}",
            "1/2", "Running", "1 (60s ago)"
        ),
        (
            "{phase: Running, containerStatuses: [{name: c, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}}]}", "0/2",
            "CrashLoopBackOff", "4"
        ),
        ("{phase: Succeeded, containerStatuses: [{name: c, state: {terminated: {reason: Completed}}}]}", "0/2", "Completed", "0"),
        (
            "{phase: Running, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: s, started: true, ready: true, restartCount: 5, state: {running: {}}}], containerStatuses: [{name: c, ready: true, state: {running: {}}}]}",
            "2/2", "Running", "5"
        ),
    ])
    func `the state of a pod in one word`(_ status: String, _ ready: String, _ state: String, _ restarts: String) throws {
        var pod = try yaml(
            "{metadata: {name: p}, spec: {containers: [{name: c}], initContainers: [{name: i}, {name: s, restartPolicy: Always}]}}"
        )
        pod["status"] = try yaml(status)
        let row = try #require(try Subject("pods").row(pod))
        #expect(Array(row[1...3]) == [.string(ready), .string(state), .string(restarts)])
    }
}
