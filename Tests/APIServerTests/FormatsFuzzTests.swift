import HTTPTransport
import Negotiation
import Testing
import Values

@testable import APIServer

/// Mutated URLs and headers: whatever they say, they are read and answered.
@Suite struct FormatsFuzzTests {
    private struct Mutator {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(max(1, bound)))
        }

        static let words = [
            "/", "//", "..", "%2f", "%", "%zz", "?", "&", "=", ";", ",", "*", "q=", "namespaces", "watch", "\u{0}", "é", "+", ":",
        ]

        mutating func mutate(_ text: String) -> String {
            var scalars = Array(text.unicodeScalars)
            for _ in 0...next(5) {
                let place = next(scalars.count + 1)
                switch next(3) {
                case 0: scalars.insert(contentsOf: Self.words[next(Self.words.count)].unicodeScalars, at: place)
                case 1: scalars.removeSubrange(place..<min(scalars.count, place + next(8)))
                default: scalars.insert(contentsOf: scalars[0..<place], at: place)
                }
            }
            return String(String.UnicodeScalarView(scalars.prefix(4096)))
        }
    }

    private static let paths = [
        "/api/v1/namespaces/default/pods/a/log", "/apis/apps/v1/watch/namespaces/x/deployments", "/api/v1/namespaces/a/status",
        "/apis/apps/v1/deployments", "/openapi/v3/apis/apps/v1", "/healthz/etcd",
    ]
    private static let accepts = [
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.5,*/*;q=0.1", "application/vnd.kubernetes.protobuf;stream=watch",
    ]

    @Test func `no path, query or header breaks what reads it`() {
        var mutator = Mutator(state: 0x1234_5678_9abc)
        for round in 0..<20_000 {
            var request = HTTPRequest(method: "GET", path: mutator.mutate(Self.paths[round % Self.paths.count]))
            request.query = QueryItems(parsing: mutator.mutate("labelSelector=a%3Db&limit=5&watch=1"))
            let accept = mutator.mutate(Self.accepts[round % Self.accepts.count])
            request.headers.append("Accept", accept)
            let info = RequestInfo(request)
            #expect(info.path == request.path)
            let form = try? ResponseForm.negotiate(request)
            if case .table? = form?.shape { #expect(form?.syntax == .json || form?.syntax == .yaml) }
            #expect(MediaClause.ordered(accept).count <= 64)
        }
    }

    @Test func `mutated paths get an answer below 500`() async throws {
        try await withCluster { cluster in
            var mutator = Mutator(state: 0x9876_5432)
            for round in 0..<400 {
                let target = mutator.mutate(Self.paths[round % Self.paths.count]).filter { $0 != "?" }
                guard target.hasPrefix("/"), !target.contains("watch") else { continue }
                let answer = try await cluster.get(target)
                #expect(answer.status < 500, "\(target): \(answer.text.prefix(200))")
            }
        }
    }
}
