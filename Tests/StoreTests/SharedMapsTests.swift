import Store
import Testing

@Suite struct SharedMapsTests {
    @Test func `equal maps come back equal, whatever else was asked for`() {
        let maps = SharedMaps()
        for round in 0..<3 {
            for index in 0..<10_000 {
                let map = ["app": "a\(index % 1_000)", "index": "\(index)", "round": "\(round)"]
                #expect(maps.shared(map) == map)
            }
        }
        #expect(maps.shared([:]).isEmpty)
        let large = Dictionary(uniqueKeysWithValues: (0..<100).map { ("k\($0)", "v") })
        #expect(maps.shared(large) == large)
    }
}
