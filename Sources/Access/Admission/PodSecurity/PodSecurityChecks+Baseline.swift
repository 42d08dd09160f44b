import APIModel
import Schema
import Units
import Values

extension PodSecurityCheck {
    static let baseline: [PodSecurityCheck] = [
        PodSecurityCheck("appArmorProfile", [Form(since: 0, rule: appArmor)]),
        PodSecurityCheck("capabilities_baseline", [Form(since: 0, rule: addedCapabilities)]),
        PodSecurityCheck("hostNamespaces", [Form(since: 0, rule: hostNamespaces)]),
        PodSecurityCheck("hostPathVolumes", [Form(since: 0, rule: hostPaths)]),
        PodSecurityCheck("hostPorts", [Form(since: 0, rule: hostPorts)]),
        PodSecurityCheck("hostProbesAndHostLifecycle", [Form(since: 34, rule: probedHosts)]),
        PodSecurityCheck("privileged", [Form(since: 0, rule: privileged)]),
        PodSecurityCheck(
            "procMount",
            [Form(since: 0, rule: procMount), Form(since: 35, rule: { $0.hasUserNamespace ? nil : procMount($0) })]
        ),
        PodSecurityCheck(
            "seLinuxOptions",
            [
                Form(since: 0, rule: { seLinux($0, types: seLinuxTypes) }),
                Form(since: 31, rule: { seLinux($0, types: seLinuxTypes.union(["container_engine_t"])) }),
            ]
        ),
        PodSecurityCheck("seccompProfile_baseline", [Form(since: 0, rule: seccompAnnotations), Form(since: 19, rule: seccompFields)]),
        PodSecurityCheck("sysctls", sysctlForms),
        PodSecurityCheck("windowsHostProcess", [Form(since: 0, rule: hostProcess)]),
    ]

    private static let appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/"

