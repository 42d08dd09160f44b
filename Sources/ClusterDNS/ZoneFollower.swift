import APITypes
import ControllerRuntime

/// Keeps a zone in step with Services and EndpointSlices.
public final class ZoneFollower: Sendable {
    private let engine: QueryEngine
    private let services: Informer<Service>
    private let slices: Informer<EndpointSlice>

    /// Follows from now on; somebody else runs the informers.
    public init(_ engine: QueryEngine, informers: SharedInformers) {
        self.engine = engine
        services = informers.informer(Service.self)
        slices = informers.informer(EndpointSlice.self)
        services.addHandlers(
            .init { change in
                let key = change.entry.key
                let records: ServiceRecords?
                if case .deleted = change { records = nil } else { records = ServiceRecords(change.entry.object) }
                engine.update { $0.set(service: records, key: key) }
            }
        )
        slices.addHandlers(
            .init { change in
                let key = change.entry.key
                let records: EndpointRecords?
                if case .deleted = change { records = nil } else { records = EndpointRecords(change.entry.object) }
                engine.update { $0.set(slice: records, key: key) }
            }
        )
    }

    /// Waits until the zone is complete. Throws `CancellationError`.
    public func waitForSync() async throws {
        try await services.waitForSync()
        try await slices.waitForSync()
    }
}
