import APIClient
import Crypto
import HTTPTransport
import Synchronization
import Units

/// What the certificates of a cluster must say.
public struct PKIConfiguration: Sendable {
    /// The directory of the files, such as `/var/lib/apus/pki`.
    public var directory: String
    /// This node's name.
    public var nodeName: String
    /// The address of the service `kubernetes`.
    public var serviceAddress: IPAddress?
    /// This node's addresses.
    public var addresses: [IPAddress]
    /// The cluster's DNS domain.
    public var domain: String
    /// Further names and addresses of the API server.
    public var extraNames: [String]

    /// A configuration.
    public init(
        directory: String,
        nodeName: String,
        serviceAddress: IPAddress? = nil,
        addresses: [IPAddress] = [],
        domain: String = "cluster.local",
        extraNames: [String] = []
    ) {
        self.directory = directory
        self.nodeName = nodeName
        self.serviceAddress = serviceAddress
        self.addresses = addresses
        self.domain = domain
        self.extraNames = extraNames
    }
}

/// How long a certificate lives.
public struct CertificateExpiry: Sendable, Hashable {
    /// The file's name without extension.
    public var name: String
    /// The certificate's file.
    public var path: String
    /// When it ends.
    public var notAfter: Timestamp
    /// Whether it is an authority.
    public var isAuthority: Bool
    /// Whether it is due for renewal.
    public var isDue: Bool
}

/// The authorities, certificates and keys of a cluster on this machine. State guarded by `pairs`.
public final class ClusterPKI: Sendable {
    /// The certificates a cluster has besides its authorities.
    public enum Leaf: String, Sendable, CaseIterable {
        /// The API server's serving certificate.
        case apiServer = "apiserver"
        /// The API server as a client of kubelets.
        case apiServerKubeletClient = "apiserver-kubelet-client"
        /// The API server as a front proxy of aggregated API servers.
        case frontProxyClient = "front-proxy-client"
        /// The administrator, of the group `system:masters`.
        case admin
        /// kube-controller-manager.
        case controllerManager = "controller-manager"
        /// kube-scheduler.
        case scheduler
        /// kube-proxy.
        case kubeProxy = "kube-proxy"
        /// This node's kubelet as a client.
        case kubelet
        /// This node's kubelet as a server.
        case kubeletServing = "kubelet-serving"
    }

    /// What it was made from.
    public let configuration: PKIConfiguration
    /// The cluster's authority: servers and clients.
    public let authority: CertificateAuthority
    /// The front proxy's authority.
    public let frontProxyAuthority: CertificateAuthority
    /// The private key that signs service-account tokens (ECDSA P-256: ES256), PEM.
    public let serviceAccountKeyPEM: String
    /// Its public half, PEM.
    public let serviceAccountPublicKeyPEM: String
    private let directory: PKIDirectory
    private let pairs: Mutex<[Leaf: KeyPair]>

    private static let authorityName = "ca"
    private static let frontProxyName = "front-proxy-ca"
    private static let serviceAccountName = "sa"

    /// Loads what is there and makes what is missing. Throws an error that names the file for one that is there but
    /// unusable; nothing unreadable is ever overwritten.
    public init(_ configuration: PKIConfiguration, now: Timestamp) throws {
        self.configuration = configuration
        directory = PKIDirectory(path: configuration.directory)
        try AtomicFile.makeDirectory(configuration.directory)
        authority = try directory.authority(Self.authorityName, commonName: "kubernetes", now: now)
        frontProxyAuthority = try directory.authority(Self.frontProxyName, commonName: "front-proxy-ca", now: now)
        (serviceAccountKeyPEM, serviceAccountPublicKeyPEM) = try Self.serviceAccountKeys(directory)
        pairs = Mutex([:])
        _ = try renew(now: now)
    }

    /// A certificate with its key.
    public func pair(_ leaf: Leaf) -> KeyPair {
        // every leaf is made in `init`
        pairs.withLock { $0[leaf] } ?? KeyPair(certificatePEM: "", keyPEM: "")
    }

    /// Makes anew what is due, does not fit any more or is missing; returns what was made.
    @discardableResult
    public func renew(now: Timestamp) throws -> [Leaf] {
        var made: [Leaf] = []
        for leaf in Leaf.allCases {
            let signer = leaf == .frontProxyClient ? frontProxyAuthority : authority
            let (pair, isNew) = try directory.leaf(leaf.rawValue, request(leaf), authority: signer, now: now)
            pairs.withLock { $0[leaf] = pair }
            if isNew { made.append(leaf) }
        }
        return made
    }

    /// When each certificate ends, soonest first.
    public func expiries(now: Timestamp) throws -> [CertificateExpiry] {
        let names =
            [(Self.authorityName, true), (Self.frontProxyName, true)] + Leaf.allCases.map { ($0.rawValue, false) }
        return try names.compactMap { name, isAuthority in
            guard let pair = try directory.load(name) else { return nil }
            let path = directory.certificatePath(name)
            let validity = try pair.validity(subject: path)
            return CertificateExpiry(
                name: name,
                path: path,
                notAfter: validity.until,
                isAuthority: isAuthority,
                isDue: PKIDirectory.isDue(validity, now: now)
            )
        }.sorted { $0.notAfter < $1.notAfter }
    }

