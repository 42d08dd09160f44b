import Testing
import Units
import Values

@testable import BuiltinKinds

/// Requests for certificates, trust bundles, certificates of pods.
@Suite struct CertificateTests {
    private static func request(_ conditions: JSONValue = [], certificate: JSONValue? = nil) -> JSONValue {
        var object: JSONValue = [
            "metadata": ["name": "c"],
            "spec": ["request": .string(TestCertificates.request), "signerName": "a.b/c", "usages": ["client auth"]],
            "status": ["conditions": conditions],
        ]
        if let certificate { object.set(certificate, at: ["status", "certificate"]) }
        return object
    }

    private static func condition(_ type: String, _ status: String = "True", reason: String = "R") -> JSONValue {
        ["type": .string(type), "status": .string(status), "reason": .string(reason)]
    }

    @Test func `the request itself has to be one`() throws {
        let subject = try Subject("certificatesigningrequests.certificates.k8s.io")
        #expect(subject.problems(Self.request()) == [])
        let bad = subject.problems(with(Self.request(), "spec.request", "YWJj"))
        #expect(bad == ["spec.request: Invalid value: \"YWJj\": PEM block type must be CERTIFICATE REQUEST"])
        let legacy = subject.problems(with(Self.request(), "spec.signerName", "kubernetes.io/legacy-unknown"))
        #expect(legacy.count == 1 && legacy[0].hasSuffix("the legacy signerName is not allowed via this API version"))
    }

