/// Labels and annotations that the kubelet puts on sandboxes and containers, and finds them by after a restart.
public enum Labels {
    /// The pod's name.
    public static let podName = "io.kubernetes.pod.name"
    /// The pod's namespace.
    public static let podNamespace = "io.kubernetes.pod.namespace"
    /// The pod's uid.
    public static let podUID = "io.kubernetes.pod.uid"
    /// The container's name in the pod's spec.
    public static let containerName = "io.kubernetes.container.name"

    /// Hash of what makes a container another container: its name and image.
    public static let hash = "io.kubernetes.container.hash"
    /// How often the container was restarted before this one.
    public static let restartCount = "io.kubernetes.container.restartCount"
    /// Where the container leaves its last words.
    public static let terminationMessagePath = "io.kubernetes.container.terminationMessagePath"
    /// `File` or `FallbackToLogsOnError`.
    public static let terminationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy"
    /// The pod's grace period, for ending a container whose pod the API server no longer knows.
    public static let gracePeriod = "io.kubernetes.pod.terminationGracePeriod"
    /// Tells a runtime that pretends that the container's work is done as soon as it starts.
    public static let endsAtOnce = "apus.io/ends-at-once"
    /// The host file behind the termination message path.
    public static let terminationMessageHostPath = "apus.io/termination-message-host-path"
}
