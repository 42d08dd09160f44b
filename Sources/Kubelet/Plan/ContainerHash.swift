import APITypes
import PodRuntime

extension Container {
    /// FNV-1a over the fields that make a container another container when they change: name and image.
    var specHash: String {
        var hash: UInt32 = 2_166_136_261
        for byte in "\(name)\u{0}\(image)".utf8 {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        return String(hash, radix: 16)
    }
}

extension ObservedContainer {
    /// Whether the container was made from another name and image than the spec has now.
    func hasOtherSpec(than container: Container) -> Bool {
        !hash.isEmpty && hash != container.specHash
    }
}
