import Proxying
import Units

/// The server's settings. Every limit has upstream's default.
public struct APIServerConfiguration: Sendable {
    /// Of what range services get their addresses.
    public var serviceCIDR: CIDR
    /// Of what range node ports are.
    public var nodePorts: ClosedRange<Int>
    /// The addresses the `kubernetes` service leads to; empty keeps its endpoints as they are.
    public var advertiseAddress: String
    /// The port the `kubernetes` service leads to.
    public var advertisePort: Int
    /// `gitVersion` of `/version`.
    public var gitVersion: String
    /// The commit this binary was built from.
    public var gitCommit: String
    /// When the binary was built, RFC 3339.
    public var buildDate: String
    /// The largest request body.
    public var maxBodyBytes = 3 << 20
    /// Reads served at the same time; more get 429.
    public var maxInFlight = 400
    /// Writes served at the same time; more get 429.
    public var maxMutatingInFlight = 200
    /// How long a request may take that is neither a watch nor a stream.
    public var requestTimeout = Duration.seconds(60)
    /// A watch without `timeoutSeconds` lasts between this and twice this.
    public var minWatchSeconds = 1800
    /// How often a watcher that understands bookmarks gets one.
    public var bookmarkInterval = Duration.seconds(60)
    /// How many events a watcher may be behind before it is closed.
    public var watchCapacity = 4096
    /// How long the store remembers what was: continued lists and watches may reach back so far.
    public var historyAge = Duration.seconds(300)
    /// How long events live after they were last written.
    public var eventAge = Duration.seconds(3600)
    /// The `iss` of service-account tokens.
    public var serviceAccountIssuer = "https://kubernetes.default.svc.cluster.local"
    /// What makes this server a front proxy of others; nil reaches them without a certificate.
    public var frontProxy: FrontProxy?
    /// How many history events each cache keeps.
    public var cacheHistory = 4096

    /// Settings with upstream's defaults.
    public init(
        serviceCIDR: CIDR,
        nodePorts: ClosedRange<Int> = 30000...32767,
        advertiseAddress: String = "",
        advertisePort: Int = 6443,
        gitVersion: String = "v1.36.2+apus",
        gitCommit: String = "",
        buildDate: String = ""
    ) {
        self.serviceCIDR = serviceCIDR
        self.nodePorts = nodePorts
        self.advertiseAddress = advertiseAddress
        self.advertisePort = advertisePort
        self.gitVersion = gitVersion
        self.gitCommit = gitCommit
        self.buildDate = buildDate
    }
}
