import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Units
import Values

/// Deletes what nobody owns any more, in the background or foreground, and releases what is orphaned.
/// One watch per kind feeds `OwnerGraph`; nothing is deleted before live reads have confirmed it.
/// `state` is guarded by its lock; work happens in the two queues' workers.
final class GarbageCollector: Controller, Subscriber {
    /// How often new kinds are looked for.
    static let discoveryPeriod: Duration = .seconds(30)
    /// Kinds that own nothing and are owned by nothing, and change all the time.
    static let ignored: Set<GroupResource> = [
        GroupResource(group: "", resource: "events"), GroupResource(group: "events.k8s.io", resource: "events"),
    ]

    /// After so many failures in a row a kind is no longer waited for.
    static let patience = 6

    struct State {
        var graph = OwnerGraph()
        /// Every kind ever watched; indices are stable.
        var resources: [DiscoveredResource] = []
        /// Those watched now, and whether they have been listed once.
        var watched: [Int: Bool] = [:]
    }

    let name = "garbage-collector-controller"
    let context: ControllerContext
    let state = Mutex(State())
    let deletions: WorkQueue<ObjectUID>
    let orphanings: WorkQueue<ObjectUID>
    let absent = AbsentOwners()
    let events: EventSink
    let logger: Logger
    private let ready = Signal(false)

    init(_ context: ControllerContext) {
        self.context = context
        deletions = WorkQueue(name: "garbage_collector_attempt_to_delete", clock: context.clock)
        orphanings = WorkQueue(name: "garbage_collector_attempt_to_orphan", clock: context.clock)
        events = context.events("garbage-collector-controller")
        logger = context.logger
    }

