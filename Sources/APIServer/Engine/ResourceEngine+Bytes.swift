import APIModel
import Glibc
import Schema
import Values

extension ResourceEngine {
    /// The bytes that an object is stored and answered as.
    func storedBytes(_ object: JSONValue) -> [UInt8] {
        let bytes = object.encoded()
        // Few objects have such a list, and a look at the bytes costs less than one at the tree.
        guard traits.forgetsEmptyLists, Self.hasEmptyList(bytes), let schema = descriptor.storageSchema else { return bytes }
        var object = object
        schema.forgetEmptyLists(&object)
        return object.encoded()
    }

    /// Makes of an object in the version stored what will be read of it again.
    func forgetEmptyLists(_ object: inout JSONValue) {
        // A look costs nothing; a change copies what others hold.
        guard traits.forgetsEmptyLists, Self.hasEmptyList(object), let schema = descriptor.storageSchema else { return }
        schema.forgetEmptyLists(&object)
    }

    private static func hasEmptyList(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let list): list.isEmpty || list.contains(where: hasEmptyList)
        case .object(let object): object.contains { hasEmptyList($0.value) }
        default: false
        }
    }

    private static func hasEmptyList(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard var place = bytes.baseAddress else { return false }
            let end = place + bytes.count
            while let bracket = memchr(place, Int32(UInt8(ascii: "[")), end - place) {
                place = UnsafeRawPointer(bracket) + 1
                if place < end, place.load(as: UInt8.self) == UInt8(ascii: "]") { return true }
            }
            return false
        }
    }

    /// What a status shows before anybody has written one; nil for kinds that leave theirs out.
    var untouchedStatus: JSONValue? {
        guard let schema = descriptor.storageSchema, schema.body.isBuiltin, schema.field("status") != nil else { return nil }
        var object: JSONValue = [:]
        schema.normalize(&object)
        return object["status"]
    }
}
