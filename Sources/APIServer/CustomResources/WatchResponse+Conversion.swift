import APIModel
import HTTPTransport
import Store
import Values

extension WatchResponse {
    /// The same watch for objects that have been converted already.
    private var converted: WatchResponse {
        WatchResponse(
            view: view.plain,
            context: context,
            namespace: namespace,
            selection: selection,
            afterwards: nil,
            start: start,
            wantsBookmarks: wantsBookmarks,
            deadline: deadline,
            seconds: seconds,
            isSocket: isSocket
        )
    }

    /// Delivers the events of a kind whose webhook converts: a batch is converted at once, then written.
    func deliverConverted(
        _ snapshot: CacheSnapshot?,
        _ watch: CacheWatch,
        _ stream: any ResponseStream
    ) async throws(StoreError) {
        var writer = FrameWriter(converted)
        do {
            if let snapshot {
                let objects = try await view.converted(snapshot.filter(selection.matches))
                for object in objects where afterwards?.matches(object) ?? true {
                    try await writer.append(CacheEvent(.added, object: object, revision: object.revision), to: stream)
                }
                if case .initial(markEnd: true, _) = start { writer.appendBookmark(snapshot.revision, isEnd: true) }
                try await writer.send(to: stream)
            }
            while let batch = try await watch.next() {
                for event in try await converted(batch) { try await writer.append(event, to: stream) }
                try await writer.send(to: stream)
            }
        } catch let error as StoreError {
            throw error
        } catch let error as APIError {
            watch.cancel()
            try? await stream.write(WatchFrames.frame("ERROR", error.status(), context.form.syntax))
        } catch {
            watch.cancel()
        }
    }

    /// A batch converted at once; an object that comes into the selection or leaves it comes and goes for the watcher.
    private func converted(_ batch: [CacheEvent]) async throws -> [CacheEvent] {
        var objects = try await view.converted(batch.compactMap(\.object)).makeIterator()
        let olds = afterwards == nil ? [] : try await view.converted(batch.compactMap(\.previous))
        var previous = olds.makeIterator()
        var events: [CacheEvent] = []
        for event in batch {
            let object = event.object == nil ? nil : objects.next()
            guard let afterwards, let object else {
                events.append(CacheEvent(event.type, object: object, revision: event.revision))
                continue
            }
            let was = event.previous == nil ? nil : previous.next()
            let isSelected = afterwards.matches(object)
            let wasSelected = was.map(afterwards.matches) ?? false
            let type: CacheEventType? =
                switch event.type {
                case .modified: isSelected ? (wasSelected ? .modified : .added) : wasSelected ? .deleted : nil
                default: isSelected ? event.type : nil
                }
            if let type { events.append(CacheEvent(type, object: object, revision: event.revision)) }
        }
        return events
    }
}
