import Testing
import Values

@Suite struct JSONValueTests {
    @Test func `reads and writes by key and path`() {
        var value: JSONValue = ["spec": ["replicas": 1, "list": [["a": 1]]]]
        #expect(value["spec"]?["replicas"]?.int == 1)
        #expect(value.value(at: ["spec", "list", "0", "a"]) == 1)
        #expect(value.value(at: ["spec", "list", "1"]) == nil)
        #expect(value["spec"]?["list"]?[0]?["a"] == 1)
        value["spec"]?["replicas"] = 2
        value.set(3, at: ["spec", "list", "0", "b", "c"])
        value.set("x", at: ["metadata", "name"])
        #expect(value.description == #"{"metadata":{"name":"x"},"spec":{"list":[{"a":1,"b":{"c":3}}],"replicas":2}}"#)
        value.remove(at: ["spec", "list", "0", "b"])
        value.remove(at: ["spec", "nothing", "here"])
        value["metadata"] = nil
        #expect(value.description == #"{"spec":{"list":[{"a":1}],"replicas":2}}"#)
    }

    @Test func `leaves a scalar alone when a missing member is removed`() {
        var value: JSONValue = 5
        value["a"] = nil
        #expect(value == 5)
        value["a"] = 1
        #expect(value == ["a": 1])
    }

    @Test func `keeps members sorted under every change`() {
        var object = JSONObject()
        var random = Generator(seed: 3)
        var model: [String: JSONValue] = [:]
        for step in 0..<3000 {
            let key = "k\(random.below(60))"
            switch random.below(4) {
            case 0:
                object[key] = nil
                model[key] = nil
            case 1:
                #expect(object.removeValue(forKey: key) == model.removeValue(forKey: key))
            default:
                object[key] = .integer(Int64(step))
                model[key] = .integer(Int64(step))
            }
        }
        #expect(object == JSONObject(model))
        #expect(object.keys == model.keys.sorted())
        object.removeAll { $0.value.int.map { $0 % 2 == 0 } ?? false }
        #expect(object.count == model.values.count { ($0.int ?? 0) % 2 == 1 })
    }

    @Test func `reads numbers either way`() {
        #expect(JSONValue.number(3).int == 3)
        #expect(JSONValue.number(3.5).int == nil)
        #expect(JSONValue.integer(3).double == 3)
        #expect(JSONValue.string("3").int == nil)
    }
}

@Suite struct EncodingTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `encodes the vectors of RFC 4648`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        #expect(Base64.decodeURL(Base64.encodeURL(Array(plain.utf8))) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "Zm9v=", "Z-8=", "====", "Zg==Zg=="])
    func `refuses malformed base 64`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test func `uses the URL alphabet`() {
        #expect(Base64.encodeURL([0xFB, 0xFF]) == "-_8")
        #expect(Base64.decodeURL("-_8") == [0xFB, 0xFF])
        #expect(Base64.decode("+/8=\n") == [0xFB, 0xFF])
    }

    @Test func `reads and writes hexadecimal`() {
        #expect(Hex.encode([0, 255, 16]) == "00ff10")
        #expect(Hex.decode("00Ff10") == [0, 255, 16])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }
}
