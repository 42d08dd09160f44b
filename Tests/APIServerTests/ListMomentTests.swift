import Testing
import Values

@testable import APIServer

@Suite("A list is of one moment")
struct ListMomentTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test func `the one object that a list names is not newer than the list`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.post(Self.maps, ["metadata": ["name": "a"]]).status == 201)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<1500 { _ = try await cluster.patch("\(Self.maps)/a", ["data": ["n": .string("\(number)")]]) }
                }
                for _ in 0..<3 {
                    group.addTask {
                        for _ in 0..<1500 {
                            let list = try await cluster.get("\(Self.maps)?fieldSelector=metadata.name=a&resourceVersion=0")
                            let shown = try #require(list["metadata", "resourceVersion"]?.string.flatMap { Int($0) })
                            let object = list["items"]?.array?.first?.value(at: ["metadata", "resourceVersion"])
                            let made = try #require(object?.string.flatMap { Int($0) })
                            #expect(made <= shown)
                            guard made <= shown else { return }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
