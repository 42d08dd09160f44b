import APIModel
import Access
import Channels
import CustomResources
import Proxying
import Store
import Synchronization
import Units
import Values

/// Serves custom resources: follows the CustomResourceDefinitions, keeps their status, and puts a new snapshot of resources
/// in place whenever one comes, changes or goes. A kind is served before its status says so.
///
/// One task handles definitions one after another; `state` guards what it has handed out.
final class CustomResourceService: Sendable {
    /// The resource of the definitions.
    static let resource = GroupResource(group: "apiextensions.k8s.io", resource: "customresourcedefinitions")

    private struct State {
        /// The names granted, by definition.
        var granted: [String: (group: String, names: JSONValue)] = [:]
        /// What ends the cache of an engine, by definition.
        var stops: [String: Signal<Bool>] = [:]
        /// The state of each definition that was seen to last, by its name.
        var handled: [String: Revision] = [:]
        /// Definitions whose objects are being deleted, by uid: one made anew is another one.
        var cleaning: Set<String> = []
    }

    private let environment: ServerEnvironment
    private let resources: ServedResourcesBox
    private let dialer: WebhookDialer
    private let state = Mutex(State())
    private let isSynced = Signal(false)
    /// Changes whenever a definition has been seen to.
    private let handlings = Signal(())

    private static let fillLimit = Duration.seconds(30)
    private static let retryDelay = Duration.milliseconds(250)
    private static let stopDelay = Duration.seconds(1)
    private static let watchCapacity = 4096
    /// So long the answer to a change of a definition waits for what it changes.
    private static let settleLimit = Duration.seconds(5)

    init(environment: ServerEnvironment, resources: ServedResourcesBox, dialer: WebhookDialer) {
        self.environment = environment
        self.resources = resources
        self.dialer = dialer
    }

    private var view: ResourceView? { resources.value.storageView(Self.resource) }

    /// Waits until every definition that was there at start is served.
    func waitUntilSynced() async throws {
        guard view != nil else { return }
        try await isSynced.wait { $0 }
    }

    // MARK: Following the definitions

