import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import HTTPTransport
import Synchronization
import Values

/// As much of an API as the scheduler speaks to: lists, watches, bindings, status patches and events of pods and nodes.
/// Guarded by `state`.
final class TinyCluster: ObjectSource, HTTPHandler {
    fileprivate struct State {
        var objects: [String: [String: JSONValue]] = [:]
        var changes: [(resource: String, type: WatchEventType, object: JSONValue)] = []
        var events: [JSONValue] = []
        var refusals = 0
    }

    private let state = Mutex(State())
    private let changed = Signal<Int>(0)

    // MARK: What tests do and see

    func set(_ resource: String, _ object: JSONValue) {
        state.withLock { $0.put(resource, object) }
        changed.update { $0 += 1 }
    }

    func remove(_ resource: String, _ key: String) {
        state.withLock { state in
            guard let old = state.objects[resource]?.removeValue(forKey: key) else { return }
            state.changes.append((resource, .deleted, old))
        }
        changed.update { $0 += 1 }
    }

    func get(_ resource: String, _ key: String) -> JSONValue? { state.withLock { $0.objects[resource]?[key] } }

    func refuseBindings(_ count: Int) { state.withLock { $0.refusals = count } }

    /// Waits for a condition; false when it does not come true in time.
    func wait(_ condition: @escaping @Sendable (TinyCluster) -> Bool) async -> Bool {
        do {
            return try await withDeadline(.seconds(20)) { [self] in
                try await changed.wait { _ in condition(self) }
                return true
            }
        } catch {
            return condition(self)
        }
    }

    func boundNode(_ name: String) -> String? {
        get("pods", "default/\(name)")?.value(at: ["spec", "nodeName"])?.string
    }

    var events: [(reason: String, message: String)] {
        state.withLock { $0.events }.map { ($0["reason"]?.string ?? "", $0["message"]?.string ?? "") }
    }

    // MARK: ObjectSource

    func list(
        _ resource: GroupVersionResource,
        namespace: String?,
        options: ListOptions
    ) async throws -> (items: [EncodedObject], revision: String) {
        state.withLock { state in
            let items = (state.objects[resource.resource] ?? [:]).values.map { EncodedObject(bytes: $0.encoded(), resourceVersion: "1") }
            return (items, "\(state.changes.count)")
        }
    }

    func watch(
        _ resource: GroupVersionResource,
        namespace: String?,
        from revision: String,
        options: ListOptions
    ) async throws -> EncodedWatch {
        let position = Mutex(Int(revision) ?? 0)
        return EncodedWatch { [self] in
            while !Task.isCancelled {
                let seen = changed.current.version
                let batch: [EncodedEvent] = state.withLock { state in
                    let start = position.withLock { position in
                        defer { position = state.changes.count }
                        return position
                    }
                    return state.changes[start...].filter { $0.resource == resource.resource }.map {
                        EncodedEvent(type: $0.type, object: EncodedObject(bytes: $0.object.encoded(), resourceVersion: "1"))
                    }
                }
                if !batch.isEmpty { return batch }
                _ = await changed.next(after: seen)
            }
            return nil
        }
    }

    // MARK: HTTPHandler

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let path = request.path.split(separator: "/").map(String.init)
        let body = (try? JSONParser.parse(request.body)) ?? .null
        let key = path.count > 5 ? "\(path[3])/\(path[5])" : ""
        let status: Int = state.withLock { state in
            switch (request.method, path.last ?? "") {
            case ("POST", "events"):
                state.events.append(body)
                return 201
            case ("POST", "binding"):
                if state.refusals > 0 {
                    state.refusals -= 1
                    return 500
                }
                guard var pod = state.objects["pods"]?[key] else { return 404 }
                pod.set(body.value(at: ["target", "name"]) ?? .null, at: ["spec", "nodeName"])
                state.put("pods", pod)
                return 201
            case ("PATCH", "status"):
                guard var pod = state.objects["pods"]?[key] else { return 404 }
                for (field, value) in body["status"]?.object ?? [:] { pod.set(value, at: ["status", field]) }
                state.put("pods", pod)
                return 200
            case ("DELETE", _):
                guard let old = state.objects["pods"]?.removeValue(forKey: key) else { return 404 }
                state.changes.append(("pods", .deleted, old))
                return 200
            default:
                return 404
            }
        }
        changed.update { $0 += 1 }
        let answer: JSONValue =
            status < 300 ? body : .object(["kind": "Status", "status": "Failure", "message": "refused", "code": .integer(Int64(status))])
        var headers = HeaderFields()
        headers["Content-Type"] = "application/json"
        return HTTPResponse(status: status, headers: headers, body: .bytes(answer.encoded()))
    }
}

extension TinyCluster.State {
    fileprivate mutating func put(_ resource: String, _ object: JSONValue) {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        let namespace = object.value(at: ["metadata", "namespace"])?.string ?? ""
        let key = namespace.isEmpty ? name : "\(namespace)/\(name)"
        let type: WatchEventType = objects[resource]?[key] == nil ? .added : .modified
        objects[resource, default: [:]][key] = object
        changes.append((resource, type, object))
    }
}