    /// Nothing to subscribe to: it watches for itself.
    func start() {}

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.work(self.deletions) { try await self.attemptDelete($0) } }
            for _ in 1..<max(2, context.configuration.garbageWorkers) {
                group.addTask { await self.work(self.deletions) { try await self.attemptDelete($0) } }
                group.addTask { await self.work(self.orphanings) { try await self.attemptOrphan($0) } }
            }
            while !Task.isCancelled {
                for index in await newKinds() {
                    group.addTask { await self.monitor(index) }
                }
                do { try await context.clock.sleep(for: Self.discoveryPeriod) } catch { break }
            }
        }
    }

    /// Workers start once every known kind has been read: an owner not yet seen is not an owner that is gone, and a
    /// dependent not yet seen must be released too.
    private func work(_ queue: WorkQueue<ObjectUID>, _ attempt: (ObjectUID) async throws -> Bool) async {
        await waitUntilReady()
        while let id = await queue.get() {
            do {
                if try await attempt(id) {
                    queue.forget(id)
                } else {
                    queue.addRateLimited(id)
                }
            } catch {
                if !Task.isCancelled {
                    logger.info("will retry", metadata: ["controller": "\(name)", "error": "\(error)"])
                    queue.addRateLimited(id)
                }
            }
            queue.done(id)
        }
    }

    private func waitUntilReady() async {
        // Cancellation ends the wait, and with it the worker.
        _ = try? await ready.wait { $0 }
    }

    private func newKinds() async -> [Int] {
        do {
            let discovery = try await context.client.discover()
            let wanted = discovery.deletable.filter { found in
                found.verbs.isSuperset(of: ["list", "watch"])
                    && !Self.ignored.contains(GroupResource(group: found.resource.group, resource: found.resource.resource))
            }
            return state.withLock { state in
                var started: [Int] = []
                for found in wanted {
                    let index = state.resources.firstIndex { $0.resource == found.resource } ?? state.resources.count
                    if index == state.resources.count { state.resources.append(found) }
                    guard state.watched[index] == nil else { continue }
                    state.watched[index] = false
                    started.append(index)
                }
                return started
            }
        } catch {
            logger.warning("discovery failed", metadata: ["controller": "\(name)", "error": "\(error)"])
            return []
        }
    }

    // MARK: Watching

    /// Follows one kind until it is no longer served or the task is cancelled.
    private func monitor(_ index: Int) async {
        let resource = state.withLock { $0.resources[index] }
        var failures = 0
        let backoff = RetryBackoff(base: .milliseconds(100), limit: .seconds(30))
        while !Task.isCancelled {
            do {
                let revision = try await list(resource, index)
                markListed(index)
                failures = 0
                try await follow(resource, index, from: revision)
            } catch let error as APIError where error.isNotFound || error.code == 405 {
                return forget(index)
            } catch {
                failures += 1
                if Task.isCancelled { return }
                // One kind that cannot be read must not keep all others from being collected.
                if failures == Self.patience || (error as? APIError)?.isForbidden == true { markListed(index) }
                logger.info(
                    "cannot follow",
                    metadata: ["controller": "\(name)", "resource": "\(resource.resource)", "error": "\(error)"]
                )
            }
            if Task.isCancelled { return }
            do { try await context.clock.sleep(for: backoff.delay(failures: failures)) } catch { return }
        }
    }

    private func list(_ found: DiscoveredResource, _ index: Int) async throws -> String {
        var seen: Set<ObjectUID> = []
        var options = ListOptions(limit: 500)
        var revision = ""
        repeat {
            let page = try await context.client.listMetadata(found.resource, options: options)
            for item in page.items {
                guard let facts = item["metadata"].flatMap(ObjectFacts.init(metadata:)) else { continue }
                seen.insert(facts.id)
                observed(facts, found, index)
            }
            revision = page.resourceVersion
            options.continue = page.continue
        } while !options.continue.isEmpty
        let gone = state.withLock { state in
            state.graph.nodes.filter { $0.value.resource == index && !seen.contains($0.key) }.map(\.key)
        }
        for id in gone { enqueue(state.withLock { $0.graph.deleted(id) }) }
        return revision
    }

    private func follow(_ found: DiscoveredResource, _ index: Int, from revision: String) async throws {
        if context.source.sharesBuffers, try await followCache(found, index, from: revision) { return }
        var revision = revision
        while !Task.isCancelled {
            let began = context.clock.monotonic
            let options = ListOptions(resourceVersion: revision, allowWatchBookmarks: true)
            for try await event in try await context.client.watchMetadata(found.resource, options: options) {
                guard let bytes = TopLevelField.find("metadata", in: event.object), let metadata = try? JSONParser.parse(bytes)
                else { continue }
                if let seen = metadata["resourceVersion"]?.string { revision = seen }
                guard let facts = ObjectFacts(metadata: metadata) else { continue }
                switch event.type {
                case .added, .modified: observed(facts, found, index)
                case .deleted:
                    enqueue(state.withLock { $0.graph.deleted(facts.id) })
                case .bookmark, .error: break
                }
            }
            // A server that ends every watch at once must not be asked without pause.
            if context.clock.monotonic - began < .seconds(1) { try await context.clock.sleep(for: .seconds(1)) }
        }
    }

    /// As `follow`, by the server's own caches: most objects have no owner and are not being deleted, which the cache knows
    /// without anything being encoded for it or decoded. False when the kind is not served from them.
    private func followCache(_ found: DiscoveredResource, _ index: Int, from revision: String) async throws -> Bool {
        let changes: EncodedWatch
        do {
            changes = try await context.source.watch(found.resource, namespace: nil, from: revision, options: ListOptions())
        } catch let error as APIError where error.isNotFound {
            return false
        }
        for try await batch in changes {
            for event in batch where event.type != .bookmark { take(event, found, index) }
        }
        try Task.checkCancellation()
        // Whatever ended it: what has happened since is listed.
        throw APIError.expired("the watch has ended")
    }

    private func take(_ event: EncodedEvent, _ found: DiscoveredResource, _ index: Int) {
        let object = event.object
        if let summary = object.summary {
            let id = ObjectUID(summary.uid)
            if event.type == .deleted { return enqueue(state.withLock { $0.graph.deleted(id) }) }
            let isPlain = summary.ownerUIDs.isEmpty && object.isTerminating == false
            if isPlain, state.withLock({ $0.graph[id] == nil }) { return }
        }
        guard let bytes = TopLevelField.find("metadata", in: object.bytes), let metadata = try? JSONParser.parse(bytes),
            let facts = ObjectFacts(metadata: metadata)
        else { return }
        if event.type == .deleted { return enqueue(state.withLock { $0.graph.deleted(facts.id) }) }
        observed(facts, found, index)
    }

    private func observed(_ facts: ObjectFacts, _ found: DiscoveredResource, _ index: Int) {
        let actions = state.withLock { state in
            state.graph.observed(facts, resource: index, apiVersion: found.resource.apiVersion, kind: found.kind)
        }
        if !actions.isEmpty { enqueue(actions) }
    }

    func enqueue(_ actions: [OwnerGraph.Action]) {
        for action in actions {
            switch action {
            case .attemptDelete(let id): deletions.add(id)
            case .attemptOrphan(let id): orphanings.add(id)
            case .invalidNamespace(let dependent, let owner): reportInvalidNamespace(dependent, owner)
            }
        }
    }

    private func markListed(_ index: Int) {
        let complete = state.withLock { state in
            state.watched[index] = true
            return state.watched.values.allSatisfy { $0 }
        }
        if complete { ready.set(true) }
    }

    /// The kind is no longer served: its objects are gone with it.
    private func forget(_ index: Int) {
        let (gone, complete) = state.withLock { state in
            state.watched[index] = nil
            let gone = state.graph.nodes.filter { $0.value.resource == index }.map(\.key)
            return (gone, state.watched.values.allSatisfy { $0 })
        }
        for id in gone { enqueue(state.withLock { $0.graph.deleted(id) }) }
        if complete { ready.set(true) }
    }

    private func reportInvalidNamespace(_ dependent: ObjectUID, _ owner: ObjectUID) {
        guard let node = state.withLock({ $0.graph[dependent] }), let reference = node.owners.first(where: { $0.id == owner }) else {
            return
        }
        let object = ObjectReference {
            $0.kind = node.kind
            $0.apiVersion = node.apiVersion
            $0.namespace = node.namespace
            $0.name = node.name
            $0.uid = node.uid
        }
        let place = "namespace: \(node.namespace), name: \(reference.name), uid: \(reference.uid)"
        let text = "[\(reference.apiVersion)/\(reference.kind), \(place)]"
        let message = "ownerRef \(text) does not exist in namespace \"\(node.namespace)\""
        events.record(object, .init(.warning, "OwnerRefInvalidNamespace", message))
    }
}

/// Owners that a live read did not find. Bounded; guarded by `state`.
final class AbsentOwners: Sendable {
    /// As many as upstream remembers.
    static let capacity = 500

    private struct State {
        var keys: Set<String> = []
        var order: [String] = []
    }

    private let state = Mutex(State())

    func contains(_ key: String) -> Bool { state.withLock { $0.keys.contains(key) } }

    func insert(_ key: String) {
        state.withLock { state in
            guard state.keys.insert(key).inserted else { return }
            state.order.append(key)
            if state.order.count > Self.capacity { state.keys.remove(state.order.removeFirst()) }
        }
    }
}
