import APIModel
import Store
import Synchronization

/// What has to be looked at since the last look. Guarded by its mutex; whoever looks is woken once for all of it.
private final class APIServiceChanges: Sendable {
    struct Work {
        /// An `APIService` has changed, or may have.
        var objects = true
        /// The services whose endpoints or ports have changed; no more than other servers have.
        var places: Set<RemotePlace> = []
        /// A second has passed.
        var isTick = false
    }

    private let state = Mutex(Work())
    private let wake: AsyncStream<Void>.Continuation
    let wakes: AsyncStream<Void>

    init() {
        (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func note(_ change: (inout Work) -> Void) {
        state.withLock { change(&$0) }
        wake.yield()
    }

    func take() -> Work {
        state.withLock { state in
            defer { state = Work(objects: false) }
            return state
        }
    }
}

/// Reacts to changes at once, and looks again from time to time whether other servers still answer.
extension APIServiceObjects {
    private static let services = GroupResource.core("services")
    private static let slices = GroupResource(group: "discovery.k8s.io", resource: "endpointslices")
    private static let serviceLabel = "kubernetes.io/service-name"

    private static let pause = Duration.seconds(1)
    /// After so many seconds a server that answers is asked again.
    private static let calmRounds = 30
    private static let nervousRounds = 3

    /// Follows the objects until cancelled: routes as they say, and checks the servers they name.
    func follow() async {
        let changes = APIServiceChanges()
        await withDiscardingTaskGroup { group in
            group.addTask { await tick(changes) }
            group.addTask { await watchObjects(changes) }
            group.addTask { await watch(Self.services, changes) { RemotePlace(namespace: $0.namespace, service: $0.name) } }
            group.addTask {
                await watch(Self.slices, changes) { slice in
                    slice.index.labels[Self.serviceLabel].map { RemotePlace(namespace: slice.namespace, service: $0) }
                }
            }
            await decide(changes)
        }
    }

    private func tick(_ changes: APIServiceChanges) async {
        while (try? await server.environment.clock.sleep(for: Self.pause)) != nil { changes.note { $0.isTick = true } }
    }

    private func decide(_ changes: APIServiceChanges) async {
        // Held, not only named: what comes after it may lie where it lay.
        var served: ServedResources?
        var checked: [String: RemoteAPI] = [:]
        var round = 0
        for await _ in changes.wakes {
            guard server.health.isStarted, server.resources.engines[Self.resource] != nil else { continue }
            let work = changes.take()
            let now = server.resources
            if served !== now {
                if served != nil { await register() }
                served = now
            }
            if work.objects { load() }
            if server.aggregation.isEmpty { continue }
            let apis = server.aggregation.apis.ordered
            let isNervous = apis.contains { !$0.isAvailable }
            if work.isTick { round += 1 }
            let isRound = work.isTick && round % (isNervous ? Self.nervousRounds : Self.calmRounds) == 0
            let due = apis.filter { isRound || checked[$0.name] != $0.asked || work.places.contains($0.place) }
            checked = Dictionary(apis.map { ($0.name, $0.asked) }) { first, _ in first }
            if !due.isEmpty { await check(due) }
        }
    }

    private func watchObjects(_ changes: APIServiceChanges) async {
        await watch(Self.resource, filter: nil) { _ in changes.note { $0.objects = true } }
    }

    /// Takes note of the services of other servers that `place` finds in the objects that change.
    private func watch(
        _ resource: GroupResource,
        _ changes: APIServiceChanges,
        place: @escaping @Sendable (CachedObject) -> RemotePlace?
    ) async {
        let aggregation = server.aggregation
        // Slices change with every pod; unless another server is concerned nobody is woken.
        let filter: @Sendable (CachedObject) -> Bool = { object in
            !aggregation.isEmpty && place(object).map { aggregation.apis.places.contains($0) } == true
        }
        await watch(resource, filter: filter) { events in
            guard let events else { return changes.note { $0.places = aggregation.apis.places } }
            let found = events.flatMap { [$0.object, $0.previous] }.compactMap { $0.flatMap(place) }
            let known = aggregation.apis.places
            changes.note { $0.places.formUnion(found.filter(known.contains)) }
        }
    }

    /// Watches until cancelled. `noted` is told nil when a watch begins, since something may have been missed before.
    private func watch(
        _ resource: GroupResource,
        filter: (@Sendable (CachedObject) -> Bool)?,
        _ noted: @Sendable ([CacheEvent]?) -> Void
    ) async {
        while !Task.isCancelled {
            if let engine = server.resources.engines[resource], (try? await engine.catchUp()) != nil,
                let watch = try? await engine.cache.resume(from: engine.cache.revision, filter: filter)
            {
                noted(nil)
                while let events = try? await watch.next(), !events.isEmpty { noted(events) }
            }
            // The watch ended or could not start: once more, but not in a hurry.
            guard (try? await server.environment.clock.sleep(for: Self.pause)) != nil else { return }
        }
    }
}
