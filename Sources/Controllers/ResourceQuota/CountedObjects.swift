import APIClient
import APIModel
import Channels
import ControllerRuntime
import Logging
import Synchronization
import Values

/// How many objects there are of the kinds that quotas count. Only kinds that some quota asks for are watched, and only
/// their names kept. Guarded by `state`.
final class CountedObjects: Controller, Subscriber {
    /// How often kinds that are not served yet are looked for.
    static let discoveryPeriod: Duration = .seconds(5)
    private static let backoff = RetryBackoff(base: .milliseconds(100), limit: .seconds(30))
    private static let pageSize = 500

    private struct State {
        var wanted: Set<GroupResource> = []
        var watched: Set<GroupResource> = []
        /// Keys by namespace, of kinds that have been listed.
        var names: [GroupResource: [String: Set<String>]] = [:]
        var observers: [@Sendable (GroupResource, String?) -> Void] = []
    }

    let name = "resourcequota-monitor"
    private let context: ControllerContext
    private let state = Mutex(State())
    private let asked = Signal(0)

    init(_ context: ControllerContext) {
        self.context = context
    }

    func start() {}

    /// Calls `body` when objects of a kind came to or went from a namespace, or, with nil, when a kind has been listed.
    func observe(_ body: @escaping @Sendable (GroupResource, String?) -> Void) {
        state.withLock { $0.observers.append(body) }
    }

    /// How many there are in a namespace; nil while that is not known. Asking makes it known later.
    func count(_ resource: GroupResource, namespace: String) -> Int? {
        let (known, isNew) = state.withLock { state in
            (state.names[resource].map { $0[namespace]?.count ?? 0 }, state.wanted.insert(resource).inserted)
        }
        if isNew { asked.update { $0 += 1 } }
        return known
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            var version: UInt64 = 0
            while !Task.isCancelled {
                let missing = state.withLock { $0.wanted.subtracting($0.watched) }
                if missing.isEmpty {
                    version = await asked.next(after: version).version
                    continue
                }
                for found in await served(missing) { group.addTask { await self.follow(found) } }
                do { try await context.clock.sleep(for: Self.discoveryPeriod) } catch { break }
            }
        }
    }

    /// Those of the kinds that are served by now.
    private func served(_ missing: Set<GroupResource>) async -> [DiscoveredResource] {
        do {
            let found = try await context.client.discover().deletable.filter { found in
                found.namespaced && found.verbs.isSuperset(of: ["create", "list", "watch"]) && missing.contains(Self.resource(found))
            }
            return state.withLock { state in found.filter { state.watched.insert(Self.resource($0)).inserted } }
        } catch {
            context.logger.info("discovery failed", metadata: ["controller": "\(name)", "error": "\(error)"])
            return []
        }
    }

    private static func resource(_ found: DiscoveredResource) -> GroupResource {
        GroupResource(group: found.resource.group, resource: found.resource.resource)
    }

    // MARK: Watching

    /// Follows one kind until it is no longer served or the task is cancelled.
    private func follow(_ found: DiscoveredResource) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let revision = try await list(found)
                failures = 0
                try await watch(found, from: revision)
            } catch let error as APIError where error.isNotFound || error.code == 405 {
                return forget(found)
            } catch {
                failures += 1
                if Task.isCancelled { return }
                context.logger.info(
                    "cannot follow",
                    metadata: ["controller": "\(name)", "resource": "\(found.resource)", "error": "\(error)"]
                )
            }
            do { try await context.clock.sleep(for: Self.backoff.delay(failures: failures)) } catch { return }
        }
    }

    private func list(_ found: DiscoveredResource) async throws -> String {
        var names: [String: Set<String>] = [:]
        var options = ListOptions(limit: Self.pageSize)
        var revision = ""
        repeat {
            let page = try await context.client.listMetadata(found.resource, options: options)
            for item in page.items {
                guard let (namespace, name) = item["metadata"].flatMap(Self.place) else { continue }
                names[namespace, default: []].insert(name)
            }
            revision = page.resourceVersion
            options.continue = page.continue
        } while !options.continue.isEmpty
        let resource = Self.resource(found)
        let observers = state.withLock { state in
            state.names[resource] = names
            return state.observers
        }
        for observer in observers { observer(resource, nil) }
        return revision
    }

    private func watch(_ found: DiscoveredResource, from revision: String) async throws {
        var revision = revision
        while !Task.isCancelled {
            let began = context.clock.monotonic
            let options = ListOptions(resourceVersion: revision, allowWatchBookmarks: true)
            for try await event in try await context.client.watchMetadata(found.resource, options: options) {
                guard let bytes = TopLevelField.find("metadata", in: event.object), let metadata = try? JSONParser.parse(bytes)
                else { continue }
                if let seen = metadata["resourceVersion"]?.string { revision = seen }
                guard let place = Self.place(metadata) else { continue }
                switch event.type {
                case .added, .modified: note(Self.resource(found), place, isThere: true)
                case .deleted: note(Self.resource(found), place, isThere: false)
                case .bookmark, .error: break
                }
            }
            // A server that ends every watch at once must not be asked without pause.
            if context.clock.monotonic - began < .seconds(1) { try await context.clock.sleep(for: .seconds(1)) }
        }
    }

    private static func place(_ metadata: JSONValue) -> (namespace: String, name: String)? {
        guard let name = metadata["name"]?.string else { return nil }
        return (metadata["namespace"]?.string ?? "", name)
    }

    private func note(_ resource: GroupResource, _ place: (namespace: String, name: String), isThere: Bool) {
        let observers = state.withLock { state -> [@Sendable (GroupResource, String?) -> Void] in
            if isThere {
                // What was made before a quota was in force is charged by nobody.
                let isNew = state.names[resource]?[place.namespace, default: []].insert(place.name).inserted ?? false
                return isNew ? state.observers : []
            }
            state.names[resource]?[place.namespace]?.remove(place.name)
            if state.names[resource]?[place.namespace]?.isEmpty == true { state.names[resource]?[place.namespace] = nil }
            return state.observers
        }
        for observer in observers { observer(resource, place.namespace) }
    }

    /// The kind is no longer served; it may be again.
    private func forget(_ found: DiscoveredResource) {
        state.withLock { state in
            state.names[Self.resource(found)] = nil
            state.watched.remove(Self.resource(found))
        }
        asked.update { $0 += 1 }
    }
}
