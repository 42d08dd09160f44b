import Values

extension PodSecurityCheck {
    static let restricted: [PodSecurityCheck] = [
        PodSecurityCheck(
            "allowPrivilegeEscalation",
            [Form(since: 8, rule: escalation), Form(since: 25, rule: { $0.isWindows ? nil : escalation($0) })]
        ),
        PodSecurityCheck(
            "capabilities_restricted",
            [
                Form(since: 22, rule: capabilities, replaces: ["capabilities_baseline"]),
                Form(since: 25, rule: { $0.isWindows ? nil : capabilities($0) }, replaces: ["capabilities_baseline"]),
            ]
        ),
        PodSecurityCheck("procMount_restricted", [Form(since: 35, rule: procMount, replaces: ["procMount"])]),
        PodSecurityCheck("restrictedVolumes", [Form(since: 0, rule: volumes, replaces: ["hostPathVolumes"])]),
        PodSecurityCheck(
            "runAsNonRoot",
            [Form(since: 0, rule: nonRoot), Form(since: 35, rule: { $0.hasUserNamespace ? nil : nonRoot($0) })]
        ),
        PodSecurityCheck(
            "runAsUser",
            [Form(since: 23, rule: rootUser), Form(since: 35, rule: { $0.hasUserNamespace ? nil : rootUser($0) })]
        ),
        PodSecurityCheck(
            "seccompProfile_restricted",
            [
                Form(since: 19, rule: seccomp, replaces: ["seccompProfile_baseline"]),
                Form(since: 25, rule: { $0.isWindows ? nil : seccomp($0) }, replaces: ["seccompProfile_baseline"]),
            ]
        ),
    ]

    private static func escalation(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let names = pod.names { $0.value(at: ["securityContext", "allowPrivilegeEscalation"])?.bool != false }
        guard !names.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: "allowPrivilegeEscalation != false",
            detail: "\(ReviewedPod.containers(names)) must set securityContext.allowPrivilegeEscalation=false"
        )
    }

    private static func capabilities(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var forbidden: Set<String> = []
        let keeping = pod.names { container in
            !(container.value(at: ["securityContext", "capabilities", "drop"])?.array ?? []).contains("ALL")
        }
        let adding = pod.names { container in
            let added = (container.value(at: ["securityContext", "capabilities", "add"])?.array ?? []).map { $0.string ?? "" }
            let bad = added.filter { $0 != "NET_BIND_SERVICE" }
            forbidden.formUnion(bad)
            return !bad.isEmpty
        }
        var details: [String] = []
        if !keeping.isEmpty {
            details.append("\(ReviewedPod.containers(keeping)) must set securityContext.capabilities.drop=[\"ALL\"]")
        }
        if !adding.isEmpty {
            let listed = ReviewedPod.quoted(forbidden.sorted())
            details.append("\(ReviewedPod.containers(adding)) must not include \(listed) in securityContext.capabilities.add")
        }
        guard !details.isEmpty else { return nil }
        return PodSecurityViolation(reason: "unrestricted capabilities", detail: details.joined(separator: "; "))
    }

    private static let soundVolumes = [
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
    ]
    /// In the order in which upstream looks for them: a volume counts as the first that it has.
    private static let otherVolumes = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder",
        "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "portworxVolume",
        "scaleIO",
        "storageos",
    ]

    private static func volumes(_ pod: ReviewedPod) -> PodSecurityViolation? {
        var types: Set<String> = []
        var names: [String] = []
        for volume in pod.spec["volumes"]?.array ?? [] {
            if soundVolumes.contains(where: { volume[$0]?.object != nil }) { continue }
            names.append(volume["name"]?.string ?? "")
            types.insert(otherVolumes.first { volume[$0]?.object != nil } ?? "unknown")
        }
        guard !names.isEmpty else { return nil }
        let uses = names.count == 1 ? "uses" : "use"
        let what = ReviewedPod.plural("restricted volume type", types.count)
        let owners = "\(ReviewedPod.plural("volume", names.count)) \(ReviewedPod.quoted(names))"
        return PodSecurityViolation(
            reason: "restricted volume types",
            detail: "\(owners) \(uses) \(what) \(ReviewedPod.quoted(types.sorted()))"
        )
    }

    private static func nonRoot(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let reason = "runAsNonRoot != true"
        let setters = pod.setters(of: "runAsNonRoot") { $0.bool == false }
        if !setters.isEmpty {
            let words = "must not set securityContext.runAsNonRoot=false"
            return PodSecurityViolation(reason: reason, detail: "\(setters.joined(separator: " and ")) \(words)")
        }
        if pod.securityContext?["runAsNonRoot"]?.bool == true { return nil }
        let silent = pod.names { $0.value(at: ["securityContext", "runAsNonRoot"])?.bool == nil }
        guard !silent.isEmpty else { return nil }
        return PodSecurityViolation(
            reason: reason,
            detail: "pod or \(ReviewedPod.containers(silent)) must set securityContext.runAsNonRoot=true"
        )
    }

    private static func rootUser(_ pod: ReviewedPod) -> PodSecurityViolation? {
        let setters = pod.setters(of: "runAsUser") { $0.int == 0 }
        guard !setters.isEmpty else { return nil }
        return PodSecurityViolation(reason: "runAsUser=0", detail: "\(setters.joined(separator: " and ")) must not set runAsUser=0")
    }

    private static func seccomp(_ pod: ReviewedPod) -> PodSecurityViolation? {
        if let violation = seccompFields(pod) { return violation }
        if isSound(seccomp: pod.securityContext?.value(at: ["seccompProfile", "type"])?.string) { return nil }
        let silent = pod.names { $0.value(at: ["securityContext", "seccompProfile"])?.object == nil }
        guard !silent.isEmpty else { return nil }
        let words = "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
        return PodSecurityViolation(reason: "seccompProfile", detail: "pod or \(ReviewedPod.containers(silent)) \(words)")
    }
}
