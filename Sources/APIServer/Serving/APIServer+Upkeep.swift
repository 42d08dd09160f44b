import APIModel
import Store

extension APIServer {
    /// How often the store's revision is noted: often enough to tell how old a short history is.
    var sampleInterval: Duration { min(.seconds(60), max(.seconds(1), environment.configuration.historyAge / 4)) }
    /// At most so many expired events are removed at a time.
    private static let expiryBatch = 4096
    private static let expiryWidth = 32

    /// Once in a while: notes the revision, lets the store forget old history, removes events that are over.
    func upkeep(now: Duration) async {
        do throws(StoreError) {
            revisions.note(try await environment.store.currentRevision(), at: now)
            if let old = revisions.revision(olderThan: environment.configuration.historyAge, at: now) {
                try await environment.store.compact(to: old)
            }
        } catch {
            guard error.code != .closed else { return }
            environment.log.warning("upkeep of the store", metadata: ["problem": "\(error.message)"])
        }
        await expireEvents(now: now)
        if health.isStarted { await FlowObjects(server: self).maintain() }
    }

    /// Removes the events nobody has written for the time to live of events.
    private func expireEvents(now: Duration) async {
        guard let engine = resources.engines[.core("events")],
            let old = revisions.revision(olderThan: environment.configuration.eventAge, at: now)
        else { return }
        let due = engine.cache.snapshot().lazy.filter { $0.revision <= old }.prefix(Self.expiryBatch)
        await withTaskGroup(of: Void.self) { group in
            for (index, event) in due.enumerated() {
                if index >= Self.expiryWidth { await group.next() }
                group.addTask { [store = environment.store] in
                    // Written again meanwhile: then it lives on.
                    _ = try? await store.delete(event.key, if: .revision(event.revision))
                }
            }
        }
    }
}