    /// Follows the definitions until cancelled.
    func run() async {
        guard let view else { return }
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do throws(StoreError) {
                    try await follow(view, &group)
                } catch {
                    if error.code == .closed { return }
                    environment.log.warning("custom resources start over", metadata: ["reason": "\(error.message)"])
                }
                try? await environment.clock.sleep(for: Self.retryDelay)
            }
        }
    }

    private func follow(_ view: ResourceView, _ group: inout DiscardingTaskGroup) async throws(StoreError) {
        let cache = view.engine.cache
        try await cache.waitUntil(try await environment.store.currentRevision(), within: Self.fillLimit)
        let (snapshot, watch) = try cache.snapshotAndWatch(capacity: Self.watchCapacity)
        var present: Set<String> = []
        // Granted names first: who has them keeps them, whatever the order.
        for object in snapshot { note(object) }
        for object in snapshot {
            present.insert(object.name)
            await changed(object, view, &group)
            handled(object.name, object.revision)
        }
        let known = state.withLock { Array($0.handled.keys) } + resources.value.custom.keys
        for name in known where !present.contains(name) {
            removed(name)
            handled(name, nil)
        }
        isSynced.set(true)
        while let batch = try await watch.next() {
            for event in batch {
                guard let object = event.object else { continue }
                if event.type == .deleted {
                    removed(object.name)
                    handled(object.name, nil)
                    await reconsider(after: object, view, &group)
                } else {
                    await changed(object, view, &group)
                    handled(object.name, object.revision)
                }
            }
        }
    }

    private func handled(_ name: String, _ revision: Revision?) {
        state.withLock { $0.handled[name] = revision }
        handlings.set(())
    }

    /// Returns once the definitions are served as they are now, or after a moment: who was answered that a definition has
    /// changed does not meet the former one with his next request.
    func settle() async {
        guard isSynced.value, let cache = view?.engine.cache, let newest = try? await environment.store.currentRevision() else { return }
        try? await withDeadline(Self.settleLimit, clock: environment.clock) { [self] in
            try await cache.waitUntil(newest)
            let wanted = cache.snapshot()
            let names = Set(wanted.map(\.name))
            let gone = state.withLock { $0.handled.keys.filter { !names.contains($0) } }
            var version = handlings.current.version
            while !Task.isCancelled, !hasSeen(wanted, gone, until: newest, cache) {
                version = await handlings.next(after: version).version
            }
        }
    }

    /// Whether definitions have been seen to in these states or later ones, and those that are gone have been taken away.
    private func hasSeen(_ wanted: CacheSnapshot, _ gone: [String], until newest: Revision, _ cache: ResourceCache) -> Bool {
        state.withLock { state in
            wanted.allSatisfy { object in
                state.handled[object.name].map { $0 >= object.revision } ?? (cache.get(object.key) == nil)
            } && gone.allSatisfy { name in state.handled[name].map { $0 > newest } ?? true }
        }
    }

    private func note(_ object: CachedObject) {
        guard let definition = try? JSONParser.parse(object.bytes) else { return }
        grant(definition, object.name)
    }

    /// Takes note of the names a definition has; returns whether it gave some up, which others may wait for.
    @discardableResult
    private func grant(_ definition: JSONValue, _ name: String) -> Bool {
        let names = definition.value(at: ["status", "acceptedNames"]) ?? [:]
        let group = definition.value(at: ["spec", "group"])?.string ?? ""
        let former = state.withLock { state in
            defer { state.granted[name] = (group, names) }
            return state.granted[name]?.names
        }
        return former.map { DefinitionNames(granted: [names]).lacks(from: $0) } ?? false
    }

    /// Other definitions of the group may get names that have become free.
    private func reconsider(after object: CachedObject, _ view: ResourceView, _ group: inout DiscardingTaskGroup) async {
        let suffix = object.name.split(separator: ".", maxSplits: 1).last.map { ".\($0)" } ?? ""
        for other in view.engine.cache.snapshot() where other.name.hasSuffix(suffix) && other.name != object.name {
            guard let definition = try? JSONParser.parse(other.bytes) else { continue }
            guard !DefinitionConditions(definition).isTrue("NamesAccepted") else { continue }
            await changed(other, view, &group)
        }
    }

    // MARK: One definition

    private func changed(_ object: CachedObject, _ view: ResourceView, _ group: inout DiscardingTaskGroup) async {
        guard let definition = try? JSONParser.parse(object.bytes) else {
            environment.log.warning("a definition cannot be read", metadata: ["name": "\(object.name)"])
            return
        }
        let own = definition.value(at: ["spec", "group"])?.string ?? ""
        let others = state.withLock { state in
            state.granted.filter { $0.key != object.name && $0.value.group == own }.map(\.value.names)
        }
        let updated = DefinitionStatus.updated(definition, granted: others, now: environment.clock.now.wholeSeconds)
        let isFreeing = grant(updated, object.name)
        let conditions = DefinitionConditions(updated)
        if conditions.isTrue("NamesAccepted") || conditions.isTrue("Established") {
            await serve(updated, object.name, view, &group)
        } else {
            withdraw(object.name)
        }
        if updated["status"] != definition["status"] { await write(updated, object, view, &group) }
        if isFreeing { await reconsider(after: object, view, &group) }
        guard DefinitionStatus.isGoing(definition), let uid = definition.value(at: ["metadata", "uid"])?.string else { return }
        guard state.withLock({ $0.cleaning.insert(uid).inserted }) else { return }
        group.addTask { [self] in
            await CustomResourceCleanup(environment: environment, resources: resources, name: object.name, uid: uid).run()
            _ = state.withLock { $0.cleaning.remove(uid) }
        }
    }

    private func removed(_ name: String) {
        state.withLock { $0.granted[name] = nil }
        withdraw(name)
    }

    private func write(
        _ updated: JSONValue,
        _ object: CachedObject,
        _ view: ResourceView,
        _ group: inout DiscardingTaskGroup
    ) async {
        let status = updated["status"] ?? [:]
        if await isWritten(status, object, view) { return }
        // Nothing else would come back to it: the definition stays as it is until it has its status.
        group.addTask { [self] in
            repeat {
                guard (try? await environment.clock.sleep(for: Self.retryDelay)) != nil else { return }
            } while await !isWritten(status, object, view)
        }
    }

    /// Writes the status, if the definition is still as it was; false when that has to be tried again.
    private func isWritten(_ status: JSONValue, _ object: CachedObject, _ view: ResourceView) async -> Bool {
        let revision = object.revision
        let change = ObjectChange(part: .status) { old throws(APIError) in
            var new = old
            new["status"] = status
            new.set(.string(revision.description), at: ["metadata", "resourceVersion"])
            return new
        }
        do throws(APIError) {
            let context = ServerWrite.context(environment, name: object.name, subresource: "status", view: view, owns: resources.value)
            _ = try await view.engine.update(change, view: view, write: context)
            return true
        } catch {
            // Gone or changed meanwhile: the change is on its way here.
            if error.isNotFound || error.isConflict { return true }
            environment.log.warning(
                "the status of a definition was not written",
                metadata: ["name": "\(object.name)", "problem": "\(error.message)"]
            )
            // What is wrong with the object itself stays wrong.
            return error.code < 500
        }
    }

    // MARK: Serving

    private func serve(
        _ definition: JSONValue,
        _ name: String,
        _ view: ResourceView,
        _ group: inout DiscardingTaskGroup
    ) async {
        let key = view.engine.key(namespace: "", name: name)
        let cache = view.engine.cache
        let kind = CustomKind(definition) { version in
            guard let object = cache.get(key), let definition = try? JSONParser.parse(object.bytes) else { return nil }
            let versions = definition.value(at: ["spec", "versions"])?.array ?? []
            return versions.first { $0["name"]?.string == version }?.value(at: ["schema", "openAPIV3Schema"])
        }
        guard let kind, !resources.value.isBuiltin(kind.descriptor.groupResource) else { return withdraw(name) }
        let known = resources.value.custom[name]
        if let known, known.kind.fingerprint == kind.fingerprint {
            guard known.kind.isEstablished != kind.isEstablished || known.kind.isTerminating != kind.isTerminating else { return }
            var same = known.kind
            same.isEstablished = kind.isEstablished
            same.isTerminating = kind.isTerminating
            publish(ServedResources.Custom(kind: same, engine: known.engine, remote: known.remote), name)
            return
        }
        let engine = ResourceEngine(kind.descriptor, environment: environment)
        let stop = Signal(false)
        group.addTask { [clock = environment.clock] in await Self.keep(engine.cache, until: stop, clock) }
        do throws(StoreError) {
            try await engine.cache.waitUntil(try await environment.store.currentRevision(), within: Self.fillLimit)
        } catch {
            environment.log.warning("a custom resource has no cache yet", metadata: ["name": "\(name)", "reason": "\(error.message)"])
        }
        let random = environment.random
        let remote = kind.webhook.map { WebhookConversion(webhook: $0, dialer: dialer, uid: { random.uuid() }) }
        publish(ServedResources.Custom(kind: kind, engine: engine, remote: remote), name)
        let former = state.withLock { state in
            defer { state.stops[name] = stop }
            return state.stops[name]
        }
        former?.set(true)
    }

    private func publish(_ custom: ServedResources.Custom, _ name: String) {
        resources.update { current in
            var all = current.custom
            all[name] = custom
            return current.with(custom: all)
        }
    }

    private func withdraw(_ name: String) {
        guard resources.value.custom[name] != nil else { return }
        resources.update { current in
            var all = current.custom
            all[name] = nil
            return current.with(custom: all)
        }
        state.withLock { $0.stops.removeValue(forKey: name) }?.set(true)
    }

    /// Runs a cache until it is no longer needed; its watches end then.
    private static func keep(_ cache: ResourceCache, until stop: Signal<Bool>, _ clock: any ClusterClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await cache.run() }
            group.addTask {
                _ = try? await stop.wait { $0 }
                // Requests that began before the change are answered.
                try? await clock.sleep(for: stopDelay)
            }
            await group.next()
            group.cancelAll()
        }
    }
}

/// The snapshot of resources in use. Guarded by its mutex.
final class ServedResourcesBox: Sendable {
    private let held: Mutex<ServedResources>

    init(_ resources: ServedResources) { held = Mutex(resources) }

    /// The newest snapshot.
    var value: ServedResources { held.withLock { $0 } }

    /// Puts another snapshot in place.
    func update(_ change: (ServedResources) -> ServedResources) { held.withLock { $0 = change($0) } }
}

/// The server's own writes.
enum ServerWrite {
    /// What the server writes with. Given the resources, it is noted as the owner of the fields.
    static func context(
        _ environment: ServerEnvironment,
        namespace: String = "",
        name: String,
        subresource: String = "",
        view: ResourceView,
        owns resources: ServedResources? = nil
    ) -> WriteContext {
        var write = WriteContext(
            user: UserIdentity(name: "system:apiserver", groups: [UserIdentity.mastersGroup]),
            now: environment.clock.now.wholeSeconds,
            namespace: namespace,
            name: name,
            subresource: subresource,
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: view.version.name
        )
        write.fieldManager = "kube-apiserver"
        write.owned = resources.map { OwnedWrite.of(view, in: $0, subresource: subresource, now: write.now) }
        return write
    }
}
