import APIModel
import Channels
import Synchronization
import Values

@testable import ControllerRuntime

/// A source the test plays: what lists answer, what watches deliver.
final class ScriptedSource: ObjectSource {
    struct State {
        var objects: [String: (bytes: [UInt8], revision: Int)] = [:]
        var revision = 1
        var lists = 0
        var watches: [String] = []
        var nextWatchError: APIError?
        var open: [BoundedChannel<[EncodedEvent]>] = []
    }

    let state = Mutex(State())

    func list(
        _ resource: GroupVersionResource,
        namespace: String?,
        options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String) {
        state.withLock { state in
            state.lists += 1
            let items = state.objects.values.map { EncodedObject(bytes: $0.bytes, resourceVersion: "\($0.revision)") }
            return (items, "\(state.revision)")
        }
    }

    func watch(
        _ resource: GroupVersionResource,
        namespace: String?,
        from revision: String,
        options: ListOptions
    ) async throws -> EncodedWatch {
        let channel = BoundedChannel<[EncodedEvent]>(capacity: 100)
        try state.withLock { state in
            state.watches.append(revision)
            if let error = state.nextWatchError {
                state.nextWatchError = nil
                throw error
            }
            state.open.append(channel)
        }
        return EncodedWatch { try await channel.receive() }
    }

    static func object(_ name: String, labels: JSONValue = [:], owner: String? = nil) -> JSONValue {
        var json: JSONValue = [
            "metadata": ["name": .string(name), "namespace": "ns", "uid": .string("uid-\(name)"), "labels": labels]
        ]
        if let owner {
            json.set([["uid": .string(owner), "controller": true, "name": "o", "kind": "K"]], at: ["metadata", "ownerReferences"])
        }
        return json
    }

    /// Stores an object and tells the open watches.
    func put(_ name: String, _ json: JSONValue) {
        emit { state in
            state.revision += 1
            let type: WatchEventType = state.objects[name] == nil ? .added : .modified
            state.objects[name] = (json.encoded(), state.revision)
            return EncodedEvent(type: type, object: EncodedObject(bytes: json.encoded(), resourceVersion: "\(state.revision)"))
        }
    }

    func delete(_ name: String) {
        emit { state in
            state.revision += 1
            let bytes = state.objects.removeValue(forKey: name)?.bytes ?? []
            return EncodedEvent(type: .deleted, object: EncodedObject(bytes: bytes, resourceVersion: "\(state.revision)"))
        }
    }

    /// Changes the content behind the watches' back.
    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    func endWatches(throwing error: (any Error)? = nil) {
        let open = state.withLock { state in
            defer { state.open = [] }
            return state.open
        }
        for channel in open { channel.finish(throwing: error) }
    }

    private func emit(_ body: (inout State) -> EncodedEvent) {
        let (event, open) = state.withLock { state in
            let event = body(&state)
            return (event, state.open)
        }
        for channel in open { _ = channel.trySend([event]) }
    }
}

struct TimedOut: Error {}

/// Waits until a condition holds; throws after the deadline.
func eventually(_ condition: @Sendable () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw TimedOut()
}
