import APITypes
import Schema
import Testing
import Values

/// A short run of the fuzz targets over mutated texts; `Tools/fuzz` runs the same ones for as long as one likes.
@Suite struct ProtobufFuzzTests {
    /// Changes texts without understanding them, but with their words. The same seed gives the same texts.
    struct Mutator {
        private var state: UInt64

        init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

        mutating func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(max(1, bound)))
        }

        static let words: [[UInt8]] =
            [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "-1", "1e999", "0x", "9223372036854775808", "&a ", "*a", "<<: ",
                "- ", "\n", "!!str ", "|", "$patch", "=", "!=", " in (", ")", "\\u0000", "\u{301}", "é", "Ki", "e9", "::", "/", ".",
            ]
            .map { Array($0.utf8) } + [
                [0], [0x80], [0xff], [0xd9, 0xd9, 0xf7], [0x9b, 0xff], [0x6b, 0x38, 0x73, 0], [0x0a, 0xff, 0x01],
            ]

        private mutating func range(_ count: Int) -> Range<Int> {
            let start = next(count + 1)
            return start..<min(count, start + next(16))
        }

        mutating func mutate(_ input: [UInt8], with other: [UInt8]) -> [UInt8] {
            var bytes = input
            for _ in 0...next(6) {
                let place = next(bytes.count + 1)
                switch next(7) {
                case 0 where !bytes.isEmpty: bytes[next(bytes.count)] ^= UInt8(1 << next(8))
                case 1: bytes.insert(contentsOf: Self.words[next(Self.words.count)], at: place)
                case 2: bytes.removeSubrange(range(bytes.count))
                case 3: bytes.insert(contentsOf: Array(bytes[range(bytes.count)]), at: place)
                case 4: bytes.insert(contentsOf: Array(other[range(other.count)]), at: place)
                case 5:
                    let piece = Array(bytes[range(bytes.count)])
                    for _ in 0..<next(64) { bytes.insert(contentsOf: piece, at: min(place, bytes.count)) }
                default: bytes.append(UInt8(next(256)))
                }
            }
            return Array(bytes.prefix(8192))
        }
    }

    static let pod = """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"containers":[{"name":"c","image":"i",\
        "resources":{"limits":{"cpu":"500m"}},"livenessProbe":{"httpGet":{"port":"http"}}}]},"status":{"startTime":"2024-05-06T07:08:09Z"}}
        """

    /// One text or more for every target, in their order.
    static let corpus: [[[UInt8]]] = {
        let node = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        let tree = (try? JSONParser.parse(pod)) ?? .null
        let bytes = Array(pod.utf8)
        let yaml = [
            "a: &a [1, yes, ~, 0x1F, 1e3]\nb: *a\nc:\n  <<: {k: v}\n  d: !!str 5\n", "- |\n  text\n- >-\n  more\n", "'a': \"\\u00e9\"\n",
        ]
        let patches = [
            "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":1},{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/c\"}]\0{\"a\":[1],\"b\":{}}",
            "{\"a\":null,\"b\":{\"c\":[1]}}\0{\"a\":1,\"b\":{\"d\":2}}",
            "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"c\"}],\"containers\":[{\"name\":\"c\",\"$patch\":\"delete\"}]}}\0"
                + pod,
        ].map { Array($0.utf8) }
        let selectors = ["a=b,c!=d,e in (f,g),!k,l>1", "metadata.name=x,spec.nodeName!=y\\,z"].map { Array($0.utf8) }
        let units = ["1.5Gi", "-12E", "2024-05-06T07:08:09.12Z", "1h2m3.5s", "fe80::1:2", "10.0.0.0/8", "a.b[0].c[k=v]", "AQID"]
        return [
            [bytes], yaml.map { Array($0.utf8) }, [CBOR.encode(tree)], [[0] + ProtobufObject.message(tree, schema: node)], patches, patches,
            patches.map { [0] + $0 }, selectors, units.map { Array($0.utf8) }, [Array("example.com/a-b_c.d".utf8)], [[0] + bytes],
        ]
    }()

    @Test(arguments: FuzzTargets.Target.allCases)
    func `a parser survives anything`(target: FuzzTargets.Target) throws {
        var mutator = Mutator(seed: UInt64(target.rawValue) + 1)
        let seeds = Self.corpus[target.rawValue]
        let clock = ContinuousClock()
        let start = clock.now
        var rounds = 0
        // As many as fit into a short time, at least enough to mean something.
        while rounds < 300 || (rounds < 3000 && clock.now - start < .seconds(2)) {
            rounds += 1
            let seed = seeds[mutator.next(seeds.count)]
            let other = Self.corpus[mutator.next(Self.corpus.count)][0]
            let input = [UInt8(target.rawValue)] + mutator.mutate(seed, with: other)
            let began = clock.now
            do {
                try FuzzTargets.run(input)
            } catch {
                Issue.record("\(error.what): \(Hex.encode(input))")
                return
            }
            if clock.now - began > .seconds(20) { Issue.record("took \(clock.now - began): \(Hex.encode(input))") }
        }
    }
}
