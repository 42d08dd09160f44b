import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

/// A new pod's annotations and fields about profiles say the same.
@Suite struct ProfileAgreementTests {
    private static let appArmor = "container.apparmor.security.beta.kubernetes.io/c"
    private static let seccompPod = "seccomp.security.alpha.kubernetes.io/pod"
    private static let seccompContainer = "container.seccomp.security.alpha.kubernetes.io/c"

    private static func pod(_ annotation: String, _ value: String, _ field: String, _ profile: JSONValue?, ofPod: Bool) throws -> JSONValue
    {
        var pod = try yaml(
            """
            {metadata: {name: p}, spec: {restartPolicy: Always, dnsPolicy: ClusterFirst, terminationGracePeriodSeconds: 30,
            schedulerName: s, serviceAccountName: default, securityContext: {}, containers: [{name: c, image: i,
            terminationMessagePolicy: File, imagePullPolicy: Always, securityContext: {}}]}}
            """
        )
        pod.set(.string(value), at: ["metadata", "annotations", annotation])
        let container = ["spec", "containers", "0", "securityContext", field]
        return with(pod, (ofPod ? ["spec", "securityContext", field] : container).joined(separator: "."), profile)
    }

    /// The profile, the annotation that says the same, and one that says another thing.
    private static let profiles: [(profile: JSONValue, same: [String], others: [String])] = [
        (["type": "Unconfined"], ["unconfined"], ["runtime/default", "localhost/a"]),
        (["type": "RuntimeDefault"], ["runtime/default"], ["unconfined", "localhost/a"]),
        (["type": "Localhost", "localhostProfile": "a"], ["localhost/a"], ["unconfined", "runtime/default"]),
    ]

    private static func told(_ pod: JSONValue) throws -> [String] {
        try Subject("pods").problems(pod).filter { $0.contains("must match") }
    }

    @Test(arguments: [
        (appArmor, "appArmorProfile", "apparmor", false),
        (seccompContainer, "seccompProfile", "seccomp", false), (seccompPod, "seccompProfile", "seccomp", true),
    ])
    func `an annotation and a field`(annotation: String, field: String, word: String, ofPod: Bool) throws {
        let owner = ofPod ? "spec" : "spec.containers[0]"
        let place = "\(owner).securityContext.\(field)"
        for (profile, same, others) in Self.profiles {
            for value in same {
                let pod = try Self.pod(annotation, value, field, profile, ofPod: ofPod)
                let issues = try Self.told(pod)
                #expect(issues == [], "\(value) \(profile)")
            }
            for value in others {
                let pod = try Self.pod(annotation, value, field, profile, ofPod: ofPod)
                let issues = try Self.told(pod)
                #expect(issues == ["\(place).type: Forbidden: \(word) type in annotation and field must match"], "\(value) \(profile)")
                let updated = try Subject("pods").problems(pod, from: pod).filter { $0.contains("must match") }
                #expect(updated == [])
            }
        }
        let pod = try Self.pod(annotation, "localhost/b", field, Self.profiles[2].profile, ofPod: ofPod)
        let issues = try Self.told(pod)
        #expect(issues == ["\(place).localhostProfile: Forbidden: \(word) profile in annotation and field must match"])
        let alone = try Self.pod(annotation, "unconfined", field, nil, ofPod: ofPod)
        let none = try Self.told(alone)
        #expect(none == [])
    }

    @Test func `a container's profile counts before the pod's, and the old name of the default counts too`() throws {
        var pod = try Self.pod(Self.appArmor, "unconfined", "appArmorProfile", ["type": "RuntimeDefault"], ofPod: true)
        pod = with(pod, "spec.containers.0.securityContext.appArmorProfile", ["type": "Unconfined"])
        let issues = try Self.told(pod)
        #expect(issues == [])
        let windows = with(with(pod, "spec.os", ["name": "windows"]), "metadata.annotations", [Self.appArmor: "runtime/default"])
        let unchecked = try Self.told(windows)
        #expect(unchecked == [])
        // A container without one gets what its annotation says, whatever the pod has.
        let taken = try Self.pod(Self.appArmor, "unconfined", "appArmorProfile", ["type": "RuntimeDefault"], ofPod: true)
        let agreed = try Self.told(taken)
        #expect(agreed == [])
        let docker = try Self.pod(Self.seccompPod, "docker/default", "seccompProfile", ["type": "RuntimeDefault"], ofPod: true)
        let old = try Self.told(docker)
        #expect(old == [])
    }

    @Test func `a template is warned of an annotation that its field does not say`() throws {
        let deployment = try yaml(
            """
            {metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
            spec: {containers: [{name: c, image: i}], securityContext: {appArmorProfile: {type: RuntimeDefault}}}}}}
            """
        )
        let words =
            "spec.template.metadata.annotations[\(Self.appArmor)]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
        let subject = try Subject("deployments.apps")
        for (value, expected) in [("runtime/default", []), ("unconfined", [words])] {
            var annotated = deployment
            annotated.set(.string(value), at: ["spec", "template", "metadata", "annotations", Self.appArmor])
            #expect(subject.warnings(annotated) == expected, "\(value)")
            let bare = with(annotated, "spec.template.spec.securityContext", nil)
            #expect(subject.warnings(bare) == [words])
            let own = with(annotated, "spec.template.spec.containers.0.securityContext", ["appArmorProfile": ["type": "Unconfined"]])
            #expect(subject.warnings(own) == [])
        }
    }

    private static let qualities: [(resources: JSONValue, quality: String)] = [
        ([:], "BestEffort"), (["requests": ["cpu": "1"]], "Burstable"),
        (["requests": ["cpu": "1", "memory": "1Gi"], "limits": ["cpu": "1", "memory": "1Gi"]], "Guaranteed"),
    ]

    @Test(arguments: qualities)
    func `what a whole pod asks for decides its quality, also when it is nothing`(resources: JSONValue, quality: String) {
        let spec: JSONValue = ["resources": resources, "containers": [["name": "c", "resources": ["requests": ["cpu": "2"]]]]]
        #expect(QualityOfService.of(spec) == quality)
        #expect(QualityOfService.of(with(spec, "resources", nil)) == "Burstable")
    }
}