    @Test func `approval is the approver's, the certificate the signer's`() throws {
        let subject = try Subject("certificatesigningrequests.certificates.k8s.io")
        let hooks = subject.descriptor.hooks
        let old = Self.request()
        let approved = Self.request([Self.condition("Approved")])
        #expect(subject.problems(approved, from: old, "approval") == [])
        #expect(
            subject.statusProblems(approved, from: old) == [
                "status.conditions: Forbidden: updates may not add a condition of type \"Approved\""
            ]
        )
        #expect(
            subject.problems(old, from: approved, "approval") == [
                "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\""
            ]
        )
        let both = Self.request([Self.condition("Approved"), Self.condition("Denied")])
        #expect(
            subject.problems(both, from: old, "approval") == [
                "status.conditions: Invalid value: \"Denied\": Approved and Denied conditions are mutually exclusive"
            ]
        )
        let no = Self.request([Self.condition("Denied", "False")])
        #expect(
            subject.problems(no, from: old, "approval") == [
                "status.conditions[0].status: Unsupported value: \"False\": supported values: \"True\""
            ]
        )
        let certificate = JSONValue.string(Base64.encode(Array(TestCertificates.authority.utf8)))
        #expect(subject.statusProblems(Self.request(certificate: certificate), from: old) == [])
        #expect(
            subject.statusProblems(Self.request(certificate: "YWJj"), from: old) == [
                "status.certificate: Invalid value: \"<certificate data>\": must contain at least one CERTIFICATE PEM block"
            ]
        )
        #expect(
            subject.statusProblems(old, from: Self.request(certificate: certificate)) == [
                "status.certificate: Forbidden: updates may not modify existing certificate content"
            ]
        )
        // An approval changes the conditions alone, and gets its times.
        var written = with(with(approved, "spec.signerName", "x.y/z"), "status.certificate", certificate)
        hooks.prepareForUpdate(&written, old: old, subject.context("approval"))
        #expect(written["spec"] == old["spec"] && written.value(at: ["status", "certificate"]) == nil)
        #expect(written.value(at: ["status", "conditions", "0", "lastUpdateTime"]) == .string(Subject.now.rfc3339))
        // An update of the object changes neither.
        var updated = written
        hooks.prepareForUpdate(&updated, old: old, subject.context())
        #expect(updated["status"] == old["status"])
    }

    @Test func `a trust bundle is named after its signer and holds authorities`() throws {
        let subject = try Subject("clustertrustbundles.certificates.k8s.io")
        let bundle = { (name: String, signer: String, text: String) -> JSONValue in
            ["metadata": ["name": .string(name)], "spec": ["signerName": .string(signer), "trustBundle": .string(text)]]
        }
        let anchor = TestCertificates.authority
        #expect(subject.problems(bundle("a.b:c:d", "a.b/c", anchor)) == [])
        #expect(subject.problems(bundle("d", "", anchor)) == [])
        #expect(
            subject.problems(bundle("d", "a.b/c", anchor)) == [
                "metadata.name: Invalid value: \"d\": ClusterTrustBundle for signerName a.b/c must be named with prefix a.b:c:"
            ]
        )
        let start = "spec.trustBundle: Invalid value: \"<value omitted>\": "
        #expect(subject.problems(bundle("d", "", "")) == ["\(start)at least one trust anchor must be provided"])
        #expect(subject.problems(bundle("d", "", anchor + anchor)) == ["\(start)duplicate trust anchor (indices [0 1])"])
        let garbage = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
        #expect(subject.problems(bundle("d", "", garbage)) == ["\(start)entry 0 does not parse as X.509"])
        let key = "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n"
        #expect(subject.problems(bundle("d", "", key)) == ["\(start)entry 0 has bad block type: PRIVATE KEY"])
        #expect(subject.problems(bundle("d", "", garbage), from: bundle("d", "", garbage)) == [])
    }

    private static let pod: JSONValue = [
        "metadata": ["name": "r"],
        "spec": [
            "signerName": "a.b/c", "podName": "p", "podUID": "u1", "serviceAccountName": "s", "serviceAccountUID": "u2", "nodeName": "node",
            "nodeUID": "u3", "maxExpirationSeconds": 7200, "stubPKCS10Request": .string(TestCertificates.plainRequest),
        ],
    ]

    static let pods = [
        Broken("spec.podUID", "", "spec.podUID: Invalid value: \"\": must not be empty"),
        Broken("spec.maxExpirationSeconds", nil, "spec.maxExpirationSeconds: Required value: must be set"),
        Broken("spec.maxExpirationSeconds", 60, "spec.maxExpirationSeconds: Invalid value: 60: must be in the range [3600, 7862400]"),
        Broken("spec.stubPKCS10Request", "YWJj", "spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR"),
        Broken(
            "spec.stubPKCS10Request",
            nil,
            "spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set"
        ),
        Broken(
            "spec.unverifiedUserAnnotations",
            ["a": "b"],
            "spec.unverifiedUserAnnotations: Invalid value: \"a\": must be a domain-prefixed key (such as \"acme.io/foo\")"
        ),
    ]

    @Test(arguments: pods) func `a broken request of a pod`(_ broken: Broken) throws {
        let subject = try Subject("podcertificaterequests.certificates.k8s.io")
        #expect(subject.problems(Self.pod) == [])
        let found = subject.problems(with(Self.pod, broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `a key proves that it is the pod's`() throws {
        let subject = try Subject("podcertificaterequests.certificates.k8s.io")
        var object = with(Self.pod, "spec.stubPKCS10Request", nil)
        object.set(.string(TestCertificates.key), at: ["spec", "pkixPublicKey"])
        object.set(.string(TestCertificates.signature), at: ["spec", "proofOfPossession"])
        #expect(subject.problems(object) == [])
        #expect(
            subject.problems(with(object, "spec.podUID", "u9")) == [
                "spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature"
            ]
        )
    }

    @Test func `a pod's request is answered once`() throws {
        let subject = try Subject("podcertificaterequests.certificates.k8s.io")
        let answer = { (type: String) -> JSONValue in
            let condition: JSONValue = [
                "type": .string(type), "status": "True", "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z",
            ]
            return with(Self.pod, "status", ["conditions": [condition]])
        }
        #expect(subject.statusProblems(answer("Denied"), from: Self.pod) == [])
        let again = subject.statusProblems(answer("Failed"), from: answer("Denied"))
        #expect(again.count == 1 && again[0].hasSuffix("immutable after PodCertificateRequest is issued, denied, or failed"))
        let extra = with(answer("Denied"), "status.certificateChain", "x")
        #expect(subject.statusProblems(extra, from: Self.pod).first?.contains("non-condition status fields must be empty") == true)
        #expect(
            subject.statusProblems(answer("Issued"), from: Self.pod) == [
                "status.certificateChain: Invalid value: \"\": issued certificate chain must contain at least one certificate"
            ]
        )
        let other = with(answer("Issued"), "status.certificateChain", .string(TestCertificates.authority))
        #expect(subject.statusProblems(other, from: Self.pod).first?.hasSuffix("was not issued to the requested public key") == true)
        let unknown = subject.statusProblems(answer("Maybe"), from: Self.pod)
        #expect(
            unknown.first
                == "status.conditions.[0].type: Unsupported value: \"Maybe\": supported values: \"Issued\", \"Denied\", \"Failed\""
        )
    }
}
