import APIModel
import Channels
import Values

/// Gives every pod a service account and mounts that account's token.
public struct ServiceAccountAdmission: Admission {
    private let lookup: any ClusterLookup
    private let random: any RandomSource
    private let clock: any ClusterClock

    /// Where the token appears in every container.
    public static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let defaultAttempts = 10
    private static let retryInterval = Duration.milliseconds(100)
    private static let volumePrefix = "kube-api-access-"
    private static let mirrorAnnotation = "kubernetes.io/config.mirror"
    private static let accounts = GroupResource.core("serviceaccounts")

    /// A plugin that looks accounts up in `lookup`.
    public init(lookup: any ClusterLookup, random: any RandomSource, clock: any ClusterClock = SystemClock()) {
        self.clock = clock
        self.lookup = lookup
        self.random = random
    }

    /// The plugin's name.
    public var name: String { "ServiceAccount" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        switch request.operation {
        case .create: request.writes(core: "pods")
        case .update: request.writes(core: "pods", subresource: "ephemeralcontainers")
        default: false
        }
    }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard request.operation == .create, var pod = request.object else { return }
        if Self.isMirror(pod) { return try await validate(request) }
        let account = try await account(of: pod, request)
        // Nothing below refuses: the tree is changed where it is, and not in a copy.
        request.object = nil
        if (pod.value(at: ["spec", "serviceAccountName"])?.string ?? "").isEmpty {
            pod.set("default", at: ["spec", "serviceAccountName"])
        }
        if pod.value(at: ["spec", "serviceAccount"]) == nil || pod.value(at: ["spec", "serviceAccount"])?.string?.isEmpty == true {
            pod.set(pod.value(at: ["spec", "serviceAccountName"]) ?? "default", at: ["spec", "serviceAccount"])
        }
        if shouldMount(account, pod) { mountToken(&pod) }
        if (pod.value(at: ["spec", "imagePullSecrets"])?.array ?? []).isEmpty,
            let secrets = account["imagePullSecrets"]?.array, !secrets.isEmpty
        {
            pod.set(.array(secrets), at: ["spec", "imagePullSecrets"])
        }
        request.object = pod
    }

    /// Refuses what may not be.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let pod = request.object else { return }
        guard Self.isMirror(pod), request.operation == .create else { return try await checkSecrets(of: pod, request) }
        guard (pod.value(at: ["spec", "serviceAccountName"])?.string ?? "").isEmpty else {
            throw request.forbidden("a mirror pod may not reference service accounts")
        }
        let spec = pod["spec"] ?? [:]
        guard PodReferences.secrets(spec).isEmpty else { throw request.forbidden("a mirror pod may not reference secrets") }
        for volume in spec["volumes"]?.array ?? [] {
            let sources = volume.value(at: ["projected", "sources"])?.array ?? []
            if sources.contains(where: { $0["serviceAccountToken"] != nil }) {
                throw request.forbidden("a mirror pod may not use ServiceAccountToken volume projections")
            }
        }
    }

    /// Holds the pod to the secrets of its account, where the account says so.
    private func checkSecrets(of pod: JSONValue, _ request: AdmissionRequest) async throws(APIError) {
        guard pod.value(at: ["spec", "serviceAccountName"])?.string?.isEmpty == false else {
            let name = pod.value(at: ["metadata", "name"])?.string ?? ""
            throw request.forbidden("no service account specified for pod \(request.namespace)/\(name)")
        }
        guard let limits = MountableSecrets(try await account(of: pod, request)) else { return }
        if request.operation == .create {
            if let problem = limits.problem(of: pod) { throw request.forbidden(problem) }
        } else if let problem = limits.problem(ofContainers: pod.value(at: ["spec", "ephemeralContainers"]), "ephemeral container") {
            // Upstream does not wrap this one.
            throw APIError(code: 500, reason: "", message: problem)
        }
    }

    static func isMirror(_ pod: JSONValue) -> Bool {
        pod.value(at: ["metadata", "annotations", mirrorAnnotation]) != nil
    }

    private func account(of pod: JSONValue, _ request: AdmissionRequest) async throws(APIError) -> JSONValue {
        let given = pod.value(at: ["spec", "serviceAccountName"])?.string ?? ""
        let name = given.isEmpty ? "default" : given
        let namespace = request.namespace
        if name.contains("/") {
            throw request.forbidden(
                "error looking up service account \(namespace)/\(name): invalid resource name \"\(name)\": [may not contain '/']"
            )
        }
        if let known = lookup.object(Self.accounts, namespace: namespace, name: name) { return known }
        // A controller makes the default account of a new namespace; give it a moment.
        let attempts = name == "default" ? Self.defaultAttempts : 1
        for attempt in 0..<attempts {
            if attempt > 0 { try? await clock.sleep(for: Self.retryInterval) }
            if let stored = await lookup.currentObject(Self.accounts, namespace: namespace, name: name) { return stored }
        }
        throw request.forbidden("error looking up service account \(namespace)/\(name): serviceaccount \"\(name)\" not found")
    }

    private func shouldMount(_ account: JSONValue, _ pod: JSONValue) -> Bool {
        pod.value(at: ["spec", "automountServiceAccountToken"])?.bool ?? account["automountServiceAccountToken"]?.bool ?? true
    }

    private func mountToken(_ pod: inout JSONValue) {
        let volumes = pod.value(at: ["spec", "volumes"])?.array ?? []
        let existing = volumes.first { $0["name"]?.string?.hasPrefix(Self.volumePrefix) == true }?["name"]?.string
        let volumeName = existing ?? Self.volumePrefix + random.suffix(5)
        let mount: JSONValue = [
            "name": .string(volumeName), "readOnly": true, "mountPath": .string(Self.mountPath),
        ]
        var isNeeded = false
        for list in ["initContainers", "containers"] {
            guard var containers = pod.value(at: ["spec", list])?.array, !containers.isEmpty else { continue }
            // Held by this function alone, they are changed where they are.
            pod.set(.null, at: ["spec", list])
            for index in containers.indices {
                var mounts = containers[index]["volumeMounts"]?.array ?? []
                if mounts.contains(where: { $0["mountPath"]?.string == Self.mountPath }) { continue }
                mounts.append(mount)
                containers[index]["volumeMounts"] = .array(mounts)
                isNeeded = true
            }
            pod.set(.array(containers), at: ["spec", list])
        }
        guard existing == nil, isNeeded else { return }
        pod.set(.array(volumes + [Self.tokenVolume(named: volumeName)]), at: ["spec", "volumes"])
    }

    /// The projected volume that holds token, CA and namespace.
    static func tokenVolume(named name: String) -> JSONValue {
        ["name": .string(name), "projected": tokenProjection]
    }

    /// The same in every pod, and so made once.
    private static let tokenProjection: JSONValue = {
        let token: JSONValue = [
            "path": "token", "expirationSeconds": .integer(ServiceAccountTokenIssuer.mountedTokenSeconds),
        ]
        let authority: JSONValue = ["name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]]]
        let namespace: JSONValue = [
            "items": [["path": "namespace", "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"]]]
        ]
        let sources: JSONValue = [["serviceAccountToken": token], ["configMap": authority], ["downwardAPI": namespace]]
        return ["defaultMode": 420, "sources": sources]
    }()
}
