import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Approves, signs and clears away certificate signing requests: the part of the control plane that lets nodes in.
///
/// Decisions are `SigningPlan`'s; this does what they say.
public final class CertificateSigning: Controller, Reconciler {
    /// The controller's name.
    public let name = "certificatesigningrequest-signing-controller"
    /// The longest certificate that is signed: a year, as upstream.
    public static let longestLifetime = Duration.seconds(365 * 24 * 3600)
    private static let shortestLifetime = Duration.seconds(600)
    /// How soon a node is looked for again that is not known yet, and how soon after the first minute.
    private static let soon = Duration.seconds(1)
    private static let later = Duration.seconds(30)
    private static let patience = Duration.seconds(60)

    private let authority: CertificateAuthority
    private let client: APIClient
    private let requests: Informer<CertificateSigningRequest>
    private let nodes: Informer<Node>
    private let services: [CIDR]
    private let clock: any ClusterClock
    private let log: Logger
    private let queue: WorkQueue<String>

    private static let reviews = GroupVersionResource(group: "authorization.k8s.io", version: "v1", resource: "subjectaccessreviews")

    /// A controller that signs with `authority`. `services` are addresses that no node may have. Somebody else runs the
    /// informers.
    public init(
        authority: CertificateAuthority,
        client: APIClient,
        informers: SharedInformers,
        services: [CIDR],
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "certificates")
    ) {
        self.authority = authority
        self.client = client
        self.services = services
        self.clock = clock
        self.log = log
        requests = informers.informer(CertificateSigningRequest.self)
        nodes = informers.informer(Node.self)
        queue = WorkQueue(name: "certificate", clock: clock)
        requests.addHandlers(queueing: queue)
    }

    /// Runs until the task is cancelled.
    public func run() async {
        let (requests, nodes) = (requests, nodes)
        await ReconcileRunner(name: name, queue: queue, workers: 1, reconciler: self, log: log) {
            try await requests.waitForSync()
            try await nodes.waitForSync()
        }.run()
    }

    /// Looks at one request.
    public func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let object = requests.get(key: key) else { return .done }
        let now = clock.now
        let end = SigningPlan.expiry(object)
        if let end, end <= now {
            do {
                try await client.delete(CertificateSigningRequest.resource, name: object.name)
            } catch let error as APIError where error.isNotFound {}
            return .done
        }
        switch SigningPlan.decide(object, nodes: nodes.list(), services: services) {
        case .none: break
        case .later:
            let age = object.metadata.creationTimestamp.map { now - $0 } ?? .zero
            return .requeue(after: age < Self.patience ? Self.soon : Self.later)
        case .approveIfAllowed(let subresource, let message):
            if try await isAllowed(object, subresource) { try await approve(object, message) }
        case .approve(let message): try await approve(object, message)
        case .sign: try await sign(object)
        case .fail(let message): try await fail(object, message)
        }
        return end.map { .requeue(after: $0 - now) } ?? .done
    }

    private func isAllowed(_ object: CertificateSigningRequest, _ subresource: String) async throws -> Bool {
        var extra: JSONObject = [:]
        for (key, values) in object.spec.extra { extra[key] = .array(values.map { .string($0) }) }
        let review: JSONValue = [
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": [
                "user": .string(object.spec.username), "uid": .string(object.spec.uid),
                "groups": .array(object.spec.groups.map { .string($0) }), "extra": .object(extra),
                "resourceAttributes": [
                    "group": "certificates.k8s.io", "resource": "certificatesigningrequests", "verb": "create",
                    "subresource": .string(subresource), "version": "*",
                ],
            ],
        ]
        return try await client.create(Self.reviews, review).value(at: ["status", "allowed"])?.bool == true
    }

    private func approve(_ object: CertificateSigningRequest, _ message: String) async throws {
        var approved = object
        approved.status.conditions.append(condition("Approved", "AutoApproved", message))
        _ = try await client.update(
            CertificateSigningRequest.resource,
            name: object.name,
            subresource: "approval",
            approved.json
        )
        log.info("certificate request approved", metadata: ["request": "\(object.name)", "user": "\(object.spec.username)"])
    }

    private func fail(_ object: CertificateSigningRequest, _ message: String) async throws {
        var failed = object
        failed.status.conditions.append(condition("Failed", "SignerValidationFailure", message))
        _ = try await client.updateStatus(failed)
    }

    private func sign(_ object: CertificateSigningRequest) async throws {
        let request = try SigningRequest(pem: object.spec.request)
        let asked = object.spec.expirationSeconds.map { Duration.seconds($0) } ?? Self.longestLifetime
        let pem = try authority.sign(
            request,
            usages: object.spec.usages,
            lifetime: min(max(asked, Self.shortestLifetime), Self.longestLifetime),
            now: clock.now
        )
        var signed = object
        signed.status.certificate = Array((pem + "\n").utf8)
        _ = try await client.updateStatus(signed)
        log.info(
            "certificate signed",
            metadata: ["request": "\(object.name)", "subject": "\(request.commonName)", "signer": "\(object.spec.signerName)"]
        )
    }

    private func condition(_ type: String, _ reason: String, _ message: String) -> CertificateSigningRequestCondition {
        CertificateSigningRequestCondition {
            $0.type = type
            $0.status = "True"
            $0.reason = reason
            $0.message = message
        }
    }
}
