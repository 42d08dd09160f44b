/// What one kind of probe last concluded about a container (thresholds already applied).
public enum ProbeOutcome: Sendable, Hashable {
    /// The success threshold was reached.
    case success
    /// The failure threshold was reached.
    case failure
    /// The probe has not concluded yet.
    case unknown
}

/// The three kinds of probe.
public enum ProbeKind: String, Sendable, Hashable, CaseIterable {
    /// Restarts the container when it fails.
    case liveness = "Liveness"
    /// Takes the pod out of its services while it fails.
    case readiness = "Readiness"
    /// Holds the other two back until it succeeds once.
    case startup = "Startup"
}

/// The conclusions about the containers of one pod at one moment, by container id.
public struct ProbeOutcomes: Sendable, Hashable {
    private var outcomes: [ProbeKind: [String: ProbeOutcome]] = [:]

    /// No conclusions.
    public init() {}

    /// The conclusion of a kind of probe about a container, nil when the probe has never run.
    public subscript(kind: ProbeKind, containerID: String) -> ProbeOutcome? {
        get { outcomes[kind]?[containerID] }
        set { outcomes[kind, default: [:]][containerID] = newValue }
    }

    /// Forgets all containers but these.
    public mutating func keepOnly(_ containerIDs: Set<String>) {
        for kind in ProbeKind.allCases {
            outcomes[kind] = outcomes[kind]?.filter { containerIDs.contains($0.key) }
        }
    }
}
