import APIModel
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

    private static func hasEmptyList(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var rest = bytes[...]
            while let index = rest.firstIndex(of: UInt8(ascii: "[")) {
                if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "]") { return true }
                rest = rest[(index + 1)...]
            }
            return false
        }
    }

    /// What a status shows before anybody has written one; nil for kinds that leave theirs out.
    var untouchedStatus: JSONValue? {
        guard let schema = descriptor.storageSchema, schema.body.isBuiltin else { return nil }
        var object: JSONValue = [:]
        schema.normalize(&object)
        return object["status"]
    }
}
