import APIClient
import APIModel
import APITypes
import Channels
import Units

/// Gets one certificate from the cluster's authority through the API: a request, its approval, its signature.
public struct CertificateOrder: Sendable {
    private let client: APIClient
    private let clock: any ClusterClock
    /// How long somebody may take to approve the request.
    private static let patience = Duration.seconds(15 * 60)
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    /// An order placed with `client`.
    public init(client: APIClient, clock: any ClusterClock = SystemClock()) {
        self.client = client
        self.clock = clock
    }

    /// Makes a key and waits for its certificate. Throws an `APIError`, or a `JoinError` when the request is refused.
    public func obtain(_ wanted: CertificateRequest, from signer: ClusterSigner) async throws -> KeyPair {
        let (key, request) = try KeyPair.request(wanted)
        var object = CertificateSigningRequest(name: "")
        object.metadata.generateName = "csr-"
        object.spec.request = Array((request + "\n").utf8)
        object.spec.signerName = signer.rawValue
        object.spec.usages = ["digital signature", wanted.usage == .server ? "server auth" : "client auth"]
        object.spec.expirationSeconds = Int(wanted.lifetime.components.seconds)
        object = try await client.create(object)
        let end = clock.monotonic + Self.patience
        var pause = Self.firstPause
        while true {
            if let refused = object.status.conditions.first(where: { ["Denied", "Failed"].contains($0.type) && $0.status != "False" }) {
                throw JoinError("the request \(object.name) for \(wanted.commonName) was refused: \(refused.message)")
            }
            if !object.status.certificate.isEmpty {
                let pair = KeyPair(certificatePEM: String(decoding: object.status.certificate, as: UTF8.self), keyPEM: key)
                try pair.checkKey(subject: object.name)
                return pair
            }
            guard clock.monotonic < end else {
                throw JoinError("nobody approved the request \(object.name): kubectl certificate approve \(object.name)")
            }
            try await clock.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            object = try await client.get(CertificateSigningRequest.self, name: object.name)
        }
    }
}