    // MARK: For the parts

    /// The TLS side of the API server.
    public var apiServerTLS: TLSServer {
        let serving = pair(.apiServer)
        return TLSServer(
            certificateChainPEM: serving.certificatePEM,
            keyPEM: serving.keyPEM,
            clientCAPEM: authority.certificatePEM,
            requestHeaderCAPEM: frontProxyAuthority.certificatePEM
        )
    }

    /// The TLS side of this node's kubelet.
    public var kubeletTLS: TLSServer {
        let serving = pair(.kubeletServing)
        return TLSServer(
            certificateChainPEM: serving.certificatePEM,
            keyPEM: serving.keyPEM,
            clientCAPEM: authority.certificatePEM
        )
    }

    /// The TLS side of a client with one of the client certificates.
    public func client(_ leaf: Leaf) -> TLSClient {
        let pair = pair(leaf)
        return TLSClient(caPEM: authority.certificatePEM, certificateChainPEM: pair.certificatePEM, keyPEM: pair.keyPEM)
    }

    /// A kubeconfig with one context, of that name.
    public func kubeconfig(_ leaf: Leaf, server: String, name: String = "apus") -> Kubeconfig {
        let pair = pair(leaf)
        let user = leaf == .admin ? name : request(leaf).commonName
        return Kubeconfig(
            name: name,
            cluster: Kubeconfig.Cluster(server: server, caPEM: authority.certificatePEM),
            user: Kubeconfig.User(clientCertificatePEM: pair.certificatePEM, clientKeyPEM: pair.keyPEM),
            userName: user
        )
    }

    /// What a certificate must say.
    public func request(_ leaf: Leaf) -> CertificateRequest {
        let node = configuration.nodeName
        return switch leaf {
        case .apiServer: serverRequest
        case .apiServerKubeletClient:
            CertificateRequest(
                commonName: "kube-apiserver-kubelet-client",
                organizations: ["system:masters"],
                usage: .client
            )
        case .frontProxyClient: CertificateRequest(commonName: "front-proxy-client", usage: .client)
        case .admin: CertificateRequest(commonName: "kubernetes-admin", organizations: ["system:masters"], usage: .client)
        case .controllerManager: CertificateRequest(commonName: "system:kube-controller-manager", usage: .client)
        case .scheduler: CertificateRequest(commonName: "system:kube-scheduler", usage: .client)
        case .kubeProxy:
            CertificateRequest(commonName: "system:kube-proxy", organizations: ["system:node-proxier"], usage: .client)
        case .kubelet:
            CertificateRequest(commonName: "system:node:\(node)", organizations: ["system:nodes"], usage: .client)
        case .kubeletServing:
            CertificateRequest(
                commonName: "system:node:\(node)",
                organizations: ["system:nodes"],
                usage: .server,
                dnsNames: [node, "localhost"],
                addresses: Self.unique(Self.loopback + configuration.addresses)
            )
        }
    }

    private static let loopback = [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap { $0 }

    private var serverRequest: CertificateRequest {
        var names = [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.\(configuration.domain)",
            "localhost", configuration.nodeName,
        ]
        var addresses = Self.loopback + configuration.addresses
        if let service = configuration.serviceAddress { addresses.append(service) }
        for extra in configuration.extraNames {
            if let address = IPAddress(extra) { addresses.append(address) } else { names.append(extra) }
        }
        return CertificateRequest(
            commonName: "kube-apiserver",
            usage: .server,
            dnsNames: Self.unique(names),
            addresses: Self.unique(addresses)
        )
    }

    private static func unique<Element: Hashable>(_ list: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return list.filter { seen.insert($0).inserted }
    }

    private static func serviceAccountKeys(_ directory: PKIDirectory) throws -> (String, String) {
        let path = directory.keyPath(serviceAccountName)
        let publicPath = "\(directory.path)/\(serviceAccountName).pub"
        if let pem = try directory.text(path) {
            let key: P256.Signing.PrivateKey
            do {
                key = try P256.Signing.PrivateKey(pemRepresentation: pem)
            } catch {
                throw PKIError(path, "is no valid ECDSA P-256 private key: \(error)")
            }
            let publicPEM = key.publicKey.pemRepresentation
            if try directory.text(publicPath) == nil { try AtomicFile.write(publicPath, Array(publicPEM.utf8)) }
            return (pem, publicPEM)
        }
        let key = P256.Signing.PrivateKey()
        try AtomicFile.write(path, Array(key.pemRepresentation.utf8))
        try AtomicFile.write(publicPath, Array(key.publicKey.pemRepresentation.utf8))
        return (key.pemRepresentation, key.publicKey.pemRepresentation)
    }
}
