import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite("What OpenAPI documents say of themselves")
struct OpenAPIHeaderTests {
    private static let v3Type = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"

    @Test func `a group version is served in the form asked for`() async throws {
        try await withCluster { cluster in
            let path = "/openapi/v3/apis/batch/v1"
            for accept in [Self.v3Type, "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"] {
                let answer = try await cluster.get(path, accept: accept)
                #expect(answer.headers["content-type"] == Self.v3Type && answer.bytes.starts(with: Array("\u{0a}\u{05}3.0.0".utf8)))
            }
            let preferred = try await cluster.get(path, accept: "\(Self.v3Type);q=0.5, application/json")
            #expect(preferred.headers["content-type"] == "application/json" && preferred["openapi"] == "3.0.0")
            let refused = try await cluster.get(path, accept: "application/yaml")
            #expect(refused.status == 406 && refused.bytes.isEmpty && refused.headers["vary"] == "Accept")
            #expect(try await cluster.get("/openapi/v2", accept: "text/plain").status == 406)
            let missing = try await cluster.get("/openapi/v3/apis/none/v1")
            #expect(missing.status == 404 && missing.bytes.isEmpty && missing.headers["content-type"] == nil)
        }
    }

    @Test func `a document is not sent again, and can be had in part`() async throws {
        try await withCluster { cluster in
            let path = "/openapi/v3/apis/batch/v1"
            let whole = try await cluster.get(path)
            let modified = try #require(whole.headers["last-modified"])
            let tag = try #require(whole.headers["etag"])
            #expect(modified.hasSuffix(" GMT") && whole.headers["accept-ranges"] == "bytes")
            for known in [["If-Modified-Since": modified], ["If-None-Match": tag], ["If-None-Match": "W/\(tag)"]] {
                #expect(try await cluster.send("GET", path, headers: known).status == 304)
            }
            let part = try await cluster.send("GET", path, headers: ["Range": "bytes=2-11", "If-Range": tag])
            #expect(part.status == 206 && part.bytes == Array(whole.bytes[2...11]))
            #expect(part.headers["content-range"] == "bytes 2-11/\(whole.bytes.count)")
            let other = try await cluster.send("GET", path, headers: ["Range": "bytes=2-11", "If-Range": "\"other\""])
            #expect(other.status == 200 && other.bytes == whole.bytes)
            let behind = try await cluster.send("GET", path, headers: ["Range": "bytes=99999999-"])
            #expect(behind.status == 416 && behind.headers["content-range"] == "bytes */\(whole.bytes.count)")
            let moved = try await cluster.get("\(path)?hash=x")
            #expect(moved.status == 301 && moved.headers["etag"] == tag)
            let index = try await cluster.get("/openapi/v3")
            #expect(index.headers["content-type"] == "text/plain; charset=utf-8" && index.headers["etag"] == nil)
        }
    }

    /// kubectl keeps the index on disk and asks for it by its date only: on 2026-11-21 a definition that was established within
    /// the second of such an answer stayed unknown to `kubectl explain`.
    @Test func `the index is sent again however young what the client has of it is`() async throws {
        try await withCluster { cluster in
            for _ in 0..<3 {
                let index = try await cluster.get("/openapi/v3")
                let date = try #require(index.headers["last-modified"])
                let again = try await cluster.send("GET", "/openapi/v3", headers: ["If-Modified-Since": date])
                #expect(again.status == 200 && again.bytes == index.bytes)
            }
        }
    }

    @Test func `ranges are read`() {
        #expect(ByteRange("bytes=0-0", of: 10) == .part(0..<1))
        #expect(ByteRange("bytes=4-", of: 10) == .part(4..<10))
        #expect(ByteRange("bytes=-3", of: 10) == .part(7..<10))
        #expect(ByteRange("bytes=-30", of: 10) == .part(0..<10))
        #expect(ByteRange("bytes=8-99999999999999999999", of: 10) == nil)
        #expect(ByteRange("bytes=8-99", of: 10) == .part(8..<10))
        #expect(ByteRange("bytes=10-", of: 10) == .behind)
        #expect(ByteRange("bytes=0-", of: 0) == .behind)
        for text in ["bytes=5-4", "bytes=-", "bytes=a-b", "bytes=1-2,4-5", "lines=1-2", "bytes=+1-2", "bytes=1"] {
            #expect(ByteRange(text, of: 10) == nil, "\(text)")
        }
    }

    @Test func `metrics tell when the process began, and the paths have a page`() async throws {
        try await withCluster { cluster in
            let metrics = try await cluster.get("/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
            let start = try #require(metrics.headers["process-start-time-unix"].flatMap { Int($0) })
            #expect(start > 1_700_000_000 && metrics.text.contains("process_start_time_seconds \(start)\n"))
            #expect(try await cluster.get("/index.html").bytes == cluster.get("/").bytes)
            let ping = try await cluster.get("/healthz/ping")
            #expect(ping.text == "ok" && ping.headers["x-content-type-options"] == nil)
            #expect(try await cluster.get("/healthz").headers["x-content-type-options"] == "nosniff")
        }
    }
}
