import APIModel
import HTTPTransport
import Negotiation
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
                for object in objects {
                    try await writer.append(CacheEvent(.added, object: object, revision: object.revision), to: stream)
                }
                if case .initial(markEnd: true, _) = start { writer.appendBookmark(snapshot.revision, isEnd: true) }
                try await writer.send(to: stream)
            }
            while let batch = try await watch.next() {
                let objects = try await view.converted(batch.compactMap(\.object))
                var next = objects.makeIterator()
                for event in batch {
                    let object = event.object == nil ? nil : next.next()
                    let event = CacheEvent(event.type, object: object, revision: event.revision)
                    try await writer.append(event, to: stream)
                }
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
}
