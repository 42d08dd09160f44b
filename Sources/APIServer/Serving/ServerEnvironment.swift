import APIModel
import Access
import Channels
import Logging
import Store

/// What every part of the server shares. Immutable.
struct ServerEnvironment: Sendable {
    let store: any Store
    let clock: any ClusterClock
    let random: any RandomSource
    let log: Logger
    let metrics: ServerMetrics
    let configuration: APIServerConfiguration
}
