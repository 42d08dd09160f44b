import APITypes
import HTTPTransport
import Schema
import Testing
import Values

@testable import APIServer

/// Watches in protobuf and CBOR.
@Suite struct FormatsWatchTests {
    /// Reads frames of a stream.
    struct Frames {
        private var iterator: ResponseBody.AsyncIterator
        private var buffer: [UInt8] = []
        let event = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent")

        init(_ body: ResponseBody) { iterator = body.makeAsyncIterator() }

        private mutating func fill(_ count: Int) async throws {
            while buffer.count < count {
                guard let chunk = try await iterator.next() else { throw ProtobufError("the stream ended") }
                buffer += chunk
            }
        }

        /// The type of the next protobuf event, and its object.
        mutating func next(_ schema: SchemaNode) async throws -> (type: String, kind: String, object: JSONValue) {
            try await fill(4)
            let length = buffer[..<4].reduce(0) { $0 << 8 | Int($1) }
            try await fill(4 + length)
            let frame = try protobufFields(Array(buffer[4..<(4 + length)]))
            buffer.removeFirst(4 + length)
            let raw = try protobufFields(frame[2] ?? [])[1] ?? []
            let kind = try ProtobufObject.envelope(raw).kind
            return (String(decoding: frame[1] ?? [], as: UTF8.self), kind, try ProtobufObject.decode(raw, schema: schema))
        }

        /// The next item of a CBOR sequence, which each chunk here holds whole.
        mutating func item() async throws -> JSONValue {
            guard let chunk = try await iterator.next() else { throw ProtobufError("the stream ended") }
            return try CBOR.decode(chunk)
        }

        /// The delimited fields of a message, read independently of the code under test.
        private func protobufFields(_ bytes: [UInt8]) throws -> [Int: [UInt8]] {
            var found: [Int: [UInt8]] = [:]
            var position = 0
            func varint() -> Int {
                var (result, shift) = (0, 0)
                while position < bytes.count {
                    let byte = bytes[position]
                    position += 1
                    result |= Int(byte & 0x7f) << shift
                    if byte < 0x80 { break }
                    shift += 7
                }
                return result
            }
            while position < bytes.count {
                let tag = varint()
                #expect(tag & 7 == 2)
                let length = varint()
                found[tag >> 3] = Array(bytes[position..<(position + length)])
                position += length
            }
            return found
        }
    }

    @Test func `a watch in protobuf has framed events`() async throws {
        try await withCluster { cluster in
            let target = "\(FormatsTests.maps)?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
            _ = try await cluster.post(FormatsTests.maps, FormatsTests.map)
            let accept = "\(FormatsTests.protobuf);stream=watch,application/json"
            let response = try await cluster.transport().send(cluster.request("GET", target, [], nil, accept))
            #expect(response.headers["content-type"] == "application/vnd.kubernetes.protobuf;stream=watch")
            var frames = Frames(response.body)
            let node = FormatsTests.node("ConfigMap")
            let first = try await frames.next(node)
            #expect(first.type == "ADDED")
            #expect(first.kind == "ConfigMap")
            #expect(first.object["data"] == ["one": "1", "two": "2"])
            let mark = try await frames.next(node)
            #expect(mark.type == "BOOKMARK")
            #expect(mark.object.value(at: ["metadata", "annotations", "k8s.io/initial-events-end"]) == "true")
            _ = try await cluster.patch("\(FormatsTests.maps)/a", ["data": ["one": "uno"]])
            let changed = try await frames.next(node)
            #expect(changed.type == "MODIFIED")
            #expect(changed.object.value(at: ["data", "one"]) == "uno")
            let json = try await cluster.get("\(FormatsTests.maps)/a").json
            #expect(changed.object.value(at: ["metadata", "resourceVersion"]) == json.value(at: ["metadata", "resourceVersion"]))
            _ = try await cluster.delete("\(FormatsTests.maps)/a")
            #expect(try await frames.next(node).type == "DELETED")
        }
    }

    @Test func `a watch in CBOR is a sequence of items`() async throws {
        try await withCluster { cluster in
            let list = try await cluster.get(FormatsTests.maps)
            let version = list["metadata", "resourceVersion"]?.string ?? ""
            let target = "\(FormatsTests.maps)?watch=true&resourceVersion=\(version)"
            let response = try await cluster.transport().send(cluster.request("GET", target, [], nil, "application/cbor"))
            #expect(response.headers["content-type"] == "application/cbor-seq")
            var frames = Frames(response.body)
            _ = try await cluster.post(FormatsTests.maps, FormatsTests.map)
            let event = try await frames.item()
            #expect(event["type"] == "ADDED")
            #expect(event["object"] == (try await cluster.get("\(FormatsTests.maps)/a").json))
        }
    }
}
