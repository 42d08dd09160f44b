import Glibc
import Store

/// Objects as items of a typed list, in which the list alone says of which kind its items are.
///
/// Nearly all stored objects begin with their apiVersion and name their kind right before their metadata: both are
/// compared in place and left out. Others are walked over.
public struct ListItem: Sendable {
    private static let metadataName = Array("\"metadata\":{".utf8)

    /// `{"apiVersion":"v1",`
    private let start: [UInt8]
    /// `"kind":"Pod","metadata":{`
    private let middle: [UInt8]

    /// Items of a kind.
    public init(apiVersion: String, kind: String) {
        start = Array("{\"apiVersion\":\"\(apiVersion)\",".utf8)
        middle = Array("\"kind\":\"\(kind)\",".utf8) + Self.metadataName
    }

    /// Appends the object with its resourceVersion, without apiVersion and kind.
    ///
    /// - Parameters:
    ///   - bytes: The stored object.
    ///   - splice: Where in `bytes` the resourceVersion goes.
    ///   - revision: The resourceVersion; zero when `bytes` say it.
    ///   - out: What is added to.
    public func append(_ bytes: [UInt8], splice: Int, revision: Revision, to out: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            let kind = splice - middle.count
            guard kind >= start.count, has(start, in: source, at: 0), has(middle, in: source, at: kind) else {
                return appendWalked(source, splice: splice, revision: revision, to: &out)
            }
            out.append(UInt8(ascii: "{"))
            out.append(contentsOf: UnsafeBufferPointer(rebasing: source[start.count..<kind]))
            out.append(contentsOf: UnsafeBufferPointer(rebasing: source[(splice - Self.metadataName.count)..<splice]))
            ObjectBytes.appendVersion(revision, to: &out)
            out.append(contentsOf: UnsafeBufferPointer(rebasing: source[splice...]))
        }
    }

    private func has(_ text: [UInt8], in source: UnsafeBufferPointer<UInt8>, at place: Int) -> Bool {
        guard let base = source.baseAddress else { return false }
        return text.withUnsafeBufferPointer { wanted in
            guard let first = wanted.baseAddress else { return true }
            return memcmp(base + place, first, wanted.count) == 0
        }
    }

    private func appendWalked(_ source: UnsafeBufferPointer<UInt8>, splice: Int, revision: Revision, to out: inout [UInt8]) {
        let head = UnsafeBufferPointer(rebasing: source[..<splice])
        let left = [Self.member("apiVersion", of: head), Self.member("kind", of: head)].compactMap(\.self)
        var next = 0
        for range in left.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            out.append(contentsOf: source[next..<range.lowerBound])
            next = range.upperBound
        }
        out.append(contentsOf: source[next..<splice])
        ObjectBytes.appendVersion(revision, to: &out)
        out.append(contentsOf: source[splice...])
    }

    /// A member with a text for its value, with its name and the comma behind it.
    private static func member(_ name: StaticString, of head: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        var scanner = ByteScanner(head)
        guard let value = scanner.topLevelMember(name), value.upperBound < head.count, head[value.upperBound] == UInt8(ascii: ",")
        else { return nil }
        return value.lowerBound - name.utf8CodeUnitCount - 3..<value.upperBound + 1
    }
}
