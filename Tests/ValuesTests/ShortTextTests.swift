import Testing

@testable import Values

@Suite struct ShortTextTests {
    @Test func `this build keeps short strings as the fast path writes them`() {
        #expect(ShortText.isSupported)
        #expect(ShortText.isConfirmed)
    }

    @Test func `a text is found among sorted ones, whatever its length`() {
        let texts = ["", "a", "a\0", "ab", "abcdefgh", "abcdefghi", "abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnopq", "b", "é"]
        for (place, text) in texts.enumerated() { #expect(texts.position(ofSorted: text) == place) }
        for text in ["aa", "abcdefghijklmn", "abcdefghijklmnopr", "z", "è", "\0"] { #expect(texts.position(ofSorted: text) == nil) }
        #expect([String]().position(ofSorted: "a") == nil)
    }

    @Test func `a string of every length comes out as the library makes it`() throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        for count in 0...letters.count {
            let text = String(decoding: letters[..<count], as: UTF8.self)
            // Short before the end of the input and far from it: both ways of scanning.
            for padding in [0, 40] {
                let parsed = try JSONParser.parse("[\"\(text)\"" + String(repeating: " ", count: padding) + "]")
                #expect(parsed == [.string(text)])
                #expect(parsed[0]?.string == text)
                #expect(parsed[0]?.string?.hashValue == text.hashValue)
                #expect(parsed.encoded() == Array("[\"\(text)\"]".utf8))
            }
        }
    }

    @Test func `a stop at every place is found`() throws {
        let filler = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        for place in filler.indices {
            for (inserted, meaning) in [("\\n", "\n"), ("é", "é"), ("\\u0041", "A"), ("\\\"", "\""), ("&<>", "&<>")] {
                let (head, tail) = (String(decoding: filler[..<place], as: UTF8.self), String(decoding: filler[place...], as: UTF8.self))
                let parsed = try JSONParser.parse("[\"\(head)\(inserted)\(tail)\"                    ]")
                #expect(parsed == [.string(head + meaning + tail)])
                #expect(try JSONParser.parse(parsed.encoded()) == parsed)
            }
            var broken = Array("[\"".utf8) + filler + Array("\"                    ]".utf8)
            broken[place + 2] = 0x1F
            #expect(throws: JSONParseError.self) { try JSONParser.parse(broken) }
        }
    }

    @Test func `every byte is escaped, in the words and behind them, as one at a time`() {
        for scalar in (0..<0x80).map({ UnicodeScalar(UInt8($0)) }) {
            for place in 0..<12 {
                let text = String(repeating: "a", count: place) + String(Character(scalar))
                let long = text + String(repeating: "b", count: 20)
                let short = JSONValue.string(text).encoded()
                #expect(JSONValue.string(long).encoded() == short.dropLast() + Array(String(repeating: "b", count: 20).utf8) + [0x22])
            }
        }
    }

    @Test func `short strings are ordered by their bytes`() {
        let texts = [
            "", "\0", "a", "a\0", "a\0b", "aa", "ab", "abcdefgh", "abcdefgh\0", "abcdefghi", "abcdefghijklmno", "b", "z", "~", "é",
            "ab".uppercased(),
        ]
        for left in texts {
            for right in texts {
                let (a, b) = (Array(left.utf8), Array(right.utf8))
                let wanted = a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
                #expect(left.compareBytes(with: right).signum() == wanted)
                #expect(left.hasSameBytes(as: right) == (wanted == 0))
            }
        }
    }

    @Test func `a member is found, and its place where it is not, whatever the kinds of the keys`() {
        let keys = [
            "", "\0", "a", "a\0", "a\0b", "aa", "abcdefg", "abcdefgh", "abcdefgh\0", "abcdefghi", "abcdefghijklmno", "abcdefghijklmnop",
            "abcdefghijklmnoq", "abcdefgi", "abcdefgé", "abcdefghijklmnopqrstuvwxyz", "é", "éa", "éabcdefghijklmnopqrstuvwxyz", "z", "~",
        ]
        let inOrder = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for missing in keys {
            let object = JSONObject(keys.filter { !$0.hasSameBytes(as: missing) }.map { ($0, .string($0)) })
            let whole = JSONObject(keys.map { ($0, .string($0)) })
            #expect(object.locate(missing) == (inOrder.firstIndex { $0.hasSameBytes(as: missing) } ?? -1, false))
            #expect(whole.locate(missing) == (inOrder.firstIndex { $0.hasSameBytes(as: missing) } ?? -1, true))
            #expect(whole[missing] == .string(missing))
        }
        #expect(JSONObject().locate("a") == (0, false))
    }
}
