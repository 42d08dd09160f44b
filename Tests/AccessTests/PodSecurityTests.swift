import APIModel
import Channels
import Synchronization
import Testing
import Units
import Values

@testable import Access

/// The words are those of upstream's server, which was sent the same pods.
@Suite struct PodSecurityTests {
    private final class Told: Sendable {
        private let state = Mutex<(warnings: [String], notes: [String: String])>(([], [:]))
        var warnings: [String] { state.withLock { $0.warnings } }
        var notes: [String: String] { state.withLock { $0.notes } }
        func warn(_ text: String) { state.withLock { $0.warnings.append(text) } }
        func note(_ key: String, _ value: String) { state.withLock { $0.notes[key] = value } }
    }

    private static func labels(_ pairs: [String: String]) -> JSONValue {
        .object(JSONObject(pairs.map { ("pod-security.kubernetes.io/\($0.key)", .string($0.value)) }))
    }

    private static func namespace(_ pairs: [String: String]) -> JSONValue {
        ["metadata": ["name": "n", "labels": labels(pairs)]]
    }

    private static func pod(_ change: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
        var pod: JSONValue = [
            "metadata": ["name": "p", "namespace": "n"],
            "spec": [
                "securityContext": ["runAsNonRoot": true, "seccompProfile": ["type": "RuntimeDefault"]],
                "containers": [
                    [
                        "name": "c", "image": "i",
                        "securityContext": ["allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]]],
                    ]
                ],
            ],
        ]
        change(&pod)
        return pod
    }

    private static func request(
        _ object: JSONValue,
        _ resource: String,
        group: String = "",
        old: JSONValue? = nil,
        told: Told = Told()
    ) -> AdmissionRequest {
        var request = AdmissionRequest(
            operation: old == nil ? .create : .update,
            kind: GroupVersionKind(group: group, version: "v1", kind: "X"),
            resource: GroupVersionResource(group: group, version: "v1", resource: resource),
            namespace: "n",
            name: object.value(at: ["metadata", "name"])?.string ?? "",
            user: UserIdentity(name: "somebody"),
            object: object,
            oldObject: old
        )
        request.warn = { told.warn($0) }
        request.annotate = { told.note($0, $1) }
        return request
    }

    private static func message(_ plugin: PodSecurity, _ request: AdmissionRequest) async -> String {
        do {
            try await plugin.validate(request)
            return ""
        } catch {
            return error.message
        }
    }

    private static func plugin(_ pairs: [String: String], _ more: [String: JSONValue] = [:]) -> PodSecurity {
        var objects = more
        objects["namespaces//n"] = namespace(pairs)
        return PodSecurity(lookup: FixedLookup(all: objects), clock: ManualClock())
    }

    private struct Rule: Sendable {
        let level: String
        let version: String
        let path: [String]
        let value: JSONValue
        let words: String

        init(_ level: String, _ version: String, _ path: String, _ value: JSONValue, _ words: String) {
            (self.level, self.version, self.value, self.words) = (level, version, value, words)
            self.path = path.split(separator: ".").map(String.init)
        }

        init(_ level: String, _ path: String, _ value: JSONValue, _ words: String) { self.init(level, "latest", path, value, words) }
    }

    private static let container = "spec.containers.0"
    private static let context = "spec.containers.0.securityContext"

    private static let baseline: [Rule] = [
        Rule("baseline", "spec.hostNetwork", true, "host namespaces (hostNetwork=true)"),
        Rule("baseline", "spec.hostPID", true, "host namespaces (hostPID=true)"),
        Rule("baseline", "spec.hostIPC", true, "host namespaces (hostIPC=true)"),
        Rule("baseline", "spec.volumes", [["name": "v", "hostPath": ["path": "/a"]]], #"hostPath volumes (volume "v")"#),
        Rule(
            "baseline",
            "\(container).ports",
            [["containerPort": 1, "hostPort": 80], ["containerPort": 2, "hostPort": 443]],
            #"hostPort (container "c" uses hostPorts 443, 80)"#
        ),
        Rule(
            "baseline",
            "\(container).livenessProbe",
            ["httpGet": ["host": "10.0.0.1", "port": 1]],
            #"probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")"#
        ),
        Rule(
            "baseline",
            "\(context).privileged",
            true,
            #"privileged (container "c" must not set securityContext.privileged=true)"#
        ),
        Rule(
            "baseline",
            "\(context).capabilities",
            ["add": ["NET_RAW", "CHOWN"]],
            #"non-default capabilities (container "c" must not include "NET_RAW" in securityContext.capabilities.add)"#
        ),
        Rule(
            "baseline",
            "\(context).procMount",
            "Unmasked",
            #"procMount (container "c" must not set securityContext.procMount to "Unmasked")"#
        ),
        Rule(
            "baseline",
            "spec.securityContext.seLinuxOptions",
            ["type": "t", "user": "u", "role": "r"],
            #"seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "t"; user may not be set; role may not be set)"#
        ),
        Rule(
            "baseline",
            "v1.30",
            "spec.securityContext.seLinuxOptions",
            ["type": "container_engine_t"],
            #"seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")"#
        ),
        Rule("baseline", "v1.31", "spec.securityContext.seLinuxOptions", ["type": "container_engine_t"], ""),
        Rule(
            "baseline",
            "\(context).seccompProfile",
            ["type": "Unconfined"],
            #"seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")"#
        ),
        Rule("baseline", "v1.18", "\(context).seccompProfile", ["type": "Unconfined"], ""),
        Rule(
            "baseline",
            "v1.18",
            "metadata.annotations",
            ["seccomp.security.alpha.kubernetes.io/pod": "unconfined"],
            #"seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")"#
        ),
        Rule(
            "baseline",
            "spec.securityContext.sysctls",
            [["name": "kernel.msgmax", "value": "1"]],
            "forbidden sysctls (kernel.msgmax)"
        ),
        Rule(
            "baseline",
            "v1.26",
            "spec.securityContext.sysctls",
            [["name": "net.ipv4.ip_local_reserved_ports", "value": "1"]],
            "forbidden sysctls (net.ipv4.ip_local_reserved_ports)"
        ),
        Rule("baseline", "v1.27", "spec.securityContext.sysctls", [["name": "net.ipv4.ip_local_reserved_ports", "value": "1"]], ""),
        Rule(
            "baseline",
            "spec.securityContext.windowsOptions",
            ["hostProcess": true],
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"
        ),
        Rule(
            "baseline",
            "spec.securityContext.appArmorProfile",
            ["type": "Unconfined"],
            #"forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")"#
        ),
    ]

    private static let restricted: [Rule] = [
        Rule(
            "restricted",
            "\(context).allowPrivilegeEscalation",
            true,
            #"allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)"#
        ),
        Rule(
            "restricted",
            "\(context).capabilities",
            ["add": ["NET_BIND_SERVICE", "CHOWN"]],
            #"unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; "#
                + #"container "c" must not include "CHOWN" in securityContext.capabilities.add)"#
        ),
        Rule(
            "restricted",
            "spec.volumes",
            [["name": "v", "hostPath": ["path": "/a"]], ["name": "w", "nfs": ["server": "s", "path": "/"]]],
            #"restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")"#
        ),
        Rule(
            "restricted",
            "spec.securityContext.runAsNonRoot",
            false,
            "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"
        ),
        Rule(
            "restricted",
            "spec.securityContext",
            ["seccompProfile": ["type": "Localhost", "localhostProfile": "a"]],
            #"runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)"#
        ),
        Rule("restricted", "\(context).runAsUser", 0, #"runAsUser=0 (container "c" must not set runAsUser=0)"#),
        Rule("restricted", "v1.22", "\(context).runAsUser", 0, ""),
        Rule(
            "restricted",
            "spec.securityContext",
            ["runAsNonRoot": true],
            #"seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#
        ),
        Rule("restricted", "spec.os", ["name": "linux"], ""),
    ]

    @Test func `each rule says what upstream says`() async {
        for rule in Self.baseline + Self.restricted {
            let plugin = Self.plugin(["enforce": rule.level, "enforce-version": rule.version])
            let pod = Self.pod { $0.setMember(rule.value, at: rule.path) }
            let found = await Self.message(plugin, Self.request(pod, "pods"))
            let start = "pods \"p\" is forbidden: violates PodSecurity \"\(rule.level):\(rule.version)\": "
            #expect(found == (rule.words.isEmpty ? "" : start + rule.words), "\(rule.path) \(rule.version)")
        }
    }

    @Test func `a sound pod passes every level of every release`() async {
        for level in PodSecurityLevel.allCases {
            for version in ["latest"] + (0...40).map({ "v1.\($0)" }) {
                let plugin = Self.plugin(["enforce": level.rawValue, "enforce-version": version])
                #expect(await Self.message(plugin, Self.request(Self.pod(), "pods")) == "", "\(level) \(version)")
            }
        }
    }

    @Test func `who is root in a user namespace is not root`() async {
        let pod = Self.pod {
            $0.setMember(false, at: ["spec", "hostUsers"])
            $0.setMember(0, at: ["spec", "securityContext", "runAsUser"])
            $0.setMember(false, at: ["spec", "securityContext", "runAsNonRoot"])
        }
        #expect(await Self.message(Self.plugin(["enforce": "restricted"]), Self.request(pod, "pods")) == "")
        let before = await Self.message(Self.plugin(["enforce": "restricted", "enforce-version": "v1.34"]), Self.request(pod, "pods"))
        #expect(before.contains("runAsUser=0"))
    }

    @Test func `labels that mean nothing are refused, and tolerated where they were`() async {
        let plugin = Self.plugin([:])
        let wrong = Self.namespace(["enforce": "strict", "audit-version": "1.2"])
        let words =
            "X \"n\" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": "
            + "must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/audit-version]: "
            + "Invalid value: \"1.2\": must be \"latest\" or \"v1.x\"]"
        let expected = "Namespace" + words.dropFirst(1)
        #expect(await Self.message(plugin, Self.request(wrong, "namespaces")) == expected)
        #expect(await Self.message(plugin, Self.request(wrong, "namespaces", old: Self.namespace([:]))) == expected)
        #expect(await Self.message(plugin, Self.request(wrong, "namespaces", old: wrong)) == "")
    }

    @Test func `versions are latest or v1 with a number`() {
        for text in ["latest", "v1.0", "v1.36", "v1.100"] { #expect(PodSecurityVersion(text)?.description == text) }
        for text in ["", "v1", "v1.", "v1.01", "v2.0", "1.2", "v1.-1", "v1.x", "v1.99999999999999999999"] {
            #expect(PodSecurityVersion(text) == nil, "\(text)")
        }
    }

    @Test func `pods of a namespace that asks for more are told of`() async {
        var pods: [String: JSONValue] = [:]
        for name in ["a", "b", "c"] {
            pods["pods/n/\(name)"] = Self.pod {
                $0.setMember(.string(name), at: ["metadata", "name"])
                $0.setMember(true, at: ["spec", name == "c" ? "hostPID" : "hostNetwork"])
            }
        }
        let told = Told()
        let request = Self.request(Self.namespace(["enforce": "baseline"]), "namespaces", old: Self.namespace([:]), told: told)
        #expect(await Self.message(Self.plugin([:], pods), request) == "")
        #expect(
            told.warnings == [
                "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"baseline:latest\"",
                "a (and 2 other pods): host namespaces",
            ]
        )
        let relaxed = Told()
        let less = Self.request(
            Self.namespace(["enforce": "baseline"]),
            "namespaces",
            old: Self.namespace(["enforce": "restricted"]),
            told: relaxed
        )
        _ = await Self.message(Self.plugin([:], pods), less)
        #expect(relaxed.warnings.isEmpty)
    }

    @Test func `controllers are warned of, never refused`() async {
        let template = Self.pod { $0.setMember(true, at: ["spec", "hostPID"]) }
        let deployment: JSONValue = ["metadata": ["name": "d"], "spec": ["template": template]]
        for pairs in [["warn": "baseline"], ["enforce": "baseline"]] {
            let told = Told()
            let request = Self.request(deployment, "deployments", group: "apps", told: told)
            #expect(await Self.message(Self.plugin(pairs), request) == "")
            #expect(told.warnings == ["would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"])
        }
    }

    @Test func `the audit log is told`() async {
        let told = Told()
        let pod = Self.pod { $0.setMember(true, at: ["spec", "hostPID"]) }
        _ = await Self.message(Self.plugin(["audit": "baseline"]), Self.request(pod, "pods", told: told))
        #expect(told.notes["pod-security.kubernetes.io/enforce-policy"] == "privileged:latest")
        #expect(
            told.notes["pod-security.kubernetes.io/audit-violations"]
                == "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"
        )
        #expect(told.warnings.isEmpty)
    }

    @Test func `what is exempt is let through`() async {
        let pod = Self.pod {
            $0.setMember(true, at: ["spec", "hostPID"])
            $0.setMember("vm", at: ["spec", "runtimeClassName"])
        }
        let lookup = FixedLookup(all: ["namespaces//n": Self.namespace(["enforce": "baseline"])])
        let ways: [(PodSecurity.Exemptions, String)] = [
            (.init(users: ["somebody"]), "user"), (.init(namespaces: ["n"]), "namespace"), (.init(runtimeClasses: ["vm"]), "runtimeClass"),
        ]
        for (exemptions, reason) in ways {
            let told = Told()
            let plugin = PodSecurity(lookup: lookup, clock: ManualClock(), exemptions: exemptions)
            #expect(await Self.message(plugin, Self.request(pod, "pods", told: told)) == "")
            #expect(told.notes["pod-security.kubernetes.io/exempt"] == reason)
        }
    }

    @Test func `an update that changes no image is let through`() async {
        let old = Self.pod { $0.setMember(true, at: ["spec", "hostPID"]) }
        var labelled = old
        labelled.setMember("b", at: ["metadata", "labels", "a"])
        let plugin = Self.plugin(["enforce": "baseline"])
        #expect(await Self.message(plugin, Self.request(labelled, "pods", old: old)) == "")
        var image = old
        image.setMember("j", at: ["spec", "containers", "0", "image"])
        #expect(await Self.message(plugin, Self.request(image, "pods", old: old)).contains("host namespaces"))
    }
}

extension JSONValue {
    /// Sets a value at a path whose numbers are places in lists.
    fileprivate mutating func setMember(_ value: JSONValue, at path: [String]) {
        guard let key = path.first else { return self = value }
        let rest = Array(path.dropFirst())
        if let index = Int(key), case .array(var elements) = self, elements.indices.contains(index) {
            elements[index].setMember(value, at: rest)
            self = .array(elements)
            return
        }
        var inner = self[key] ?? [:]
        inner.setMember(value, at: rest)
        self[key] = inner
    }
}