    private static func appArmor(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var types: Set<String> = []
        var setters = pod.setters(of: "appArmorProfile") { profile in
            let type = profile["type"]?.string ?? ""
            if type == "RuntimeDefault" || type == "Localhost" { return false }
            types.insert(type)
            return true
        }
        let annotations = pod.annotations.compactMap { key, value -> String? in
            let text = value.string ?? ""
            guard key.hasPrefix(appArmorPrefix), !text.isEmpty, text != "runtime/default", !text.hasPrefix("localhost/") else { return nil }
            return "\(key)=\(GoQuote.quote(text))"
        }
        let values = types.sorted() + annotations.sorted()
        if !annotations.isEmpty { setters.append(ReviewedPod.plural("annotation", annotations.count)) }
        guard !setters.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "forbidden AppArmor \(ReviewedPod.plural("profile", values.count))",
            detail: "\(setters.joined(separator: " and ")) must not set AppArmor profile type to \(ReviewedPod.quoted(values))"
        )
    }

    private static let defaultCapabilities: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    ]

    private static func addedCapabilities(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var found: Set<String> = []
        let names = pod.names { container in
            let added = (container.value(at: ["securityContext", "capabilities", "add"])?.array ?? []).map { $0.string ?? "" }
            let bad = added.filter { !defaultCapabilities.contains($0) }
            found.formUnion(bad)
            return !bad.isEmpty
        }
        guard !names.isEmpty else { return nil }
        let listed = ReviewedPod.quoted(found.sorted())
        return PodSecurityViolation(
            reason: "non-default capabilities",
            detail: "\(ReviewedPod.containers(names)) must not include \(listed) in securityContext.capabilities.add"
        )
    }

    private static func hostNamespaces(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let shared = ["hostNetwork", "hostPID", "hostIPC"].filter { pod.spec[$0]?.bool == true }
        guard !shared.isEmpty else { return nil }
        return PodSecurityViolation(reason: "host namespaces", detail: shared.map { "\($0)=true" }.joined(separator: ", "))
    }

    private static func hostPaths(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let names = (pod.spec["volumes"]?.array ?? []).filter { $0["hostPath"]?.object != nil }.map { $0["name"]?.string ?? "" }
        guard !names.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "hostPath volumes",
            detail: "\(ReviewedPod.plural("volume", names.count)) \(ReviewedPod.quoted(names))"
        )
    }

    private static func hostPorts(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var ports: Set<String> = []
        let names = pod.names { container in
            let own = (container["ports"]?.array ?? []).compactMap { $0["hostPort"]?.int }.filter { $0 != 0 }
            ports.formUnion(own.map(String.init))
            return !own.isEmpty
        }
        guard !names.isEmpty else { return nil }
        let uses = names.count == 1 ? "uses" : "use"
        let listed = ports.sorted().joined(separator: ", ")
        return PodSecurityViolation(
            reason: "hostPort",
            detail: "\(ReviewedPod.containers(names)) \(uses) \(ReviewedPod.plural("hostPort", ports.count)) \(listed)"
        )
    }

    private static let handlerPaths: [[String]] = [
        ["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "postStart"], ["lifecycle", "preStop"],
    ]

    private static func probedHosts(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var hosts: Set<String> = []
        let found = pod.names { container in
            let own = handlerPaths.flatMap { path in
                ["httpGet", "tcpSocket"].compactMap { container.value(at: path + [$0, "host"])?.string }.filter { !$0.isEmpty }
            }
            hosts.formUnion(own)
            return !own.isEmpty
        }
        guard !found.isEmpty else { return nil }
        let names = Set(found).sorted()
        let uses = names.count == 1 ? "uses" : "use"
        let what = ReviewedPod.plural("probe or lifecycle host", hosts.count)
        return PodSecurityViolation(
            reason: "probe or lifecycle host",
            detail: "\(ReviewedPod.containers(names)) \(uses) \(what) \(ReviewedPod.quoted(hosts.sorted()))"
        )
    }

    private static func privileged(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let names = pod.names { $0.value(at: ["securityContext", "privileged"])?.bool == true }
        guard !names.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "privileged",
            detail: "\(ReviewedPod.containers(names)) must not set securityContext.privileged=true"
        )
    }

    static func procMount(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var types: Set<String> = []
        let names = pod.names { container in
            guard let type = container.value(at: ["securityContext", "procMount"])?.string, type != "Default" else { return false }
            types.insert(type)
            return true
        }
        guard !names.isEmpty else { return nil }
        let listed = ReviewedPod.quoted(types.sorted())
        return PodSecurityViolation(
            reason: "procMount",
            detail: "\(ReviewedPod.containers(names)) must not set securityContext.procMount to \(listed)"
        )
    }

    private static let seLinuxTypes: Set<String> = ["", "container_t", "container_init_t", "container_kvm_t"]

    private static func seLinux(_ pod: ReviewedPod, types allowed: Set<String>) -> PodSecurityViolation? {
        var types: Set<String> = []
        var forbidden: Set<String> = []
        let setters = pod.setters(of: "seLinuxOptions") { options in
            let type = options["type"]?.string ?? ""
            if !allowed.contains(type) { types.insert(type) }
            let set = ["user", "role"].filter { options[$0]?.string?.isEmpty == false }
            forbidden.formUnion(set)
            return !allowed.contains(type) || !set.isEmpty
        }
        guard !setters.isEmpty else { return nil }
        var words: [String] = []
        if !types.isEmpty { words.append("\(ReviewedPod.plural("type", types.count)) \(ReviewedPod.quoted(types.sorted()))") }
        words += ["user", "role"].filter(forbidden.contains).map { "\($0) may not be set" }
        let listed = words.joined(separator: "; ")
        return PodSecurityViolation(
            reason: "seLinuxOptions",
            detail: "\(setters.joined(separator: " and ")) set forbidden securityContext.seLinuxOptions: \(listed)"
        )
    }

    private static let seccompPod = "seccomp.security.alpha.kubernetes.io/pod"
    private static let seccompContainer = "container.seccomp.security.alpha.kubernetes.io/"

    private static func seccompAnnotations(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let keys = [seccompPod] + pod.containers.map { seccompContainer + ($0["name"]?.string ?? "") }
        let found = keys.compactMap { key -> String? in
            guard let text = pod.annotations[key]?.string else { return nil }
            let isSound = text == "runtime/default" || text == "docker/default" || text.hasPrefix("localhost/")
            return isSound ? nil : "\(key)=\(GoQuote.quote(text))"
        }
        let listed = Set(found).sorted()
        guard !listed.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "seccompProfile",
            detail: "forbidden \(ReviewedPod.plural("annotation", listed.count)) \(listed.joined(separator: ", "))"
        )
    }

    static func seccompFields(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var types: Set<String> = []
        let setters = pod.setters(of: "seccompProfile") { profile in
            let type = profile["type"]?.string ?? ""
            if isSound(seccomp: type) { return false }
            types.insert(type)
            return true
        }
        guard !setters.isEmpty else { return nil }
        let words = "must not set securityContext.seccompProfile.type to"
        return PodSecurityViolation(
            reason: "seccompProfile",
            detail: "\(setters.joined(separator: " and ")) \(words) \(ReviewedPod.quoted(types.sorted()))"
        )
    }

    static func isSound(seccomp type: String?) -> Bool { type == "Localhost" || type == "RuntimeDefault" }

    private static let sysctlForms: [Form] = {
        let first: Set<String> = [
            "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
        ]
        let added: [(since: Int, names: Set<String>)] = [
            (0, first),
            (27, ["net.ipv4.ip_local_reserved_ports"]),
            (
                29,
                [
                    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
                    "net.ipv4.tcp_keepalive_probes",
                ]
            ),
            (32, ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]),
        ]
        var known: Set<String> = []
        return added.map { step in
            known.formUnion(step.names)
            let allowed = known
            return Form(since: step.since, rule: { sysctls($0, allowed: allowed) })
        }
    }()

    private static func sysctls(_ pod: ReviewedPod, allowed: Set<String>) -> PodSecurityViolation? {
        let names = (pod.securityContext?["sysctls"]?.array ?? []).map { $0["name"]?.string ?? "" }.filter { !allowed.contains($0) }
        guard !names.isEmpty else { return nil }
        return PodSecurityViolation(reason: "forbidden sysctls", detail: names.joined(separator: ", "))
    }

    private static func hostProcess(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let setters = pod.setters(of: "windowsOptions") { $0["hostProcess"]?.bool == true }
        guard !setters.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "hostProcess",
            detail: "\(setters.joined(separator: " and ")) must not set securityContext.windowsOptions.hostProcess=true"
        )
    }
}
