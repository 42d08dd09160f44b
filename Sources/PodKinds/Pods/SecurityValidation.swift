import Schema
import Units
import Values

/// What is wrong with the security contexts of pods and containers.
package enum SecurityValidation {
    private static let highestID: Int64 = 2_147_483_647
    private static let profilePathLimit = 4095
    private static let sysctlNameLimit = 253
    private static let sysctlRegex = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"

    /// The security context of a pod; `old` is the one it replaces, whose values stay accepted.
    package static func pod(
        _ context: JSONValue,
        old: JSONValue? = nil,
        spec: JSONValue,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        if spec.flag("shareProcessNamespace"), spec.flag("hostPID"), context.object?.isEmpty ?? true { shared(path, &issues) }
        if context.object?.isEmpty ?? true { return }
        for field in ["fsGroup", "runAsUser", "runAsGroup"] { identifier(context[field], path.child(field), &issues) }
        for (index, group) in context.list("supplementalGroups").enumerated() {
            identifier(group, path.child("supplementalGroups").index(index), &issues)
        }
        if spec.flag("shareProcessNamespace"), spec.flag("hostPID") { shared(path, &issues) }
        sysctls(context.list("sysctls"), spec: spec, path.child("sysctls"), &issues)
        if let policy = context["fsGroupChangePolicy"]?.string {
            issues.oneOf(policy, ["Always", "OnRootMismatch"], path.child("fsGroupChangePolicy"))
        }
        seccomp(context["seccompProfile"], path.child("seccompProfile"), &issues)
        WindowsOptionsValidation.check(context["windowsOptions"], path.child("windowsOptions"), &issues)
        appArmor(context["appArmorProfile"], path.child("appArmorProfile"), &issues)
        if let policy = context["supplementalGroupsPolicy"]?.string {
            issues.oneOf(policy, ["Merge", "Strict"], path.child("supplementalGroupsPolicy"))
        }
        if let policy = context["seLinuxChangePolicy"]?.string {
            // MountOption is behind a gate that is off; a pod that has a policy already may have any.
            let isKnown = old?["seLinuxChangePolicy"]?.string != nil
            issues.oneOf(policy, isKnown ? ["MountOption", "Recursive"] : ["Recursive"], path.child("seLinuxChangePolicy"))
        }
    }

    /// The security context of a container.
    package static func container(_ context: JSONValue?, hostUsers: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let context, context.object?.isEmpty == false else { return }
        identifier(context["runAsUser"], path.child("runAsUser"), &issues)
        identifier(context["runAsGroup"], path.child("runAsGroup"), &issues)
        if let mount = context["procMount"]?.string {
            issues.oneOf(mount, ["Default", "Unmasked"], path.child("procMount"))
            if hostUsers, mount == "Unmasked" {
                issues.invalid(path.child("procMount"), .string(mount), "`hostUsers` must be false to use `Unmasked`")
            }
        }
        seccomp(context["seccompProfile"], path.child("seccompProfile"), &issues)
        if context["allowPrivilegeEscalation"]?.bool == false {
            if context.flag("privileged") {
                issues.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
            }
            if context["capabilities"]?.texts("add").contains("CAP_SYS_ADMIN") == true {
                issues.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
            }
        }
        WindowsOptionsValidation.check(context["windowsOptions"], path.child("windowsOptions"), &issues)
        appArmor(context["appArmorProfile"], path.child("appArmorProfile"), &issues)
    }

    private static func shared(_ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.invalid(path.child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled")
    }

    private static func identifier(_ value: JSONValue?, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        if let value = value?.int { issues.range(value, 0, highestID, path()) }
    }

    private static func seccomp(_ profile: JSONValue?, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        guard let profile else { return }
        let path = path()
        let type = profile.text("type")
        if type.isEmpty {
            issues.required(path.child("type"), "type is required when seccompProfile is set")
        } else {
            issues.oneOf(type, ["Localhost", "RuntimeDefault", "Unconfined"], path.child("type"))
        }
        let file = profile["localhostProfile"]?.string
        if type == "Localhost" {
            guard let file else { return issues.required(path.child("localhostProfile"), "must be set when seccomp type is Localhost") }
            PathValidation.descending(file, path.child("localhostProfile"), &issues)
        } else if file != nil {
            issues.invalid(
                path.child("localhostProfile"),
                profile,
                as: "core.SeccompProfile",
                "can only be set when seccomp type is Localhost"
            )
        }
    }

    private static func appArmor(_ profile: JSONValue?, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        guard let profile else { return }
        let path = path()
        let type = profile.text("type")
        let place = path.child("localhostProfile")
        let file = profile["localhostProfile"]?.string
        switch type {
        case "Localhost":
            guard let file else { return issues.required(place, "must be set when AppArmor type is Localhost") }
            if file.first?.isWhitespace == true || file.last?.isWhitespace == true {
                issues.invalid(place, .string(file), "must not be padded with whitespace")
            } else if file.isEmpty {
                issues.required(place, "must be set when AppArmor type is Localhost")
            }
            if file.utf8.count > profilePathLimit { issues.append(.tooLong(place, maximum: profilePathLimit)) }
        case "RuntimeDefault", "Unconfined":
            if let file { issues.invalid(place, .string(file), "can only be set when AppArmor type is Localhost") }
        case "": issues.required(path.child("type"), "type is required when appArmorProfile is set")
        default: issues.oneOf(type, ["Localhost", "RuntimeDefault", "Unconfined"], path.child("type"))
        }
    }

    private static func sysctls(_ sysctls: [JSONValue], spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, sysctl) in sysctls.enumerated() {
            let name = sysctl.text("name")
            let place = path.index(index).child("name")
            if name.isEmpty {
                issues.required(place)
            } else if !isSysctlName(name) {
                issues.invalid(place, .string(name), "must have at most \(sysctlNameLimit) characters and match regex \(sysctlRegex)")
            } else if seen.contains(name) {
                issues.append(.duplicate(place, .string(name)))
            }
            seen.insert(name)
            let dotted = String(name.map { $0 == "/" ? "." : $0 })
            if spec.flag("hostNetwork"), dotted.hasPrefix("net.") {
                issues.invalid(place, .string(name), "may not be specified when 'hostNetwork' is true")
            } else if spec.flag("hostIPC"), isOfIPC(dotted) {
                issues.invalid(place, .string(name), "may not be specified when 'hostIPC' is true")
            }
        }
    }

    private static func isOfIPC(_ name: String) -> Bool {
        ["kernel.sem", "kernel.shm_rmid_forced"].contains(name)
            || ["kernel.shm", "kernel.msg", "fs.mqueue."].contains { name.hasPrefix($0) }
    }

    private static func isSysctlName(_ name: String) -> Bool {
        if name.utf8.count > sysctlNameLimit { return false }
        return name.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }.allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            let isWord = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
            return isWord(first) && isWord(last) && part.utf8.allSatisfy { isWord($0) || $0 == 45 || $0 == 95 }
        }
    }
}

/// What is wrong with paths inside volumes.
package enum PathValidation {
    /// A path that stays below where it starts.
    package static func descending(_ text: String, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        if text.utf8.first == UInt8(ascii: "/") { issues.invalid(path(), .string(text), "must be a relative path") }
        noBacksteps(text, path(), &issues)
    }

    /// A path that never goes up.
    package static func noBacksteps(_ text: String, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        if goesUp(text) { issues.invalid(path(), .string(text), "must not contain '..'") }
    }

    /// Whether one of the parts is `..`.
    package static func goesUp(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
    }

    /// A descending path whose first part is not reserved for the kubelet.
    package static func notReserved(_ text: String, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        descending(text, path(), &issues)
        if text.hasPrefix(".."), !text.hasPrefix("../") { issues.invalid(path(), .string(text), "must not start with '..'") }
    }
}
